"""The mean of several checkpoints of one model.

Weights averaged over the last checkpoints of a run often do better than the last ones
alone. Tensors are read and written piece by piece, so memory depends neither on a
model's bytes nor on its largest tensor's.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from estimator_ckpt.bundle import coding, dtypes, files, logs
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import index_path, serialize_index, shard_path
from estimator_ckpt.bundle.writer import ShardWriter
from estimator_ckpt.checkpoint import object_keys, opening
from estimator_ckpt.checkpoint.formats import FormatLike
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.checkpoint.opening import Checkpoint
from estimator_ckpt.checkpoint.roles import OF_MODEL, Regexes
from estimator_ckpt.conversion import convert, model_dirs
from estimator_ckpt.conversion.key_moves import Naming
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.maps.filters import Patterns

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_log = logs.logger()

Sources = Union[files.PathLike, Sequence[files.PathLike]]


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
    wanted = Naming.of(
        names=names,
        root=root,
        step=step,
        assignment_map=assignment_map,
        include=include,
        exclude=exclude,
        optimizer_state=optimizer_state,
        model_state=model_state,
    )
    with contextlib.ExitStack() as stack:
        opened = [
            stack.enter_context(
                opening.opened(path, names=names, overruling=wanted.overruling)
            )
            for path in _paths(sources, last)
        ]
        for checkpoint in opened:
            checkpoint.contents.require_unique(checkpoint.prefix)
        _require_same_variables(opened)
        newest = max(enumerate(opened), key=_age)[1]
        remark = newest.roles.remark()
        if remark:
            _log.warning("%s: %s", newest.prefix, remark)
        format = newest.format if to is None else to
        target = Target.of(destination, format, overwrite=overwrite)
        for checkpoint in opened:
            prefix = target.usable_prefix(checkpoint.prefix)
        # What is wrong with the options is said before anything is averaged.
        convert.plan(newest.prefix, target, wanted)
        with files.temporary_dir(os.path.dirname(prefix)) as temporary:
            bundle = os.path.join(temporary, os.path.basename(newest.prefix))
            whole = stack.enter_context(opening.as_bundle(newest, temporary))
            _write_mean(opened, whole, bundle, progress)
            return convert.run(bundle, target, wanted)


def _age(numbered: tuple[int, Checkpoint]) -> tuple[int, int]:
    """What orders checkpoints: the global step, then the order in which they stand."""
    number, checkpoint = numbered
    step = checkpoint.global_step
    return (-1 if step is None else step, number)


def _paths(sources: Sources, last: Optional[int]) -> list[files.PathLike]:
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
    found = model_dirs.prefixes_in(paths[0])
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
            f"these checkpoints are not of one model: {'; '.join(problems)}. Leave out "
            f"those that differ"
        )


def _write_mean(
    opened: Sequence[Checkpoint],
    newest: Checkpoint,
    bundle: str,
    progress: Optional[files.Progress],
) -> None:
    """Writes a bundle with the newest checkpoint's keys and the mean's values."""
    by_key = {key: name for name, key in newest.contents.keys.items()}
    by_key.update((key, name) for name, key in newest.contents.aliases.items())
    entries: dict[bytes, bytes] = {}
    averaged: dict[str, Entry] = {}
    with ShardWriter(shard_path(bundle, 0, 1), 0) as shard:
        for key in newest.index.records:
            old_name, extents = coding.parse_key(key)
            name = by_key.get(old_name)
            if name is not None and _is_averaged(newest, name):
                if extents is not None:
                    continue  # it is written whole
                if name not in averaged:
                    averaged[name] = _add_mean(shard, opened, name, progress)
                entries[key] = averaged[name].serialize()
                continue
            entry = newest.index.entry(key)
            if entry.is_partitioned:
                entry = entry._replace(shard_id=0, offset=0)
            else:
                newest.reader.verify(key)
                entry = shard.copy(entry, newest.chunks(key))
            entries[key] = entry.serialize()
    header = Header(num_shards=1)
    files.put(index_path(bundle), serialize_index(header, entries.items()))


def _is_averaged(newest: Checkpoint, name: str) -> bool:
    if not newest[name].dtype.startswith(("float", "bfloat", "complex")):
        return False
    return newest.roles[name].role in OF_MODEL


def _add_mean(
    shard: ShardWriter,
    opened: Sequence[Checkpoint],
    name: str,
    progress: Optional[files.Progress],
) -> Entry:
    info = opened[0][name]
    kind = dtypes.named(info.dtype)

    def pieces() -> Iterator[Any]:
        for parts in zip(*(checkpoint.pieces(name) for checkpoint in opened)):
            mean = _mean(parts).astype(kind.numpy).view("u1").data
            if progress is not None:
                progress(len(mean))
            yield mean

    return shard.add_chunks(kind, info.shape, pieces())


def _mean(parts: Sequence[Array]) -> Array:
    import numpy as np

    wide = np.complex128 if parts[0].dtype.kind == "c" else np.float64
    total: Array = parts[0].astype(wide)
    for part in parts[1:]:
        total += part.astype(wide)
    return total / len(parts)
