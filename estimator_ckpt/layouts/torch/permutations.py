"""One tensor in another order of its axes, made piece by piece.

The shape is looked at as `seen`, its axes put in the order `axes`, and the result
looked at as `made`:

    dense kernel       seen [in, out]         axes (1, 0)         made [out, in]
    conv kernel        seen [H, W, in, out]   axes (3, 2, 0, 1)   made [out, in, H, W]
    depthwise kernel   seen [H*W, C*M]        axes (1, 0)         made [C*M, 1, H, W]
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.tensors import slices

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Shape = tuple[int, ...]
#: Gives a tensor in flat pieces, in row-major order, as often as it is asked.
Pieces = Callable[[], Iterator["Array"]]

# The most bytes of a tensor that are in memory at once, and of what is handed on.
_MOST_HELD = 12 << 20
_MOST_GIVEN = 1 << 20


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

    def pieces(self, given: Pieces, itemsize: int) -> Iterator[Array]:
        """The tensor in flat pieces, of a source in pieces.

        The source is gone through once for every 12 MiB of it.

        Args:
          given: gives the source.
          itemsize: bytes of an element.
        """
        if self.is_identity or not math.prod(self.seen):
            yield from given()
            return
        import numpy as np

        shape = tuple(self.seen[axis] for axis in self.axes)
        for region in slices.row_major(shape, max(_MOST_HELD // itemsize, 1)):
            wanted = [Extent(0, 0)] * len(self.axes)
            for axis, extent in zip(self.axes, region):
                wanted[axis] = extent
            part = _gathered(given(), self.seen, wanted).transpose(self.axes)
            for box in slices.row_major(part.shape, _MOST_GIVEN // itemsize):
                whole = [Extent(0, size) for size in part.shape]
                piece = part[slices.within(box, whole)]
                yield np.ascontiguousarray(piece).reshape(-1)


def _gathered(pieces: Iterator[Array], shape: Shape, wanted: list[Extent]) -> Array:
    """A region of a tensor, out of all of its pieces."""
    import numpy as np

    # Rows are below the leading axes of which all is wanted, or below the first axis.
    lead = 1
    while lead < len(shape) - 1 and all(
        extent.length == size for extent, size in zip(wanted[: lead + 1], shape)
    ):
        lead += 1
    first, count = wanted[0] if lead == 1 else (0, math.prod(shape[:lead]))
    below = shape[lead:]
    of_row = tuple(slice(e.start, e.start + e.length) for e in wanted[lead:])
    sizes = [extent.length for extent in wanted[lead:]]
    out: Any = None
    at = -first  # the place of a block's first row in what is wanted
    for block in _rows(pieces, math.prod(below)):
        low, high = max(-at, 0), min(count - at, len(block))
        if low < high:
            part = block[low:high].reshape(-1, *below)[(slice(None), *of_row)]
            if out is None:
                out = np.empty((count, *sizes), part.dtype)
            out[at + low : at + high] = part
        at += len(block)
    joined: Array = out.reshape([extent.length for extent in wanted])
    return joined


def _rows(pieces: Iterator[Array], size: int) -> Iterator[Array]:
    """Pieces of a tensor as blocks `[n, size]`, each of whole rows."""
    import numpy as np

    held: list[Array] = []
    length = 0
    for piece in pieces:
        if not held and len(piece) % size == 0:
            yield piece.reshape(-1, size)
            continue
        held.append(piece)
        length += len(piece)
        if length >= size:
            flat = np.concatenate(held)
            whole = length - length % size
            yield flat[:whole].reshape(-1, size)
            held = [flat[whole:]] if whole < length else []
            length -= whole
