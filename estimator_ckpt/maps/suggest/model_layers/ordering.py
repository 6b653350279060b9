"""Which of a model's layers come before and after others."""

from __future__ import annotations

import bisect
import functools
import itertools
import operator
from collections.abc import Iterable, Mapping, Sequence

from estimator_ckpt.maps.suggest.model_layers import words
from estimator_ckpt.maps.suggest.model_layers.layers import Layer
from estimator_ckpt.maps.suggest.model_layers.words import Word

#: Where each layer stands in its model, of the models of which that is known.
Places = Mapping[Layer, int]


def is_before(layer: Layer, other: Layer, places: Places) -> bool:
    """Whether a layer is known to come first, by its place or its name.

    Numbers say so, and a few words; the alphabet does not: `item_tower` is not before
    `user_tower`.
    """
    if layer in places and other in places:
        return places[layer] < places[other]
    for mine, theirs in zip(layer.words, other.words):
        if mine != theirs:
            return words.is_before(mine, theirs)
    return False


class Order:
    """Which of some layers come before and after another, as bits.

    As `is_before`, for all of them at once: their words are a tree.
    """

    def __init__(self, members: Sequence[Layer], places: Places) -> None:
        self._root = _Node()
        self._places = places
        placed = []
        for bit, member in enumerate(members):
            if member in places:
                placed.append((places[member], 1 << bit))
            node = self._root
            for word in member.words:
                node = node.children.setdefault(word, _Node())
                node.bits |= 1 << bit
        self._by_place = _Bits(placed)

    def around(self, layer: Layer) -> tuple[int, int]:
        """Those before a layer, and those after it."""
        if layer in self._places and self._by_place:
            return self._by_place.around(self._places[layer])
        return self.around_by_name(layer)

    def around_by_name(self, layer: Layer) -> tuple[int, int]:
        """The same, by names alone."""
        before = after = 0
        node = self._root
        for word in layer.words:
            found = node.around(word)
            before, after = before | found[0], after | found[1]
            if word not in node.children:
                break
            node = node.children[word]
        return before, after


def contradict(around: tuple[int, int], others: tuple[int, int]) -> bool:
    """Whether one of two layers is before a pair that the other is after."""
    return bool(around[0] & others[1] or around[1] & others[0])


def are_in_order(side: Sequence[Layer], places: Places) -> bool:
    """Whether no layer comes, by its place, after one that names have after it."""
    ordered = sorted(side, key=lambda layer: places[layer])
    order = Order(ordered, places)
    return not any(
        order.around_by_name(layer)[1] & ((1 << place) - 1)
        for place, layer in enumerate(ordered)
    )


class _Bits:
    """Bits by numbers: which belong to lower ones, and which to higher ones."""

    def __init__(self, placed: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(placed)
        self._places = [place for place, _ in ordered]
        bits = [bit for _, bit in ordered]
        self._below = [0, *itertools.accumulate(bits, operator.or_)]

    def __bool__(self) -> bool:
        return bool(self._places)

    def around(self, place: int) -> tuple[int, int]:
        below = self._below[bisect.bisect_left(self._places, place)]
        upto = self._below[bisect.bisect_right(self._places, place)]
        return below, self._below[-1] & ~upto


class _Node:
    """A word in the tree of names.

    Attributes:
      children: the words that follow it.
      bits: the layers whose names begin so.
    """

    def __init__(self) -> None:
        self.children: dict[Word, _Node] = {}
        self.bits = 0

    @functools.cached_property
    def _numbers(self) -> _Bits:
        return _Bits(
            (word, node.bits)
            for word, node in self.children.items()
            if isinstance(word, int)
        )

    def around(self, word: Word) -> tuple[int, int]:
        """The layers whose next word is before a word, and after it."""
        if isinstance(word, int):
            return self._numbers.around(word)
        before = after = 0
        for flow in words.FLOWS:
            if word in flow:
                for other in set(flow) & set(self.children):
                    bits = self.children[other].bits
                    before |= bits if words.is_before(other, word) else 0
                    after |= bits if words.is_before(word, other) else 0
        return before, after
