"""Which of a model's modules come before and after others."""

from __future__ import annotations

import bisect
import functools
import itertools
import operator
from collections.abc import Iterable, Sequence

from estimator_ckpt.maps.suggest import words
from estimator_ckpt.maps.suggest.layer_names import Module
from estimator_ckpt.maps.suggest.words import Word


class Order:
    """Which of some modules come before and after another, as bits.

    As `Module.is_before`, for all of them at once: their words are a tree.
    """

    def __init__(self, members: Sequence[Module]) -> None:
        self._root = _Node()
        placed = []
        for bit, member in enumerate(members):
            if member.position is not None:
                placed.append((member.position, 1 << bit))
            node = self._root
            for word in member.words:
                node = node.children.setdefault(word, _Node())
                node.bits |= 1 << bit
        self._by_position = _Bits(placed)

    def around(self, module: Module) -> tuple[int, int]:
        """Those before a module, and those after it."""
        if module.position is not None and self._by_position:
            return self._by_position.around(module.position)
        return self.around_by_name(module)

    def around_by_name(self, module: Module) -> tuple[int, int]:
        """The same, by names alone."""
        before = after = 0
        node = self._root
        for word in module.words:
            found = node.around(word)
            before, after = before | found[0], after | found[1]
            if word not in node.children:
                break
            node = node.children[word]
        return before, after


def are_in_order(side: Sequence[Module]) -> bool:
    """Whether no module comes, by its position, after one that names have after it."""
    ordered = sorted(side, key=lambda module: module.position or 0)
    order = Order(ordered)
    return not any(
        order.around_by_name(module)[1] & ((1 << place) - 1)
        for place, module in enumerate(ordered)
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
      bits: the modules whose names begin so.
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
        """The modules whose next word is before a word, and after it."""
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
