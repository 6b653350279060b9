"""Pairs runs of numbered layers: a sequence of shapes that fits in one place only.

The 52 layers of a backbone that one model numbers from 0 and the other counts on
through the whole network have the same shapes one after the other; where these stand
but once, order decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from estimator_ckpt.maps.suggest.model_layers.layers import Layer, Signature
from estimator_ckpt.maps.suggest.model_layers.words import Word
from estimator_ckpt.maps.suggest.pairing.decisions import ORDER, Decisions

#: How many layers a run has at least, and how many sorts of them.
_FEWEST, _FEWEST_SORTS = 4, 3
#: The most places that are tried for all the runs of two models.
_MOST_TRIED = 200_000


class _Place(NamedTuple):
    """Where in a chain a run fits."""

    chain: tuple[Layer, ...]
    start: int

    def pairs(self, run: Sequence[Layer]) -> list[tuple[Layer, Layer]]:
        return list(zip(run, self.chain[self.start :]))


def pair(made: Decisions) -> bool:
    """Pairs the first run that fits in one place only; returns whether one did."""
    mine, theirs = _chains(made.source), _chains(made.target)
    for chains, others, is_back in ((mine, theirs, False), (theirs, mine, True)):
        if sum(map(len, chains)) * sum(map(len, others)) > _MOST_TRIED:
            continue
        for run in _telling(chains):
            if not made.left_of(run):
                continue
            places = _places(made, run, others, is_back)
            if len(places) == 1 and _accept(made, places[0].pairs(run), is_back):
                return True
    return False


def _accept(
    made: Decisions, pairs: Iterable[tuple[Layer, Layer]], is_back: bool
) -> bool:
    """Accepts a run's open pairs, if there are any and all may be; whether it did."""
    if is_back:
        pairs = [(image, layer) for layer, image in pairs]
    still_open = [pair for pair in pairs if made.are_open(*pair)]
    if not still_open or not all(made.numbers.allow(*pair) for pair in still_open):
        return False
    for layer, image in still_open:
        made.accept(layer, image, ORDER)
    return True


def _chains(side: Iterable[Layer]) -> list[tuple[Layer, ...]]:
    """Layers whose names differ in one number, the last one, in its order."""
    found: dict[tuple[Word, ...], list[tuple[int, Layer]]] = {}
    for layer in side:
        if layer.numbers:
            last = max(i for i, w in enumerate(layer.words) if isinstance(w, int))
            around = (*layer.words[:last], "#", *layer.words[last + 1 :])
            found.setdefault(around, []).append((layer.numbers[-1], layer))
    return [
        tuple(layer for _, layer in sorted(some, key=lambda numbered: numbered[0]))
        for some in found.values()
        if len(some) >= _FEWEST
    ]


def _telling(chains: Iterable[tuple[Layer, ...]]) -> list[tuple[Layer, ...]]:
    """The chains of several sorts of layers, without twins."""
    alike: dict[tuple[Signature, ...], list[tuple[Layer, ...]]] = {}
    for chain in chains:
        alike.setdefault(tuple(layer.signature for layer in chain), []).append(chain)
    return [
        some[0]
        for shapes, some in alike.items()
        if len(some) == 1 and len(set(shapes)) >= _FEWEST_SORTS
    ]


def _places(
    made: Decisions,
    run: Sequence[Layer],
    chains: Iterable[tuple[Layer, ...]],
    is_back: bool,
) -> list[_Place]:
    """Where a run fits by its shapes, and goes with what is decided."""
    wanted = [layer.signature for layer in run]
    found = []
    for chain in chains:
        shapes = [layer.signature for layer in chain]
        for start in range(len(chain) - len(run) + 1):
            if shapes[start : start + len(run)] != wanted:
                continue
            place = _Place(chain, start)
            known = made.origins if is_back else made.images
            other = made.images if is_back else made.origins
            if all(
                known.get(a, b) is b and other.get(b, a) is a
                for a, b in place.pairs(run)
            ):
                found.append(place)
    return found
