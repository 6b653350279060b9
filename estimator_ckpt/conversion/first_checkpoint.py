"""Warm starts offline: a new model dir whose first checkpoint has the old values.

By index, as a conversion: the tensors are linked, the global step is a new one at 0.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from typing import Any, Optional

from estimator_ckpt.bundle import files, logs
from estimator_ckpt.bundle.errors import CheckpointError, DestinationExistsError
from estimator_ckpt.checkpoint import (
    meta_graph,
    naming,
    opening,
    roles,
    state_file,
)
from estimator_ckpt.checkpoint.formats import Format, FormatLike
from estimator_ckpt.checkpoint.naming import NamesBy, NamesLike
from estimator_ckpt.checkpoint.opening import Checkpoint
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.conversion import key_moves
from estimator_ckpt.conversion.key_moves import KeyMoves, ResultKeys
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.conversion.writing import claims, new_bundle, snapshot
from estimator_ckpt.maps import plans
from estimator_ckpt.maps.filters import Patterns
from estimator_ckpt.maps.renaming import Renaming

_log = logs.logger()
_FIRST = "model.ckpt-0"


def warm_start_model_dir(
    source: files.PathLike,
    destination: files.PathLike,
    *,
    to: FormatLike = "tf2",
    carry: str = "all",
    assignment_map: Any = None,
    include: Patterns = None,
    exclude: Patterns = None,
    reset: Patterns = None,
    names: NamesLike = "full_name",
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
    root: Optional[str] = None,
    data: str = "auto",
    overwrite: bool = False,
    strict: bool = False,
    progress: Optional[files.Progress] = None,
) -> str:
    """Makes a model dir that a new job, or TF2 code, starts from.

    Writes `destination/model.ckpt-0`, with the carried variables and the global step
    at 0, and then the state file. An Estimator goes on from it with nothing further.

    Args:
      source: a checkpoint in any format, as `open_checkpoint` takes it.
      destination: the new model dir.
      to: `tf1`, `tf2` or `dual`.
      carry: `all` (the default: an Estimator cannot start from a checkpoint that lacks
        the slots of its optimizer), `model` (for TF2 code; optimizer state is left
        out), or `trainable` (the source's `.meta` says which).
      assignment_map: as for `warm_start_from`.
      include: regexes of the new names of variables to carry (`re.match`).
      exclude: regexes of the new names of variables to leave out; they win.
      reset: the same; these are left out, too, and no average takes their place.
      names: what variables of an object-based source are called, as for
        `open_checkpoint`.
      optimizer_state: as for `convert`.
      model_state: as for `convert`.
      root: as for `convert`.
      data: as for `convert`.
      overwrite: whether to replace a checkpoint that is there.
      strict: raise an error if something that was asked for matches nothing.
      progress: as for `convert`.

    Returns:
      The new prefix.

    Raises:
      ValueError: an unknown `to`, `carry`, `names` or `data`, or a pattern that is no
        regex.
      CheckpointNotFoundError: there is no source.
      DestinationExistsError: the model dir has checkpoints, and overwrite is False.
      CheckpointError: the source is damaged, nothing is carried, or (`strict`)
        something matches nothing.
    """
    new = os.path.join(files.local(destination), _FIRST)
    target = Target.of(new, to, data, overwrite, progress)
    wanted = plans.Choice.of(
        carry=carry,
        include=include,
        exclude=exclude,
        reset=reset,
        assignment_map=assignment_map,
        optimizer_state=optimizer_state,
        model_state=model_state,
    )
    start = _Start(files.local(destination), wanted, naming.parse(names), strict)
    state = os.path.join(start.model_dir, state_file.FILE_NAME)

    def attempt() -> plans.Plan:
        with contextlib.ExitStack() as stack:
            ready = _planned(source, start, overwrite)
            checkpoint, planned = stack.enter_context(ready)
            moves = _key_moves(checkpoint, planned, target.format, root)
            beside = os.path.dirname(start.model_dir)
            bundle = stack.enter_context(opening.as_bundle(checkpoint, beside))
            held = stack.enter_context(new_bundle.prepared(bundle.bundle, moves))
            stack.enter_context(claims.claimed(state))
            _refuse(checkpoint.prefix, start.model_dir, overwrite)
            new_bundle.write_prepared(held, new, target)
            content = state_file.CheckpointState(latest=_FIRST, all=(_FIRST,))
            files.put(state, content.serialize())
            return planned

    _report(snapshot.settled([source], attempt), carry)
    return new


def plan_model_dir(
    source: files.PathLike,
    destination: files.PathLike,
    *,
    carry: str = "all",
    assignment_map: Any = None,
    include: Patterns = None,
    exclude: Patterns = None,
    reset: Patterns = None,
    names: NamesLike = "full_name",
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
    overwrite: bool = False,
    strict: bool = False,
) -> plans.Plan:
    """What `warm_start_model_dir` would carry, without doing it; refuses what it would.

    Args:
      source: the source.
      destination: the new model dir.
      carry: as for `warm_start_model_dir`.
      assignment_map: as for `warm_start_model_dir`.
      include: as for `warm_start_model_dir`.
      exclude: as for `warm_start_model_dir`.
      reset: as for `warm_start_model_dir`.
      names: as for `warm_start_model_dir`.
      optimizer_state: as for `warm_start_model_dir`.
      model_state: as for `warm_start_model_dir`.
      overwrite: as for `warm_start_model_dir`.
      strict: as for `warm_start_model_dir`.

    Raises:
      As `warm_start_model_dir`.
    """
    wanted = plans.Choice.of(
        carry=carry,
        include=include,
        exclude=exclude,
        reset=reset,
        assignment_map=assignment_map,
        optimizer_state=optimizer_state,
        model_state=model_state,
    )
    start = _Start(files.local(destination), wanted, naming.parse(names), strict)

    def attempt() -> plans.Plan:
        with _planned(source, start, overwrite) as (checkpoint, planned):
            checkpoint.require_whole()
            return planned

    return snapshot.settled([source], attempt)


@dataclasses.dataclass(frozen=True)
class _Start:
    """What a warm start is to be.

    Attributes:
      model_dir: the new model dir.
      wanted: which variables are carried.
      names_by: what variables of an object-based source are called.
      strict: whether it is an error if something that was asked for matches nothing.
    """

    model_dir: str
    wanted: plans.Choice
    names_by: NamesBy
    strict: bool


@contextlib.contextmanager
def _planned(
    source: files.PathLike, start: _Start, overwrite: bool
) -> Iterator[tuple[Checkpoint, plans.Plan]]:
    """The source, and what becomes of its variables; refuses what must not be done."""
    with opening.opened(
        source, names=start.names_by, overruling=start.wanted.overruling
    ) as checkpoint:
        _refuse(checkpoint.prefix, start.model_dir, overwrite)
        planned = _plan(checkpoint, start)
        _require(planned, start.strict)
        yield checkpoint, planned


def _plan(checkpoint: Checkpoint, start: _Start) -> plans.Plan:
    """A plan whose target is the source's own variables under their new names."""
    checkpoint.contents.require_unique(checkpoint.prefix)
    remark = checkpoint.roles.remark()
    if remark:
        _log.warning("%s: %s", checkpoint.prefix, remark)
    variables = plans.of_checkpoint(checkpoint)
    if start.wanted.carry == "trainable":
        variables = _trainable_by_meta(checkpoint.prefix, variables)
    renaming = start.wanted.assignment_map.rename(
        variables, source=checkpoint.prefix, owners=plans.owners_of(variables)
    )
    targets = {
        new: _as_target(variables[old], new, renaming) for old, new in renaming.pairs
    }
    return plans.make(
        variables,
        targets,
        start.wanted,
        source_name=checkpoint.prefix,
        target_name=start.model_dir,
        renaming=renaming,
    )


def _as_target(variable: Variable, new: str, renaming: Renaming) -> Variable:
    """A variable under its new name; its owner, too, is called by that one's."""
    owners = renaming.targets.get(variable.owner or "")
    owner = owners[0] if owners else None
    if owners and len(owners) > 1:  # a copy belongs to the copy that it is named after
        owner = next((o for o in owners if new.startswith(f"{o}/")), owner)
    return dataclasses.replace(variable, name=new, key=None, owner=owner)


def _trainable_by_meta(
    prefix: str, variables: dict[str, Variable]
) -> dict[str, Variable]:
    """What the `.meta` file does not list as trainable is not."""
    trainable = meta_graph.trainable_variables(prefix)
    return {
        name: dataclasses.replace(variable, role=roles.MODEL)
        if variable.role is roles.TRAINABLE and name not in trainable
        else variable
        for name, variable in variables.items()
    }


def _refuse(prefix: str, target: str, overwrite: bool) -> None:
    """Refuses a model dir that has checkpoints, a file, and the source's own dir."""
    files.require_no_file(target)
    if os.path.realpath(os.path.dirname(prefix)) == os.path.realpath(target):
        raise DestinationExistsError(
            f"{target}: source and destination are the same model dir; give another "
            f"destination"
        )
    there = os.path.join(target, state_file.FILE_NAME)
    if files.exists(there) and not overwrite:
        raise DestinationExistsError(
            f"{there}: this model dir has checkpoints already; give another, or "
            f"overwrite it (overwrite=True, --overwrite)"
        )


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


def _report(planned: plans.Plan, carry: str) -> None:
    for sentence in planned.unused:
        _log.warning("%s", sentence)
    for item in planned.items:
        if item.target is not None:
            _log.info("%s: %s (%s)", item.name, item.verdict.value, item.because)
    left_out = [
        item
        for item in planned.items
        if item.target is not None and item.target.role in roles.OF_OPTIMIZER
        if not item.verdict.is_carried
    ]
    if left_out and carry != "all":
        _log.warning(
            "%s: without its optimizer state (%d variables) this is for TF2 code: an "
            "Estimator with the same optimizer cannot start from it",
            planned.target,
            len(left_out),
        )
    _log.info("%s", planned.summary())


def _key_moves(
    checkpoint: Checkpoint, planned: plans.Plan, format: Format, root: Optional[str]
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
        checkpoint.index,
        pairs,
        ResultKeys(format, checkpoint.graph if keeps_graph else None, root),
        restarts=True,
        unused=planned.unused,
    )
