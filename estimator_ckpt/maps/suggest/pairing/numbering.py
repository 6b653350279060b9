"""Pairs the members of two families by their numbers.

Most often the numbers nest the same way: block 2, layer 3. Sometimes they stand in
another order: `conv3_stage2` and `stage2/conv3`. Then the words before them say which
is which, or that there are four of one and sixteen of the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.maps.suggest.model_layers.layers import Family, Layer, Numbers

#: The most numbers in names of which other orders are tried.
_MOST = 4

Pairs = list[tuple[Layer, Layer]]


class _Column(NamedTuple):
    """One of the numbers in which the members of a family differ.

    Attributes:
      label: the word before it.
      ranks: that of each member's number among them all.
    """

    label: str
    ranks: tuple[int, ...]


def pairs_of(family: Family, image: Family) -> tuple[Pairs, bool]:
    """Each member with the other family's of its numbers, in the order of these.

    Returns:
      The pairs, none where nothing says which numbers are which; and whether the
      numbers stand in another order there.
    """
    is_nested_alike = family.structure == image.structure
    is_straight = is_nested_alike or family.is_flat or image.is_flat
    mine, theirs = _columns(family), _columns(image)
    orders = _orders(mine, theirs)
    straight = tuple(range(len(mine)))
    scores = {order: _score(mine, theirs, order) for order in orders}
    best = max(scores.values(), default=-1)
    found = [order for order in orders if scores[order] == best]
    if is_straight and (straight in found or best <= _score(mine, theirs, straight)):
        return list(zip(family.members, image.members)), False
    if len(found) != 1:
        return [], False
    places = dict(zip(_rows(theirs), image.members))
    return [
        (member, places[tuple(ranks[i] for i in found[0])])
        for ranks, member in zip(_rows(mine), family.members)
    ], True


def are_aligned(pairs: Sequence[tuple[Layer, Layer]]) -> bool:
    """Whether each number becomes one number throughout, in whatever order they are."""
    mine, theirs = (
        list(zip(*(layer.numbers for layer in side))) for side in zip(*pairs)
    )
    if len(mine) != len(theirs) or not 1 < len(mine) <= _MOST:
        return False
    return any(
        all(is_one_to_one(zip(mine[i], column)) for i, column in zip(order, theirs))
        for order in itertools.permutations(range(len(mine)))
    )


def is_one_to_one(pairs: Iterable[tuple[int, int]]) -> bool:
    """Whether each first item has one second item, and the other way round."""
    forward: dict[int, int] = {}
    backward: dict[int, int] = {}
    return all(
        forward.setdefault(a, b) == b and backward.setdefault(b, a) == a
        for a, b in pairs
    )


def _columns(family: Family) -> list[_Column]:
    """The numbers in which the members differ."""
    places = [i for i, word in enumerate(family.pattern) if word == "#"]
    found = []
    for place, column in zip(places, zip(*(m.numbers for m in family.members))):
        rank = {number: i for i, number in enumerate(sorted(set(column)))}
        if len(rank) > 1:
            label = family.pattern[place - 1] if place else ""
            found.append(_Column(label, tuple(rank[number] for number in column)))
    return found


def _rows(columns: Sequence[_Column]) -> list[Numbers]:
    """The ranks of each member."""
    return list(zip(*(column.ranks for column in columns)))


def _orders(
    mine: Sequence[_Column], theirs: Sequence[_Column]
) -> list[tuple[int, ...]]:
    """The orders of one family's numbers in which they are the other's."""
    if len(mine) != len(theirs) or not 1 < len(mine) <= _MOST:
        return []
    wanted, rows = set(_rows(theirs)), _rows(mine)
    if len(wanted) != len(rows):
        return []
    return [
        order
        for order in itertools.permutations(range(len(mine)))
        if {tuple(ranks[i] for i in order) for ranks in rows} == wanted
    ]


def _score(
    mine: Sequence[_Column], theirs: Sequence[_Column], order: Optional[Sequence[int]]
) -> int:
    """How many numbers have the same word before them on both sides."""
    return sum(
        mine[i].label == column.label != "#" for i, column in zip(order or (), theirs)
    )
