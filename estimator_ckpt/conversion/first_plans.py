"""What becomes of each variable of a checkpoint in a new model dir's first one.

A plan whose target is the source's own variables under their new names; and what
follows from it: which keys move, and what is to be said.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Optional

from estimator_ckpt.bundle import logs
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import meta_graph
from estimator_ckpt.checkpoint.formats import Format
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.conversion import key_moves
from estimator_ckpt.conversion.key_moves import KeyMoves
from estimator_ckpt.conversion.result_keys import ResultKeys
from estimator_ckpt.maps import planner, plans
from estimator_ckpt.maps.choices import Choice
from estimator_ckpt.maps.renaming import Renaming

#: The base name of a new model dir's first checkpoint.
NAME = "model.ckpt-0"


@dataclasses.dataclass(frozen=True)
class FirstCheckpoint:
    """What a model dir's first checkpoint is to be.

    Attributes:
      model_dir: the new model dir.
      choice: which variables are carried, under which names.
      names_by: what variables of an object-based source are called.
      root: the dictionary of the variables, as for `convert`.
      strict: whether it is an error if something that was asked for matches nothing.
    """

    model_dir: str
    choice: Choice
    names_by: NamesBy = NamesBy.FULL_NAME
    root: Optional[str] = None
    strict: bool = False

    @property
    def prefix(self) -> str:
        """The new prefix."""
        return os.path.join(self.model_dir, NAME)


def plan(checkpoint: Checkpoint, first: FirstCheckpoint) -> plans.Plan:
    """What becomes of a source's variables.

    Raises:
      AmbiguousNameError: two of them claim one name.
      AssignmentMapError: the map gives two variables one name.
      CheckpointError: nothing is carried, or (`strict`) something matches nothing.
    """
    checkpoint.contents.require_unique(checkpoint.prefix)
    remark = checkpoint.roles.remark()
    if remark:
        logs.logger().warning("%s: %s", checkpoint.prefix, remark)
    variables = planner.of_checkpoint(checkpoint)
    if first.choice.carry == "trainable":
        variables = _trainable_by_meta(checkpoint.prefix, variables)
    renaming = first.choice.assignment_map.rename(
        variables, source=checkpoint.prefix, owners=planner.owners_of(variables)
    )
    targets = {
        new: _as_target(variables[old], new, renaming) for old, new in renaming.pairs
    }
    planned = planner.make(
        variables,
        targets,
        first.choice,
        source_name=checkpoint.prefix,
        target_name=first.model_dir,
        renaming=renaming,
    )
    _require(planned, first.strict)
    return planned


def moves_of(
    checkpoint: Checkpoint,
    planned: plans.Plan,
    format: Format,
    root: Optional[str],
) -> KeyMoves:
    """The plan as key moves: an object-based source keeps its keys where it can."""
    pairs = [
        (item.source.name, item.target.name)
        for item in planned.items
        if item.verdict.is_carried and item.source and item.target
    ]
    keeps_graph = (
        format.has_object_keys
        and root is None
        and all(old == new for old, new in pairs)
    )
    return key_moves.of_variables(
        checkpoint.contents,
        checkpoint.index.whole_keys(),
        pairs,
        ResultKeys(format, checkpoint.graph if keeps_graph else None, root),
        restarts=True,
        unused=planned.unused,
    )


def report(planned: plans.Plan, carry: Optional[str]) -> None:
    """A line for each variable, and warnings of what a user should know."""
    for sentence in planned.unused:
        logs.logger().warning("%s", sentence)
    for item in planned.items:
        if item.target is not None:
            logs.logger().info(
                "%s: %s (%s)", item.name, item.verdict.value, item.because
            )
    left_out = [
        item
        for item in planned.items
        if item.target is not None and item.target.role in roles.OF_OPTIMIZER
        if not item.verdict.is_carried
    ]
    if left_out and carry != "all":
        logs.logger().warning(
            "%s: without its optimizer state (%d variables) this is for TF2 code: an "
            "Estimator with the same optimizer cannot start from it",
            planned.target,
            len(left_out),
        )
    logs.logger().info("%s", planned.summary())


def _as_target(variable: Variable, new: str, renaming: Renaming) -> Variable:
    """A variable under its new name; its owner, too, is called by that one's."""
    owners = renaming.targets.get(variable.owner or "")
    owner = owners[0] if owners else None
    if owners and len(owners) > 1:  # a copy belongs to the copy that it is named after
        owner = next((o for o in owners if new.startswith(f"{o}/")), owner)
    return variable._replace(name=new, key=None, owner=owner)


def _trainable_by_meta(
    prefix: str, variables: dict[str, Variable]
) -> dict[str, Variable]:
    """What the `.meta` file does not list as trainable is not."""
    trainable = meta_graph.trainable_variables(prefix)
    return {
        name: variable._replace(role=roles.MODEL)
        if variable.role is roles.TRAINABLE and name not in trainable
        else variable
        for name, variable in variables.items()
    }


def _require(planned: plans.Plan, strict: bool) -> None:
    """Raises CheckpointError if there is nothing to do, or `strict` forbids it."""
    if strict and planned.unused:
        raise CheckpointError(f"{planned.source}: {'; '.join(planned.unused)} (strict)")
    if not any(item.verdict.is_carried for item in planned.items):
        unused = "".join(f"; {sentence}" for sentence in planned.unused)
        raise CheckpointError(
            f"{planned.source}: none of its {len(planned.items)} variables is carried"
            f"{unused}"
        )
