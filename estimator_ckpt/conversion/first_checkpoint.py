"""Warm starts offline: a new model dir whose first checkpoint has the old values.

By index, as a conversion: the tensors are linked, the global step is a new one at 0.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, DestinationExistsError
from estimator_ckpt.checkpoint import (
    formats,
    meta_graph,
    prefixes,
    roles,
    state_file,
)
from estimator_ckpt.checkpoint.opening import (
    Checkpoint,
    open_checkpoint,
    read_object_graph,
)
from estimator_ckpt.conversion import new_keys
from estimator_ckpt.conversion.convert import Conversion, write
from estimator_ckpt.maps import plans

_log = logging.getLogger("estimator_ckpt")
_FIRST = "model.ckpt-0"


def warm_start_model_dir(
    source: files.PathLike,
    destination: files.PathLike,
    *,
    to: str = "tf2",
    carry: str = "all",
    root: Optional[str] = None,
    data: str = "auto",
    overwrite: bool = False,
    strict: bool = False,
    progress: Optional[files.Progress] = None,
    **choice: Any,
) -> str:
    """Makes a model dir that a new job, or TF2 code, starts from.

    Writes `destination/model.ckpt-0`, with the carried variables and the global step
    at 0, and then the state file. An Estimator goes on from it with nothing further.

    Args:
      source: a checkpoint in any format, as `open_checkpoint` takes it; one of the V1
        format is read through TensorFlow.
      destination: the new model dir.
      to: `tf1`, `tf2` or `dual`.
      carry: `all` (the default: an Estimator cannot start from a checkpoint that lacks
        the slots of its optimizer), `model` (for TF2 code; optimizer state is left
        out), or `trainable` (the source's `.meta` says which).
      root: as for `convert`.
      data: as for `convert`.
      overwrite: whether to replace a checkpoint that is there.
      strict: raise an error if something that was asked for matches nothing.
      progress: as for `convert`.
      **choice: `assignment_map`, `include`, `exclude`, `reset` and `names`, as for
        `plan_model_dir`.

    Returns:
      The new prefix.

    Raises:
      ValueError: an unknown `to` or `carry`, or a pattern that is no regex.
      CheckpointNotFoundError: there is no source.
      DestinationExistsError: the model dir has checkpoints, and overwrite is False.
      CheckpointError: the source is damaged, nothing is carried, or (`strict`)
        something matches nothing.
    """
    formats.parse(to)
    target = files.local(destination)
    beside = os.path.dirname(target)
    with _opened(source, target, beside, overwrite, choice) as (_, checkpoint):
        planned = _plan(checkpoint, target, carry, **choice)
        _require(planned, strict)
        _report(planned, carry)
        conversion = _conversion(checkpoint, planned, to, root)
        new = os.path.join(target, _FIRST)
        write(checkpoint.reader, conversion, new, data, progress)
    content = state_file.CheckpointState(latest=_FIRST, all=(_FIRST,))
    files.put(os.path.join(target, state_file.FILE_NAME), content.serialize())
    return new


def plan_model_dir(
    source: files.PathLike,
    destination: files.PathLike,
    *,
    carry: str = "all",
    overwrite: bool = False,
    strict: bool = False,
    **choice: Any,
) -> plans.Plan:
    """What `warm_start_model_dir` would carry, without doing it; refuses what it would.

    Args:
      source: the source.
      destination: the new model dir.
      carry: as for `warm_start_model_dir`.
      overwrite: as for `warm_start_model_dir`.
      strict: as for `warm_start_model_dir`.
      **choice: `assignment_map`, `include`, `exclude` and `reset` as for
        `warm_start_from`, the patterns against the new names; `names` as for
        `open_checkpoint`.

    Raises:
      As `warm_start_model_dir`.
    """
    target = files.local(destination)
    with _opened(source, target, None, overwrite, choice) as (prefix, checkpoint):
        planned = _plan(checkpoint, target, carry, **choice)
        _require(planned, strict)
        return dataclasses.replace(planned, source=prefix)


@contextlib.contextmanager
def _opened(
    source: files.PathLike,
    target: str,
    beside: Optional[str],
    overwrite: bool,
    choice: Mapping[str, Any],
) -> Iterator[tuple[str, Checkpoint]]:
    """The source's prefix and the checkpoint; of the V1 format, a bundle of it.

    Args:
      source: its path.
      target: the new model dir.
      beside: where such a bundle may stand until it is used; None for a temporary
        directory.
      overwrite: whether what is in the model dir may be replaced.
      choice: its `names` say what variables are called.
    """
    with contextlib.ExitStack() as stack:
        try:
            called = prefix = prefixes.resolve(source)
            _refuse(called, target, overwrite)
        except prefixes.V1CheckpointError as error:
            from estimator_ckpt.checkpoint import v1_format

            called = error.prefix
            _refuse(called, target, overwrite)
            prefix = stack.enter_context(v1_format.as_bundle(called, beside))
        by = choice.get("names", "full_name")
        yield called, stack.enter_context(open_checkpoint(prefix, names=by))


def _plan(
    checkpoint: Checkpoint,
    target: str,
    carry: str,
    *,
    names: str = "full_name",
    **choice: Any,
) -> plans.Plan:
    """A plan whose target is the source's own variables under their new names."""
    del names  # the checkpoint was opened with it
    checkpoint.contents.require_unique(checkpoint.prefix)
    wanted = plans.Choice.of(carry=carry, **choice)
    variables = plans.of_checkpoint(checkpoint)
    if carry == "trainable":
        variables = _with_roles_of_meta(checkpoint.prefix, variables)
    renaming = wanted.assignment_map.rename(variables, source=checkpoint.prefix)
    targets = {
        new: dataclasses.replace(variables[old], name=new, key=None)
        for old, new in renaming.targets.items()
    }
    return plans.make(
        variables,
        targets,
        wanted,
        source_name=checkpoint.prefix,
        target_name=target,
        renaming=renaming,
    )


def _with_roles_of_meta(
    prefix: str, variables: dict[str, plans.Variable]
) -> dict[str, plans.Variable]:
    """What the `.meta` file says is trainable; all else is not."""
    trainable = meta_graph.trainable_variables(prefix)
    return {
        name: variable
        if variable.role == roles.GLOBAL_STEP
        else dataclasses.replace(
            variable, role=roles.TRAINABLE if name in trainable else roles.MODEL
        )
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
        if item.target is not None and item.target.role == roles.OPTIMIZER
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


def _conversion(
    checkpoint: Checkpoint, planned: plans.Plan, to: str, root: Optional[str]
) -> Conversion:
    pairs = [
        (item.source.name, item.target.name)
        for item in planned.items
        if item.verdict.is_carried and item.source and item.target
    ]
    renames = any(old != new for old, new in pairs)
    graph = (
        None if to == "tf1" or root or renames else read_object_graph(checkpoint.reader)
    )
    rekeying = new_keys.lay_out(
        checkpoint.contents,
        checkpoint.index,
        pairs,
        to=to,
        graph=graph,
        root=root,
        restarts=True,
        unused=planned.unused,
    )
    return Conversion(checkpoint.prefix, to, rekeying)
