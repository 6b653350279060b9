"""One tensor in another order of its axes, made piece by piece.

The shape is looked at as `seen`, its axes put in the order `axes`, and the result
looked at as `made`:

    dense kernel       seen [in, out]         axes (1, 0)         made [out, in]
    conv kernel        seen [H, W, in, out]   axes (3, 2, 0, 1)   made [out, in, H, W]
    depthwise kernel   seen [H*W, C*M]        axes (1, 0)         made [C*M, 1, H, W]
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Optional, Protocol

from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.tensors import slices

if TYPE_CHECKING:
    import numpy as np

    from estimator_ckpt.bundle.tensors.arrays import Array

Shape = tuple[int, ...]
# The most bytes of a tensor that is held whole, of the parts of a larger one that are
# in memory at once, and of what is handed on.
_MOST_WHOLE = 10 << 20
_MOST_HELD = 4 << 20
_MOST_GIVEN = 1 << 20


class Scratch(Protocol):
    """Where parts of a tensor are kept that is too large to be held."""

    def write(self, data: Any) -> None:
        """Appends the bytes of a buffer."""

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on."""

    def close(self) -> None:
        """Lets go of it."""


@dataclasses.dataclass(frozen=True)
class Permutation:
    """How the numbers of one tensor are put in another order.

    Attributes:
      seen: what the source's shape is looked at as.
      axes: axis `i` of the result is axis `axes[i]` of that.
      made: what the result's shape is.
    """

    seen: Shape
    axes: tuple[int, ...]
    made: Shape

    @property
    def is_identity(self) -> bool:
        """Whether the numbers stay in their order."""
        return self.axes == tuple(range(len(self.axes)))

    def __call__(self, array: Array) -> Array:
        """The tensor, from a whole one."""
        return array.reshape(self.seen).transpose(self.axes).reshape(self.made)

    def pieces(
        self,
        given: Iterator[Array],
        dtype: np.dtype[Any],
        scratch: Callable[[int], Scratch],
    ) -> Iterator[Array]:
        """The tensor in flat pieces, of a source in flat pieces.

        What is larger than a few MiB is written once, block by block, and read again:
        so memory stays small, and the source is gone through once.

        Args:
          given: the source, in row-major order.
          dtype: its type.
          scratch: makes what keeps so many bytes meanwhile.
        """
        size = math.prod(self.seen)
        if self.is_identity or not size:
            yield from given
        elif size * dtype.itemsize <= _MOST_WHOLE:
            whole = _joined(given, size, dtype).reshape(self.seen)
            yield from _flat_pieces(whole.transpose(self.axes))
        else:
            with contextlib.closing(scratch(size * dtype.itemsize)) as kept:
                yield from self._large(given, dtype, kept)

    def _large(
        self, given: Iterator[Array], dtype: np.dtype[Any], kept: Scratch
    ) -> Iterator[Array]:
        """The same by way of a scratch file.

        The source is a matrix whose rows are its leading axes, and the result one whose
        rows are the others: so each block of rows of the source is put in the result's
        order and kept, and a block of rows of the result is read from all of these.
        """
        import numpy as np

        lead = self._num_leading
        rows, columns = math.prod(self.seen[:lead]), math.prod(self.seen[lead:])
        below = [axis - lead for axis in self.axes[:-lead]]
        step = max(_MOST_HELD // (columns * dtype.itemsize), 1)
        for block in _rows(given, columns, step):
            parts = block.reshape(-1, *self.seen[lead:])
            order = [axis + 1 for axis in below]
            for piece in _flat_pieces(parts.transpose(*order, 0)):
                kept.write(piece.view("u1").data)
        above = [1 + axis for axis in self.axes[-lead:]]
        band = max(_MOST_HELD // (rows * dtype.itemsize), 1)
        for first in range(0, columns, band):
            count = min(band, columns - first)
            out = np.empty((count, rows), dtype)
            for start in range(0, rows, step):
                held = min(step, rows - start)
                at = start * columns + first * held
                data = kept.read(at * dtype.itemsize, count * held * dtype.itemsize)
                part = np.frombuffer(data, dtype).reshape(count, held)
                out[:, start : start + held] = part
            whole = out.reshape(count, *self.seen[:lead])
            yield from _flat_pieces(whole.transpose(0, *above))

    @property
    def _num_leading(self) -> int:
        """How many leading axes of the source are the last ones of the result."""
        count = len(self.axes)
        return next(
            lead
            for lead in range(1, count)
            if set(self.axes[count - lead :]) == set(range(lead))
        )


def _joined(pieces: Iterator[Array], size: int, dtype: np.dtype[Any]) -> Array:
    import numpy as np

    out: Array = np.empty(size, dtype)
    start = 0
    for piece in pieces:
        out[start : start + len(piece)] = piece
        start += len(piece)
    return out


def _flat_pieces(array: Array) -> Iterator[Array]:
    """An array in flat pieces, in row-major order."""
    import numpy as np

    whole = [Extent(0, size) for size in array.shape]
    for box in slices.row_major(array.shape, _MOST_GIVEN // array.dtype.itemsize):
        piece = array[slices.within(box, whole)]
        yield np.ascontiguousarray(piece).reshape(-1)


def _rows(pieces: Iterator[Array], size: int, most: int) -> Iterator[Array]:
    """Flat pieces as blocks `[most, size]`, the last one of fewer rows."""
    import numpy as np

    held: Optional[Array] = None
    done = 0
    for piece in pieces:
        while len(piece):
            if held is None:
                held = np.empty(most * size, piece.dtype)
            count = min(len(held) - done, len(piece))
            held[done : done + count] = piece[:count]
            piece, done = piece[count:], done + count
            if done == len(held):
                yield held.reshape(most, size)
                done = 0
    if held is not None and done:
        yield held[:done].reshape(-1, size)
