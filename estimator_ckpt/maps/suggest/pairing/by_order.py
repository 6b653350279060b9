"""Pairs layers by the order in which they stand: by numbers and places."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import starmap
from typing import Optional

from estimator_ckpt.maps.suggest.model_layers import layers, ordering, words
from estimator_ckpt.maps.suggest.model_layers.layers import Layer
from estimator_ckpt.maps.suggest.model_layers.ordering import Order, Places
from estimator_ckpt.maps.suggest.pairing.by_family import by_signature
from estimator_ckpt.maps.suggest.pairing.decisions import ORDER, Decisions

#: The most layers of one shape whose order is searched when it is only partly known.
_MOST_SEARCHED = 300
#: Which of the decided pairs come before and after each layer, as bits.
_Around = Mapping[Layer, tuple[int, int]]


def pair(made: Decisions) -> bool:
    """Pairs layers whose place in the order leaves one possibility."""
    before = len(made.images)
    left = made.left
    targets = by_signature(left[1])
    for signature, mine in by_signature(left[0]).items():
        theirs = targets.get(signature, [])
        if len(mine) == len(theirs) > 1:
            for layer, image in _in_order(made, mine, theirs):
                made.accept(layer, image, ORDER)
    return len(made.images) > before


def _in_order(
    made: Decisions, mine: list[Layer], theirs: list[Layer]
) -> list[tuple[Layer, Layer]]:
    """The pairs of layers of one signature that their order decides."""
    around = _around(made, mine, theirs)
    can_be = functools.partial(_can_be, made, around)
    ours, others = _chain(mine, made.places), _chain(theirs, made.places)
    if ours and others:
        pairs = list(zip(ours, others))
        is_sure = made.places.keys() >= {*mine, *theirs} or _nest_alike(mine, theirs)
        return pairs if is_sure and all(starmap(can_be, pairs)) else []
    if len(mine) > _MOST_SEARCHED:
        return []
    return _searched(mine, theirs, made.places, around, can_be)


def _searched(
    mine: list[Layer],
    theirs: list[Layer],
    places: Places,
    around: _Around,
    can_be: Callable[[Layer, Layer], bool],
) -> list[tuple[Layer, Layer]]:
    """Those of which every order that goes with what is known leaves one pair."""
    ranks = {**_ranks(mine, places), **_ranks(theirs, places)}
    last = len(mine) - 1
    # What is left when the others are decided has a place in no order.
    placed = {m for m in ranks if any(around[m]) or ranks[m] != (0, last)}
    if placed.isdisjoint(mine) or placed.isdisjoint(theirs):
        return []
    possible = {
        m: {t for t in theirs if _overlap(ranks[m], ranks[t]) and can_be(m, t)}
        for m in mine
    }
    return [p for p in _search(possible, places) if placed.issuperset(p)]


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return max(a[0], b[0]) <= min(a[1], b[1])


def _nest_alike(mine: Sequence[Layer], theirs: Sequence[Layer]) -> bool:
    """Whether numbers can be in the same order: two patterns whose numbers nest alike.

    Of several patterns on one side nothing is known.
    """
    if len({layer.pattern for layer in (*mine, *theirs)}) > 2:
        return True
    a, b = layers.families(mine)[0], layers.families(theirs)[0]
    return a.structure == b.structure or a.is_flat or b.is_flat


def _around(made: Decisions, mine: list[Layer], theirs: list[Layer]) -> _Around:
    sides = (mine, list(made.images)), (theirs, list(made.images.values()))
    return {
        layer: order.around(layer)
        for side, decided in sides
        for order in (Order(decided, made.places),)
        for layer in side
    }


def _chain(side: list[Layer], places: Places) -> Optional[list[Layer]]:
    """The layers in their order, if that is known of any two."""
    if all(layer in places for layer in side):
        return sorted(side, key=lambda layer: places[layer])
    if len({layer.pattern for layer in side}) > 1:
        return None
    return sorted(side, key=lambda layer: layer.numbers)


def _ranks(side: Sequence[Layer], places: Places) -> dict[Layer, tuple[int, int]]:
    """The first and the last place that each layer can have among the others."""
    order = Order(side, places)
    around = {layer: order.around(layer) for layer in side}
    return {
        layer: (bin(before).count("1"), len(side) - 1 - bin(after).count("1"))
        for layer, (before, after) in around.items()
    }


def _can_be(made: Decisions, around: _Around, layer: Layer, image: Layer) -> bool:
    """Whether a pair goes with what is decided, and with its words."""
    return not (
        ordering.contradict(around[layer], around[image])
        or words.contradict(set(layer.words), set(image.words))
        or not made.numbers.allow(layer, image)
    )


def _search(
    domains: dict[Layer, set[Layer]], places: Places
) -> list[tuple[Layer, Layer]]:
    """The pairs that a common order of both sides leaves no choice about.

    None at all if there is no common order.
    """
    decided: list[tuple[Layer, Layer]] = []
    while domains:
        images: set[Layer] = set().union(*domains.values())
        if len(images) < len(domains) or not all(domains.values()):
            return []
        found = _single(domains)
        if found is None:
            break
        decided.append(found)
        layer, image = found
        del domains[layer]
        for other, domain in domains.items():
            domain.discard(image)
            domain -= {t for t in domain if _reverses(layer, image, other, t, places)}
    return decided


def _single(domains: Mapping[Layer, set[Layer]]) -> Optional[tuple[Layer, Layer]]:
    """A layer with one possibility, or the one layer that has a possibility."""
    holders: dict[Layer, list[Layer]] = {}
    for layer, domain in domains.items():
        if len(domain) == 1:
            return layer, next(iter(domain))
        for image in domain:
            holders.setdefault(image, []).append(layer)
    for image, found in holders.items():
        if len(found) == 1:
            return found[0], image
    return None


def _reverses(
    a: Layer, its_image: Layer, b: Layer, image: Layer, places: Places
) -> bool:
    """Whether one side has a before b and the other b before a."""
    if ordering.is_before(a, b, places):
        return ordering.is_before(image, its_image, places)
    return ordering.is_before(b, a, places) and ordering.is_before(
        its_image, image, places
    )
