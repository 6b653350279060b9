"""Pairs whole families of layers: by their names, their shapes, and their scopes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional, TypeVar

from estimator_ckpt.maps.suggest.model_layers import layers, ordering
from estimator_ckpt.maps.suggest.model_layers.layers import Family, Layer, Signature
from estimator_ckpt.maps.suggest.pairing.decisions import (
    NAMES,
    SCOPE,
    SHAPE,
    Decisions,
    Reason,
)
from estimator_ckpt.maps.suggest.pairing.likeness import Likeness
from estimator_ckpt.maps.suggest.pairing.scopes import (
    ANYWHERE,
    IN_SCOPE,
    Candidates,
    Scopes,
)

_T = TypeVar("_T", Family, Layer)

#: How alike names must be at least, of layers in scopes of which nothing is known.
_LEAST = 0.4


def pair(made: Decisions) -> bool:
    """Pairs families of one signature; returns whether any was."""
    before = len(made.images)
    left = made.left
    sources = by_signature(layers.families(left[0]))
    targets = by_signature(layers.families(left[1]))
    back = {target: source for source, target in made.regions.items()}
    scopes = Scopes(made.images, made.regions), Scopes(made.origins, back)
    both = [signature for signature in sources if signature in targets]
    # Those with the fewest layers first: what they say helps with the others.
    for signature in sorted(
        both, key=lambda s: _count(sources[s]) + _count(targets[s])
    ):
        mine, theirs = sources[signature], targets[signature]
        there, here = scopes[0].narrow(mine, theirs), scopes[1].narrow(theirs, mine)
        likeness = Likeness(mine, theirs)
        for family in mine:
            best, alike, only = likeness.best(family, there, here)
            if best is None:
                continue
            rival, _, only_rival = likeness.best(best, here, there)
            if rival is not family:
                continue
            reason = _reason(
                made,
                family,
                alike,
                only and only_rival,
                (there[family], here[best]),
            )
            _accept(made, family, best, reason)
    return len(made.images) > before


def _reason(
    made: Decisions,
    family: Family,
    alike: float,
    is_only: bool,
    candidates: tuple[Candidates, Candidates],
) -> Optional[Reason]:
    """Why two families are the same; None if that is not sure.

    Args:
      made: what is decided.
      family: one of them.
      alike: how alike their names are.
      is_only: whether each is the only one that the other can be.
      candidates: what each of them can be.
    """
    if family.signature in made.unique and (
        family.signature[0] != "vectors" or alike > 0
    ):
        return SHAPE
    if alike > 0 and (candidates[0].is_known or alike >= _LEAST):
        return NAMES
    where = {some.where for some in candidates}
    if is_only and IN_SCOPE in where and where <= {IN_SCOPE, ANYWHERE}:
        return SCOPE
    return None


def _accept(
    made: Decisions, family: Family, image: Family, reason: Optional[Reason]
) -> None:
    """Decides that two families are the same, if their numbers allow it."""
    if reason is None:
        return
    if reason is SHAPE and len(family.members) == 1:
        pairs, is_telling = [(family.members[0], image.members[0])], True
    else:
        pairs, is_telling = made.numbers.arranged(family, image)
    if reason is not SHAPE and made.strays(family, image):
        return
    if reason is SCOPE and not _goes_with_order(made, pairs):
        return
    for layer, other in pairs:
        made.accept(layer, other, reason, is_telling=is_telling)


def _goes_with_order(made: Decisions, pairs: Sequence[tuple[Layer, Layer]]) -> bool:
    """Whether each of a pair comes after what the other comes after."""
    around = (
        ordering.Order(list(made.images), made.places),
        ordering.Order(list(made.images.values()), made.places),
    )
    return all(
        not ordering.contradict(around[0].around(layer), around[1].around(image))
        for layer, image in pairs
    )


def _count(some: Iterable[Family]) -> int:
    return sum(len(family.members) for family in some)


def by_signature(given: Iterable[_T]) -> dict[Signature, list[_T]]:
    """Layers, or families, by their signatures."""
    found: dict[Signature, list[_T]] = {}
    for item in given:
        found.setdefault(item.signature, []).append(item)
    return found
