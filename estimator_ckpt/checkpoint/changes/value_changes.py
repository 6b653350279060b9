"""How far the values of two checkpoints are apart: of variables, and of layers.

Sums and counts alone are kept, so that memory does not grow with the bytes. Nothing
here knows where values come from: a pair of arrays at a time is all that it sees.
"""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from estimator_ckpt.checkpoint import messages, roles
from estimator_ckpt.checkpoint.roles import Role

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

#: How many tensors get a histogram.
MOST = 12
#: The elements that are looked at together.
_AT_ONCE = 1 << 15


class Change(NamedTuple):
    """By how much one variable differs that both checkpoints have.

    Attributes:
      name: its name.
      role: what it is for.
      num_elements: how many elements it has.
      mean_abs: their mean absolute difference; 0 if all are equal.
      max_abs: the largest; infinite where one side is not a number and the other is.
    """

    name: str
    role: Role
    num_elements: int
    mean_abs: float = 0.0
    max_abs: float = 0.0


@dataclasses.dataclass(frozen=True)
class LayerChange:
    """By how much the values of one layer differ.

    Attributes:
      name: the scope that its variables share; of a variable without one its name.
      num_variables: the variables that both checkpoints have, with one shape and dtype.
      num_changed: those of them that differ.
      num_elements: the elements of all of them.
      mean_abs: the mean absolute difference over all elements.
      max_abs: the largest absolute difference.
    """

    name: str
    num_variables: int
    num_changed: int
    num_elements: int
    mean_abs: float
    max_abs: float


def layers(
    changes: Iterable[Change], made: Optional[Mapping[str, int]] = None
) -> tuple[LayerChange, ...]:
    """Sums changes up by layer: of the model alone, without what optimizers keep.

    Args:
      changes: those of the variables.
      made: the places of variables in the order in which a graph made them. What is
        not there comes last, in the natural order of names: layer 2 before layer 10.

    Returns:
      The layers in the order of their first variables.
    """
    found: dict[str, list[Change]] = {}
    for change in changes:
        if change.role in (roles.TRAINABLE, roles.MODEL):
            found.setdefault(_layer(change.name), []).append(change)
    places = made or {}
    last = len(places)

    def place(name: str) -> tuple[Any, ...]:
        first = min(places.get(change.name, last) for change in found[name])
        return first, messages.natural(name)

    return tuple(_summed(name, found[name]) for name in sorted(found, key=place))


def most_changed(changes: Iterable[Change]) -> list[Change]:
    """Those whose elements differ most in the mean, of tensors of some elements."""
    tensors = (c for c in changes if c.num_elements > 1 and c.mean_abs > 0)
    return heapq.nsmallest(MOST, tensors, key=lambda c: (-c.mean_abs, c.name))


def measure(x: Array, y: Array) -> tuple[int, float, float]:
    """How many elements differ, the largest absolute difference, and their sum."""
    count, largest, total = 0, 0.0, 0.0
    for before, after in blocks(x, y):
        number, most, added = _measured(before, after)
        count, largest, total = count + number, max(largest, most), total + added
    return count, largest, total


def _measured(x: Array, y: Array) -> tuple[int, float, float]:
    import numpy as np

    if x.dtype == object:
        return int(np.count_nonzero(x != y)), 0.0, 0.0
    places = np.flatnonzero(x != y)
    if len(places) < x.size:  # else no copies are needed
        x, y = x[places], y[places]
    wide = np.complex128 if x.dtype.kind == "c" else np.float64
    if x.dtype.kind in "iu" and x.itemsize == 8:
        # float64 has not all of them; their distance modulo 2**64 is that of uint64.
        more, less = (each(x, y).astype(np.uint64) for each in (np.maximum, np.minimum))
        distance = (more - less).astype(wide)
    else:
        with np.errstate(all="ignore"):
            distance = np.abs(x.astype(wide) - y.astype(wide))
    if np.isnan(distance).any():
        distance = distance[(x == x) | (y == y)]  # else both are not a number
        distance[np.isnan(distance)] = np.inf
    if not distance.size:
        return 0, 0.0, 0.0
    return distance.size, float(distance.max()), float(distance.sum())


def _layer(name: str) -> str:
    return name.rpartition("/")[0] or name


def _summed(name: str, changes: list[Change]) -> LayerChange:
    elements = sum(change.num_elements for change in changes)
    total = math.fsum(
        change.mean_abs * change.num_elements for change in changes if change.mean_abs
    )
    return LayerChange(
        name,
        num_variables=len(changes),
        num_changed=sum(change.max_abs > 0 for change in changes),
        num_elements=elements,
        mean_abs=total / elements if elements else 0.0,
        max_abs=max(change.max_abs for change in changes),
    )


def blocks(x: Array, y: Array) -> Iterator[tuple[Array, Array]]:
    """Both in parts for which a core's cache has room: it takes half of the time."""
    x, y = x.reshape(-1), y.reshape(-1)
    for start in range(0, x.size, _AT_ONCE):
        yield x[start : start + _AT_ONCE], y[start : start + _AT_ONCE]
