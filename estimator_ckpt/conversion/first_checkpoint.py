"""Warm starts offline: a new model dir whose first checkpoint has the old values.

By index, as a conversion: the tensors are linked, the global step is a new one at 0.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Optional

from estimator_ckpt.bundle import argument_types, files
from estimator_ckpt.bundle.errors import DestinationExistsError
from estimator_ckpt.checkpoint import naming, opening
from estimator_ckpt.checkpoint.formats import FormatLike
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.paths import state_file
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.conversion import first_plans
from estimator_ckpt.conversion.first_plans import FirstCheckpoint
from estimator_ckpt.conversion.targets import Target, local_path
from estimator_ckpt.conversion.writing import (
    bundle_copy,
    claims,
    drafts,
    new_bundle,
    snapshot,
)
from estimator_ckpt.maps import plans
from estimator_ckpt.maps.choices import Choice
from estimator_ckpt.maps.filters import Patterns


@argument_types.checked
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
    first = FirstCheckpoint(
        local_path(destination),
        Choice.of(
            carry=carry,
            include=include,
            exclude=exclude,
            reset=reset,
            assignment_map=assignment_map,
            optimizer_state=optimizer_state,
            model_state=model_state,
        ),
        naming.parse(names),
        root,
        strict,
    )
    return run(source, first, Target.of(first.prefix, to, data, overwrite, progress))


def run(source: files.PathLike, first: FirstCheckpoint, target: Target) -> str:
    """Makes a model dir; see `warm_start_model_dir`."""
    state = os.path.join(first.model_dir, state_file.FILE_NAME)

    def attempt() -> plans.Plan:
        with contextlib.ExitStack() as stack:
            ready = _planned(source, first, target.overwrite)
            checkpoint, planned = stack.enter_context(ready)
            moves = first_plans.moves_of(checkpoint, planned, target.format, first.root)
            beside = os.path.dirname(first.model_dir)
            written = bundle_copy.as_bundle(checkpoint.reader, beside, target.progress)
            bundle = stack.enter_context(written)
            new = drafts.draft(bundle.index, moves)
            held = stack.enter_context(new_bundle.prepared(bundle, new))
            stack.enter_context(claims.claimed(state))
            _refuse(checkpoint.prefix, first.model_dir, target.overwrite)
            new_bundle.write_prepared(held, first.prefix, target)
            name = first_plans.NAME
            content = state_file.CheckpointState(latest=name, all=(name,))
            files.put(state, content.serialize())
            return planned

    first_plans.report(snapshot.settled([source], attempt), first.choice.carry)
    return first.prefix


def plan(source: files.PathLike, first: FirstCheckpoint, target: Target) -> plans.Plan:
    """What `run` would carry, without doing it; refuses what it would.

    Args:
      source: the source.
      first: what is to be made of it.
      target: where `run` would write it, and how.

    Raises:
      As `warm_start_model_dir`.
    """

    def attempt() -> plans.Plan:
        with _planned(source, first, target.overwrite) as (checkpoint, planned):
            moves = first_plans.moves_of(checkpoint, planned, target.format, first.root)
            new_bundle.rehearse(checkpoint.reader, moves)
            return planned

    return snapshot.settled([source], attempt)


@contextlib.contextmanager
def _planned(
    source: files.PathLike, first: FirstCheckpoint, overwrite: bool
) -> Iterator[tuple[Checkpoint, plans.Plan]]:
    """The source, and what becomes of its variables; refuses what must not be done."""
    with opening.opened(
        source, names=first.names_by, overruling=first.choice.overruling
    ) as checkpoint:
        _refuse(checkpoint.prefix, first.model_dir, overwrite)
        yield checkpoint, first_plans.plan(checkpoint, first)


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
