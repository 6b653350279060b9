"""NumPy arrays of stored bytes, and of what has the shape of a tensor.

Numbers stand in a shard as they stand in memory, so an array is a view of them wherever
byte order and alignment allow. Arrays are read-only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import UnsupportedCheckpointError
from estimator_ckpt.bundle.tensors import dtypes, slices

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_MAX_RANK = 32  # NumPy 1's.


def dtype_of(entry: Entry) -> np.dtype[Any]:
    """The dtype of an entry's array.

    Raises:
      UnsupportedCheckpointError: it cannot be an array.
    """
    dtype = dtypes.of(entry.dtype).numpy
    if len(entry.shape) > _MAX_RANK:
        raise UnsupportedCheckpointError(
            f"it has {len(entry.shape)} dimensions; an array can have {_MAX_RANK}"
        )
    return dtype


def of_numbers(data: memoryview, dtype: np.dtype[Any], swapped: bool) -> Array:
    """Stored bytes as a flat array: a view of them if nothing is in the way."""
    import numpy as np

    flat: Array = np.frombuffer(data, np.uint8)
    if swapped and dtype.itemsize > 1:
        number = dtype.itemsize // (2 if dtype.kind == "c" else 1)
        flat = np.ascontiguousarray(flat.reshape(-1, number)[:, ::-1]).reshape(-1)
    out = flat.view(dtype)
    return frozen(out if out.flags.aligned else out.copy())


def of_strings(items: list[bytes], shape: Sequence[int]) -> Array:
    """Byte strings as an object array."""
    out = empty([len(items)], dtypes.DTYPES[dtypes.STRING].numpy)
    out[:] = items
    return frozen(out.reshape(shape))


def empty(shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """An array to be filled.

    Raises:
      UnsupportedCheckpointError: no array can have that shape.
    """
    import numpy as np

    try:
        return np.empty(shape, dtype)
    except ValueError as error:  # (0, 2**62, 2**62) holds nothing, but too much.
        raise UnsupportedCheckpointError(
            f"no array can have the shape {list(shape)}: {error}"
        ) from None


def in_pieces(array: Array) -> Iterator[Array]:
    """An array in flat pieces, cut as `slices.pieces` cuts its tensor."""
    flat, start = array.reshape(-1), 0
    for region in slices.pieces(array.shape, array.dtype.itemsize):
        size = slices.volume(region)
        yield flat[start : start + size]
        start += size


def frozen(array: Array) -> Array:
    """The array, made read-only."""
    array.flags.writeable = False
    return array
