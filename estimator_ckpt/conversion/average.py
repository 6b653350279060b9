"""The mean of several checkpoints of one model.

Weights averaged over the last checkpoints of a run often do better than the last ones
alone. The result is a conversion of the newest checkpoint in which some tensors are
written anew (`means`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from estimator_ckpt.bundle import argument_types, files
from estimator_ckpt.bundle.errors import CheckpointError, CorruptIndexError
from estimator_ckpt.checkpoint import messages, object_keys, opening
from estimator_ckpt.checkpoint.formats import FormatLike
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.conversion import (
    conversion_moves,
    convert,
    listed_checkpoints,
    means,
)
from estimator_ckpt.conversion.chosen_names import Naming
from estimator_ckpt.conversion.targets import CompactTarget
from estimator_ckpt.conversion.writing import bundle_copy, drafts, new_bundle, snapshot
from estimator_ckpt.maps.filters import Patterns

if TYPE_CHECKING:
    pass

# So many shards of all sources together are held open.
_MOST_HELD = 256
# So many differences an error lists.
_MOST_LISTED = 20

Sources = Union[files.PathLike, Sequence[files.PathLike]]


@argument_types.checked
def average(
    sources: Sources,
    destination: files.PathLike,
    *,
    last: Optional[int] = None,
    to: Optional[FormatLike] = None,
    include: Patterns = None,
    exclude: Patterns = None,
    assignment_map: Any = None,
    names: NamesLike = "full_name",
    root: Optional[str] = None,
    step: Optional[str] = object_keys.GLOBAL_STEP,
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
    overwrite: bool = False,
    progress: Optional[files.Progress] = None,
) -> str:
    """Writes the mean of several checkpoints.

    Floating-point and complex variables of the model, its averages and BatchNorm's
    statistics included, get the mean of their values, computed in float64 (complex128)
    and rounded once. All else is the newest checkpoint's: integers, strings, the
    global step, hash tables; and optimizer state, since a mean of moments of different
    steps is that of none.

    Args:
      sources: a model dir, with `last`; or checkpoints, as `open_checkpoint` takes
        them, in any formats. The newest is that of the highest global step; among
        equals the one named last.
      destination: the new prefix, or a directory; as for `convert`.
      last: how many of the model dir's last checkpoints to take.
      to: `tf1`, `tf2` or `dual`; the newest checkpoint's format by default.
      include: as for `convert`.
      exclude: as for `convert`.
      assignment_map: as for `convert`.
      names: as for `convert`.
      root: as for `convert`.
      step: as for `convert`.
      optimizer_state: as for `convert`.
      model_state: as for `convert`.
      overwrite: whether to replace a checkpoint that is there.
      progress: called with the number of bytes written.

    Returns:
      The new prefix.

    Raises:
      ValueError: an unknown `to`, or `last` and several sources together.
      CheckpointNotFoundError: a source is not there.
      DestinationExistsError: the destination is there, and overwrite is False.
      CheckpointError: the sources do not hold the same variables (lists all that
        differ), or one is damaged.
    """
    return run(
        paths_of(sources, last),
        CompactTarget.of(destination, to, overwrite, progress),
        Naming.of(
            names=names,
            root=root,
            step=step,
            assignment_map=assignment_map,
            include=include,
            exclude=exclude,
            optimizer_state=optimizer_state,
            model_state=model_state,
        ),
    )


def run(
    paths: Sequence[files.PathLike], compact_target: CompactTarget, wanted: Naming
) -> str:
    """Averages the checkpoints of these paths; see `average`."""

    def attempt() -> str:
        with contextlib.ExitStack() as stack:
            opened = [
                stack.enter_context(
                    opening.opened(
                        path, names=wanted.names_by, overruling=wanted.overruling
                    )
                )
                for path in paths
            ]
            for checkpoint in opened:
                checkpoint.contents.require_unique(checkpoint.prefix)
            _require_same_variables(opened)
            newest = max(enumerate(opened), key=_age)[1]
            target = compact_target.target(newest.format)
            for checkpoint in opened:
                prefix = target.usable_prefix(checkpoint.prefix)
            moves = conversion_moves.of_checkpoint(newest, target.format, wanted)
            for checkpoint in opened:
                _hold(checkpoint, _MOST_HELD // len(opened), stack)
            mean = means.averaged(moves, newest, opened, target.progress)
            beside = os.path.dirname(prefix)
            written = bundle_copy.as_bundle(newest.reader, beside, target.progress)
            bundle = stack.enter_context(written)
            new = drafts.draft(bundle.index, mean)
            new_bundle.write(bundle, new, prefix, target)
            convert.warn(dict.fromkeys([*moves.unused, *newest.remarks()]))
            return prefix

    return snapshot.settled(paths, attempt)


def _age(numbered: tuple[int, Checkpoint]) -> tuple[int, int]:
    """What orders checkpoints: the global step, then the order in which they stand."""
    number, checkpoint = numbered
    step = checkpoint.global_step
    return (-1 if step is None else step, number)


def paths_of(sources: Sources, last: Optional[int]) -> list[files.PathLike]:
    """The checkpoints that are meant."""
    if last is None:
        if isinstance(sources, (str, os.PathLike)):
            raise ValueError(
                f"{os.fspath(sources)}: say how many of its last checkpoints to take "
                f"(last=, --last), or name several checkpoints"
            )
        if not sources:
            raise ValueError("no checkpoints to average")
        return list(sources)
    paths = [sources] if isinstance(sources, (str, os.PathLike)) else list(sources)
    if len(paths) != 1 or last < 1:
        raise ValueError("last (--last) is a number of checkpoints of one model dir")
    found = listed_checkpoints.prefixes_in(paths[0])
    if len(found) < last:
        raise CheckpointError(
            f"{os.fspath(paths[0])}: its state file names {len(found)} checkpoints "
            f"that are there, not {last}"
        )
    return list(found[-last:])


def _require_same_variables(opened: Sequence[Checkpoint]) -> None:
    first, *others = opened
    problems = []
    for other in others:
        for name in sorted({*first, *other}):
            if name not in other or name not in first:
                where = first if name not in first else other
                problems.append(f"{name!r} is not in {where.prefix}")
                continue
            a, b = first[name], other[name]
            if (a.dtype, a.shape) != (b.dtype, b.shape):
                problems.append(
                    f"{name!r} is {a.dtype}{list(a.shape)} in {first.prefix} and "
                    f"{b.dtype}{list(b.shape)} in {other.prefix}"
                )
    if problems:
        raise CheckpointError(
            f"these checkpoints are not of one model: "
            f"{messages.listed(problems, _MOST_LISTED, '; ')}. Leave out those that "
            f"differ"
        )


def _hold(checkpoint: Checkpoint, most_held: int, stack: contextlib.ExitStack) -> None:
    """Holds a bundle's shards, which have to be whole, until the stack unwinds."""
    if not checkpoint.is_bundle:
        return
    index = checkpoint.index
    taken = snapshot.taken(checkpoint.bundle, index.records, most_held)
    held = stack.enter_context(taken)
    entries = index.entries(index.records)
    stored = sum({means.place_of(entry): entry.size for entry in entries}.values())
    if stored > held.size:
        raise CorruptIndexError(
            f"{index.source}: tensors overlap in their shards: they take {stored} "
            f"bytes, more than there are"
        )
