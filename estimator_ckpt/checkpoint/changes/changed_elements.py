"""What differs in tensors of which no histogram says anything: numbers alone, strings.

A histogram needs several numbers. Of a single one both values say all; of strings the
first that differ say most.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

#: The most tensors of each sort, and the most elements of each.
MOST, _FIRST = 12, 3
#: The most characters of an element, and of those before the first that differs.
_LONGEST, _BEFORE = 60, 12
_MORE = "\u2026"


class Element(NamedTuple):
    """An element that differs.

    Attributes:
      place: where it is: `[3, 0]`; of a single element `[]`.
      before: its value in the first checkpoint, as text.
      after: the same in the second.
    """

    place: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True)
class Example:
    """A tensor that differs and has no histogram, with the first of what differs.

    Attributes:
      name: the variable.
      dtype: its dtype.
      num_elements: how many elements it has.
      num_changed: how many of them differ.
      elements: the first of these.
    """

    name: str
    dtype: str
    num_elements: int
    num_changed: int
    elements: tuple[Element, ...]

    @property
    def counted(self) -> str:
        """How many differ, for people."""
        if self.num_elements == 1:
            return "one element"
        return f"{self.num_changed:,} of {self.num_elements:,} differ"

    def to_json(self) -> dict[str, Any]:
        """As what `json.dumps` takes."""
        return {
            **vars(self),
            "elements": [element._asdict() for element in self.elements],
        }


def of(
    name: str,
    dtype: str,
    shape: Sequence[int],
    pieces: Iterable[tuple[Array, Array]],
) -> Example:
    """Counts the elements that differ, and keeps the first.

    Args:
      name: the variable.
      dtype: what its dtype is called.
      shape: its shape on both sides.
      pieces: its values on both sides, flat, piece by piece.
    """
    import numpy as np

    found: list[Element] = []
    start, changed = 0, 0
    for before, after in pieces:
        places = np.flatnonzero(
            (before != after) & ((before == before) | (after == after))
        )
        changed += len(places)
        for place in places[: _FIRST - len(found)]:
            where = np.unravel_index(start + int(place), shape) if shape else ()
            both = _both(before[place], after[place])
            found.append(Element(str([int(i) for i in where]), *both))
        start += before.size
    return Example(name, dtype, start, changed, tuple(found))


def pair(before: Array, after: Array) -> str:
    """Both values of a tensor of one element: `100 -> 300`."""
    return " -> ".join(_both(before.reshape(-1)[0], after.reshape(-1)[0]))


def most_of_each(
    numbers: Iterable[tuple[str, float]], strings: Iterable[str]
) -> list[str]:
    """The names of those that are shown: the numbers that differ most, then strings.

    Args:
      numbers: the names of tensors of one number, each with its difference.
      strings: the names of tensors of strings.
    """
    most = heapq.nsmallest(MOST, numbers, key=lambda found: (-found[1], found[0]))
    return [name for name, _ in most] + heapq.nsmallest(MOST, strings)


def _both(before: Any, after: Any) -> tuple[str, str]:
    """Two values that differ as two texts that do."""
    if isinstance(before, bytes):
        return _around_the_change(repr(before), repr(after))
    if before.dtype.kind == "c":  # both parts take as much room as two numbers
        short = f"{before:.6g}", f"{after:.6g}"
        if short[0] != short[1]:
            return short
    return str(before), str(after)


def _around_the_change(before: str, after: str) -> tuple[str, str]:
    """Of long texts what is near the first character that differs."""
    pairs = enumerate(zip(before, after))
    same = next((i for i, (a, b) in pairs if a != b), min(len(before), len(after)))
    start = same - _BEFORE if max(len(before), len(after)) > _LONGEST else 0
    return _cut(before, max(start, 0)), _cut(after, max(start, 0))


def _cut(text: str, start: int) -> str:
    end = start + _LONGEST
    rest = text[start:end]
    return f"{_MORE if start else ''}{rest}{_MORE if end < len(text) else ''}"
