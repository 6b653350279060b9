"""Slices: what part of a tensor, and whether parts make a whole.

A slice is a start and a length in each dimension. Resolved, its lengths are numbers
and it lies within its tensor.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, Union

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.coding import FULL, Extent, Slice
from estimator_ckpt.bundle.errors import CorruptIndexError

#: The most bytes of a piece of a tensor, which fits a processor's cache.
PIECE = 1 << 20
# A grid of edges may have this many cells without a part for each.
_MOST_CELLS = 1 << 20


def resolve(extents: Slice, shape: tuple[int, ...]) -> tuple[Extent, ...]:
    """A slice with the full dimensions spelled out.

    Raises:
      ValueError: it does not lie within the shape.
    """
    if len(extents) != len(shape):
        raise ValueError(
            f"the slice {show_key(extents)} does not fit the shape {list(shape)}"
        )
    out = []
    for (start, length), size in zip(extents, shape):
        actual = size if length == FULL and start == 0 else length
        if start < 0 or actual < 0 or start + actual > size:
            raise ValueError(
                f"the slice {show_key(extents)} exceeds the shape {list(shape)}"
            )
        out.append(Extent(start, actual))
    return tuple(out)


def volume(box: Sequence[Extent]) -> int:
    """The number of elements in a resolved slice."""
    return math.prod([length for _, length in box])


def intersection(a: Sequence[Extent], b: Sequence[Extent]) -> tuple[Extent, ...]:
    """What two resolved slices have in common; a length is 0 where that is nothing."""
    out = []
    for (a_start, a_length), (b_start, b_length) in zip(a, b):
        start = max(a_start, b_start)
        stop = min(a_start + a_length, b_start + b_length)
        out.append(Extent(start, max(stop - start, 0)))
    return tuple(out)


def within(box: Sequence[Extent], outer: Sequence[Extent]) -> tuple[Any, ...]:
    """Where a box stands in an array that holds an outer box, to index it with."""
    return (
        *(
            slice(start - origin, start - origin + length)
            for (start, length), (origin, _) in zip(box, outer)
        ),
        ...,  # So that indexing no dimensions gives an array and not its element.
    )


def is_tiled(region: tuple[Extent, ...], boxes: Sequence[tuple[Extent, ...]]) -> bool:
    """Whether boxes within a region fill it, none over another.

    Each is painted on the grid of all their edges. A partitioned variable has one part
    for each cell; of boxes that make more than `_MOST_CELLS` cells, and more than there
    are boxes, nobody can say, and they count as not tiled.
    """
    boxes = [box for box in boxes if volume(box)]
    if sum(map(volume, boxes)) != volume(region) or not boxes:
        return not boxes and not volume(region)
    places = [_edges([box[axis] for box in boxes]) for axis in range(len(region))]
    cells = math.prod([len(edges) - 1 for edges in places])
    if cells > max(_MOST_CELLS, len(boxes)):
        return False
    painted = bytearray(cells)
    for box in boxes:
        for number in _cells_of(box, places):
            if painted[number]:
                return False
            painted[number] = 1
    return True


def _edges(extents: Sequence[Extent]) -> dict[int, int]:
    """Where extents along one axis begin and end, and the number of each edge."""
    found = {edge for extent in extents for edge in (extent.start, _stop(extent))}
    return {edge: place for place, edge in enumerate(sorted(found))}


def _cells_of(box: Sequence[Extent], places: Sequence[dict[int, int]]) -> list[int]:
    """The numbers of the cells of a grid that a box has."""
    numbers = [0]
    for edges, extent in zip(places, box):
        steps = range(edges[extent.start], edges[_stop(extent)])
        count = len(edges) - 1
        numbers = [number * count + step for number in numbers for step in steps]
    return numbers


def _stop(extent: Extent) -> int:
    return extent.start + extent.length


def row_major(shape: tuple[int, ...], most: int) -> Iterator[tuple[Extent, ...]]:
    """Cuts a shape into slices that follow one another in row-major order.

    Args:
      shape: the shape.
      most: the most elements in a slice.

    Yields:
      Slices that hold a contiguous run of elements each; none if there is nothing.
    """
    if not math.prod(shape):  # (2**62, 0) would be cut for ever.
        return
    axis = 0  # The first whose single steps are small enough.
    while axis < len(shape) and math.prod(shape[axis + 1 :]) > most:
        axis += 1
    if axis == len(shape):
        yield tuple(Extent(0, 1) for _ in shape)
        return
    step = max(most // max(math.prod(shape[axis + 1 :]), 1), 1)
    behind = tuple(Extent(0, size) for size in shape[axis + 1 :])
    for outer in itertools.product(*map(range, shape[:axis])):
        before = tuple(Extent(place, 1) for place in outer)
        for start in range(0, shape[axis], step):
            run = Extent(start, min(step, shape[axis] - start))
            yield (*before, run, *behind)


def pieces(shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[Extent, ...]]:
    """Cuts a tensor as every reader hands it on: slices of at most `PIECE` bytes.

    Where is decided by these two alone, so tensors can be compared piece by piece,
    whatever they are read from.
    """
    return row_major(shape, min(PIECE, files.CHUNK) // itemsize)


def place_of(
    extents: Sequence[tuple[int, int]], shape: tuple[int, ...]
) -> tuple[Any, ...]:
    """Where a slice stands in an array of the whole tensor, to index it with.

    Raises:
      ValueError: it does not lie within the shape.
    """
    region = resolve(tuple(Extent(*extent) for extent in extents), shape)
    return within(region, [Extent(0, size) for size in shape])


def show_key(key: Union[bytes, Slice]) -> str:
    """A key, or the extents of a slice, as messages show them."""
    if not isinstance(key, bytes):
        shown = [(e.start, "full" if e.length == FULL else e.length) for e in key[:32]]
        return str(shown)
    try:
        name, extents = coding.parse_key(key)
    except CorruptIndexError:
        return coding.show(key)
    shown_name = coding.show(name)
    return (
        shown_name if extents is None else f"slice {show_key(extents)} of {shown_name}"
    )
