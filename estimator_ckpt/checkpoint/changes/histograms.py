"""How the values of a tensor are distributed, on both sides, and their differences.

They are read twice, piece by piece: for their range, and to count them.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Optional

from estimator_ckpt.checkpoint.changes import value_changes
from estimator_ckpt.checkpoint.changes.value_changes import Change

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

#: How many bins there are.
BINS = 32


@dataclasses.dataclass(frozen=True)
class Histogram:
    """How the values of one tensor are distributed, before and after.

    All bins are of one width, from `low` to `high` and `change_low` to `change_high`.
    What is not finite is in none of them. Complex numbers, and their differences, are
    counted by their magnitudes.

    Attributes:
      name: the variable.
      mean_abs: the mean absolute difference.
      max_abs: the largest absolute difference.
      low: the least value on either side.
      high: the greatest.
      before: how many values of the first checkpoint are in each bin.
      after: the same of the second.
      change_low: the least difference, second less first.
      change_high: the greatest.
      change: how many differences are in each bin.
      num_not_finite: elements that are not finite on either side, or differ by more
        than a float64 holds.
      of_magnitudes: whether the numbers are complex.
    """

    name: str
    mean_abs: float
    max_abs: float
    low: float
    high: float
    before: tuple[int, ...]
    after: tuple[int, ...]
    change_low: float
    change_high: float
    change: tuple[int, ...]
    num_not_finite: int
    of_magnitudes: bool = False

    def remarks(self) -> list[str]:
        """What must be known to read it, a phrase each."""
        found = []
        if self.of_magnitudes:
            found.append("complex: magnitudes of values and differences")
        if self.num_not_finite:
            found.append(f"{self.num_not_finite:,} not finite")
        return found


def histogram(
    change: Change,
    pieces: Callable[[], Iterator[tuple[Array, Array]]],
    of_magnitudes: bool = False,
) -> Histogram:
    """Counts values and differences in bins.

    Args:
      change: of the variable.
      pieces: gives its values on both sides, piece by piece, each time it is called:
        once for their range, once to count them.
      of_magnitudes: whether the values are complex numbers.
    """
    import numpy as np

    values, apart = _Range(), _Range()
    for before, after, difference in _finite(pieces()):
        values.take(before)
        values.take(after)
        apart.take(difference)
    bins, gaps = _Bins.over(values), _Bins.over(apart)
    counts = np.zeros((3, BINS), np.int64)
    total = 0
    for before, after, difference in _finite(pieces()):
        total += before.size
        counts[0] += bins.counts(before)
        counts[1] += bins.counts(after)
        counts[2] += gaps.counts(difference)
    old, new, moved = (tuple(row.tolist()) for row in counts)
    return Histogram(
        change.name,
        change.mean_abs,
        change.max_abs,
        *(values.least, values.greatest, old, new),
        *(apart.least, apart.greatest, moved),
        num_not_finite=change.num_elements - total,
        of_magnitudes=of_magnitudes,
    )


def _finite(
    pieces: Iterator[tuple[Array, Array]],
) -> Iterator[tuple[Array, Array, Array]]:
    """Both sides and the second less the first, in float64, where all are finite.

    Of complex numbers the magnitudes of all three.
    """
    import numpy as np

    for x, y in itertools.chain.from_iterable(
        itertools.starmap(value_changes.blocks, pieces)
    ):
        if x.dtype.kind == "c":
            with np.errstate(all="ignore"):
                x, y = x.astype(np.complex128), y.astype(np.complex128)
                before, after, difference = np.abs(x), np.abs(y), np.abs(y - x)
        else:
            before, after = x.astype(np.float64), y.astype(np.float64)
            with np.errstate(all="ignore"):
                difference = after - before
        fine = np.isfinite(difference)  # as what it is made of is then
        if not fine.all():
            before, after, difference = before[fine], after[fine], difference[fine]
        yield before, after, difference


class _Range:
    """The least and the greatest of many numbers; 0 and 0 if there were none."""

    def __init__(self) -> None:
        self._found: Optional[tuple[float, float]] = None

    def take(self, numbers: Array) -> None:
        if not numbers.size:
            return
        least, greatest = float(numbers.min()), float(numbers.max())
        if self._found is not None:
            least = min(least, self._found[0])
            greatest = max(greatest, self._found[1])
        self._found = least, greatest

    @property
    def least(self) -> float:
        return self._found[0] if self._found else 0.0

    @property
    def greatest(self) -> float:
        return self._found[1] if self._found else 0.0


class _Bins(NamedTuple):
    """Bins of one width.

    Attributes:
      low: where the first begins.
      width: of each.
    """

    low: float
    width: float

    @classmethod
    def over(cls, numbers: _Range) -> _Bins:
        low, high = numbers.least, numbers.greatest
        width = high / BINS - low / BINS  # not (high - low), which may be infinite
        if not width > 0:  # one value, or next to one: all are in the middle
            return cls(low - BINS / 2, 1.0)
        return cls(low, width)

    def counts(self, numbers: Array) -> Array:
        """How many numbers are in each bin; what is on an edge beside is clipped."""
        import numpy as np

        # By halves: the distance of two float64 may be more than one holds.
        place = numbers * 0.5
        place -= self.low * 0.5
        place /= self.width * 0.5
        np.clip(place, 0, BINS - 1, out=place)
        return np.bincount(place.astype(np.uint8), minlength=BINS)
