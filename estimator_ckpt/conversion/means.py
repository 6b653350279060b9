"""Means of the variables of several checkpoints, computed when they are written.

    mean = (x_1 + ... + x_n) / n

element by element, in float64 (complex128), rounded once to the variable's dtype.
Tensors are read and written piece by piece, so memory depends neither on a model's
bytes nor on its largest tensor's.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional

from estimator_ckpt.bundle import files, logs
from estimator_ckpt.bundle.coding import name_to_key
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import OF_MODEL
from estimator_ckpt.checkpoint.variable import StoredVariable
from estimator_ckpt.conversion.key_moves import KeyMoves, NewTensor

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array


def averaged(
    moves: KeyMoves,
    newest: Checkpoint,
    opened: Sequence[Checkpoint],
    progress: Optional[files.Progress],
) -> KeyMoves:
    """The key moves of the newest checkpoint, with means in the place of its values.

    Names of one tensor, in all checkpoints, are names of one mean.
    """
    known = newest.contents.keys
    names = {name_to_key(key): name for name, key in known.items()}
    new_keys, written = dict(moves.new_keys), dict(moves.added.written)
    means: dict[Hashable, NewTensor] = {}
    for key, new in moves.new_keys.items():
        if new and key in names and _is_averaged(newest, names[key]):
            name = names[key]
            where = tuple(_where(checkpoint, name) for checkpoint in opened)
            if where not in means:
                info = newest[name]
                means[where] = _mean_of(name, info, opened, progress)
                files.expect(progress, info.size)
            new_keys[key] = ()
            written.update(dict.fromkeys(new, means[where]))
    added = moves.added._replace(written=written)
    return moves._replace(new_keys=new_keys, added=added, keeps_names=False)


def _where(checkpoint: Checkpoint, name: str) -> Hashable:
    """Where the bytes of a variable are, of all of its slices."""
    key = checkpoint.contents.keys[name]
    slices = checkpoint.index.slices(key)
    if not slices:
        return place_of(checkpoint.index[key])
    return tuple((extents, place_of(entry)) for extents, entry in slices.items())


def place_of(entry: Entry) -> Hashable:
    """Where an entry's bytes are, and how they are read; names of one tensor agree."""
    return entry.dtype, entry.shape, entry.shard_id, entry.offset, entry.size


def _is_averaged(newest: Checkpoint, name: str) -> bool:
    if not newest[name].dtype.startswith(("float", "bfloat", "complex")):
        return False
    return newest.roles[name].role in OF_MODEL


def _mean_of(
    name: str,
    info: StoredVariable,
    opened: Sequence[Checkpoint],
    progress: Optional[files.Progress],
) -> NewTensor:
    """The mean of a variable; its values are read when it is written."""
    dtype = dtypes.named(info.dtype)

    def chunks() -> Iterator[Any]:
        prefixes = [checkpoint.prefix for checkpoint in opened]
        is_finite = True
        for parts in zip(*(checkpoint.pieces(name) for checkpoint in opened)):
            mean = _mean(parts)
            if is_finite:
                is_finite = _is_finite(name, mean, dict(zip(prefixes, parts)))
            rounded = mean.astype(dtype.numpy).view("u1").data
            if progress is not None:
                progress(len(rounded))
            yield rounded

    return NewTensor(info.dtype, info.shape, chunks)


def _mean(parts: Sequence[Array]) -> Array:
    """The mean of arrays `[n]`, in float64 or complex128, unrounded."""
    import numpy as np

    wide = np.complex128 if parts[0].dtype.kind == "c" else np.float64
    total: Array = parts[0].astype(wide)
    with np.errstate(invalid="ignore"):  # of which `_is_finite` says where it is from
        for part in parts[1:]:
            total += part.astype(wide)
        return total / len(parts)


def _is_finite(name: str, mean: Array, parts: Mapping[str, Array]) -> bool:
    """Whether a mean has numbers only; if not, says whose values it is that have not.

    Args:
      name: the variable.
      mean: its mean, or a piece of that.
      parts: what that is the mean of, by the checkpoints' prefixes.
    """
    import numpy as np

    if np.isfinite(mean).all():
        return True
    wide = mean.dtype
    found = [p for p, x in parts.items() if not np.isfinite(x.astype(wide)).all()]
    logs.logger().warning(
        "%r has NaN or infinite values in %s, and so in the mean; if that training "
        "diverged, leave the checkpoint out",
        name,
        messages.listed(found, most=3),
    )
    return False
