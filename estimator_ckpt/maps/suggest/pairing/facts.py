"""What decided pairs of layers say about others: which numbers became which.

If `conv_1` became `layer_0` and `conv_2` `layer_1`, `conv_3` is not `layer_0`. A count
is a place in the names of a side where layers differ by number; numbers that are the
same wherever they stand (the 53 of `darknet53`) are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.maps.suggest.model_layers.layers import (
    Family,
    Layer,
    Numbers,
    Pattern,
)
from estimator_ckpt.maps.suggest.model_layers.words import Word
from estimator_ckpt.maps.suggest.pairing import numbering
from estimator_ckpt.maps.suggest.pairing.numbering import Pairs

#: How many pairs show at least whether numbers go up or down.
_FEW = 2


class Count(NamedTuple):
    """The numbers of a layer up to one place where layers of its side are counted.

    Attributes:
      place: what stands before it in names, and `#`.
      numbers: the counted numbers so far, the outer ones first.
    """

    place: Pattern
    numbers: Numbers


class Counts:
    """The places where layers of one side are counted.

    Args:
      side: all layers of it.
    """

    def __init__(self, side: Iterable[Layer]) -> None:
        self._seen: dict[Pattern, set[int]] = {}
        self._siblings: dict[tuple[Word, ...], set[int]] = {}
        for layer in side:
            for end, word in enumerate(layer.words):
                if isinstance(word, int):
                    self._seen.setdefault(layer.pattern[:end], set()).add(word)
                    self._siblings.setdefault(layer.words[:end], set()).add(word)
        self._ranks: dict[tuple[Word, ...], dict[int, int]] = {}
        self._known: dict[Layer, tuple[Count, ...]] = {}

    def of(self, layer: Layer) -> tuple[Count, ...]:
        """The counts of a layer, the outermost first."""
        if layer not in self._known:
            self._known[layer] = self._read(layer)
        return self._known[layer]

    def _read(self, layer: Layer) -> tuple[Count, ...]:
        found: list[Count] = []
        numbers: Numbers = ()
        for end, word in enumerate(layer.words):
            place = layer.pattern[:end]
            if isinstance(word, int) and len(self._seen.get(place, ())) > 1:
                numbers = (*numbers, word)
                found.append(Count((*place, "#"), numbers))
        return tuple(found)

    def rank(self, layer: Layer) -> int:
        """The place of a layer's last number among those beside it."""
        last = max(i for i, word in enumerate(layer.words) if isinstance(word, int))
        before = layer.words[:last]
        if before not in self._ranks:
            ordered = sorted(self._siblings[before])
            self._ranks[before] = {number: i for i, number in enumerate(ordered)}
        word = layer.words[last]
        assert isinstance(word, int)
        return self._ranks[before][word]


class NumberFacts:
    """Which numbers became which, by the places where they are counted.

    A place where one number became two, or two one, says nothing.
    """

    def __init__(self, source: Iterable[Layer], target: Iterable[Layer]) -> None:
        self._source, self._target = Counts(source), Counts(target)
        self._forward: dict[tuple[Pattern, Pattern], dict[Numbers, Numbers]] = {}
        self._backward: dict[tuple[Pattern, Pattern], dict[Numbers, Numbers]] = {}
        self._void: set[tuple[Pattern, Pattern]] = set()

    def add(self, layer: Layer, image: Layer) -> None:
        """Takes note of a pair."""
        for mine, theirs in self._counts(layer, image):
            place = mine.place, theirs.place
            forward = self._forward.setdefault(place, {})
            backward = self._backward.setdefault(place, {})
            image_of = forward.setdefault(mine.numbers, theirs.numbers)
            source_of = backward.setdefault(theirs.numbers, mine.numbers)
            if image_of != theirs.numbers or source_of != mine.numbers:
                self._void.add(place)

    def allow(self, layer: Layer, image: Layer) -> bool:
        """Whether a pair goes with those before it."""
        counts = self._counts(layer, image)
        if any((mine.place, theirs.place) in self._void for mine, theirs in counts):
            return True  # other things are counted on one side than on the other
        return not any(
            self._forward[place].get(mine.numbers, theirs.numbers) != theirs.numbers
            or self._backward[place].get(theirs.numbers, mine.numbers) != mine.numbers
            for mine, theirs in counts
            for place in [(mine.place, theirs.place)]
            if place in self._forward
        )

    def arranged(self, family: Family, image: Family) -> tuple[Pairs, bool]:
        """Pairs the members of two families by their numbers.

        Downwards where those known count down on one side as up on the other.

        Returns:
          The pairs, none where no order goes with what is known; and whether they say
          which numbers became which.
        """
        pairs, is_permuted = numbering.pairs_of(family, image)
        if is_permuted:
            return pairs, False
        for images in (image.members, image.members[::-1]):
            ordered = list(zip(family.members, images)) if pairs else []
            if self._fit(ordered, is_reversed=images is not image.members):
                return ordered, True
        return (pairs, False) if numbering.are_aligned(pairs) else ([], False)

    def _fit(self, pairs: Sequence[tuple[Layer, Layer]], *, is_reversed: bool) -> bool:
        """Whether pairs go with what is known, and among each other."""
        if not all(self.allow(*pair) for pair in pairs) or not self._are_regular(pairs):
            return False
        new: dict[tuple[Pattern, Pattern], dict[Numbers, Numbers]] = {}
        for mine, theirs in (count for pair in pairs for count in self._counts(*pair)):
            place = mine.place, theirs.place
            new.setdefault(place, {})[mine.numbers] = theirs.numbers
        directions = set()
        for place, numbers in new.items():
            known = self._forward.get(place, {})
            if place in self._void or len(known) < _FEW:
                continue
            direction = _direction(known)
            if direction and _direction({**known, **numbers}) != direction:
                return False
            directions.add(direction)
        return (-1 in directions) == is_reversed

    def _are_regular(self, pairs: Sequence[tuple[Layer, Layer]]) -> bool:
        """Whether the last number, or its rank, becomes the same one throughout.

        So that of `conv_3` in each of ten blocks not nine are `conv_2` and one is
        `conv_0`. Layers with one count are regular in any case.
        """
        counted = [self._counts(*pair) for pair in pairs]
        if not all(len(counts) > 1 for counts in counted):
            return True
        last = [counts[-1] for counts in counted]
        numbers = [(mine.numbers[-1], theirs.numbers[-1]) for mine, theirs in last]
        ranks = [(self._source.rank(a), self._target.rank(b)) for a, b in pairs]
        return numbering.is_one_to_one(numbers) or numbering.is_one_to_one(ranks)

    def image_numbers(self, layer: Layer, like: Layer) -> Optional[Numbers]:
        """The counted numbers of what a layer is, if it is one such as `like`."""
        counts = self._counts(layer, like)
        if not counts:
            return None
        mine, theirs = counts[-1]
        place = mine.place, theirs.place
        if place in self._void:
            return None
        return self._forward.get(place, {}).get(mine.numbers)

    def target_numbers(self, image: Layer) -> Numbers:
        """The counted numbers of a layer of the target."""
        counts = self._target.of(image)
        return counts[-1].numbers if counts else ()

    def _counts(self, layer: Layer, image: Layer) -> list[tuple[Count, Count]]:
        """The counts of a pair side by side; none if there are not as many."""
        mine, theirs = self._source.of(layer), self._target.of(image)
        return list(zip(mine, theirs)) if len(mine) == len(theirs) else []


def _direction(numbers: Mapping[Numbers, Numbers]) -> int:
    """1 if numbers go up as those that they became, -1 if down, 0 if neither."""
    became = [numbers[number] for number in sorted(numbers)]
    if became == sorted(became):
        return 1
    return -1 if became == sorted(became, reverse=True) else 0
