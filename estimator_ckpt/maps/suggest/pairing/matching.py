"""Decides which layer of one model is which of another.

What decides is what a careful person would go by: names that share words, a shape that
only one layer has, the order of numbered layers, and what is left over in a scope whose
other layers are decided. The alphabet decides nothing, and two towers of equal shapes
whose names have nothing in common stay undecided: a wrong proposal costs more than
none.
"""

from __future__ import annotations

from collections.abc import Sequence

from estimator_ckpt.maps.suggest.model_layers import ordering
from estimator_ckpt.maps.suggest.model_layers.layers import Layer
from estimator_ckpt.maps.suggest.model_layers.ordering import Places
from estimator_ckpt.maps.suggest.pairing import (
    by_analogy,
    by_family,
    by_order,
    by_runs,
    by_tower,
    same_names,
)
from estimator_ckpt.maps.suggest.pairing.decisions import Decisions


def match(
    source: Sequence[Layer], target: Sequence[Layer], places: Places
) -> Decisions:
    """Pairs the layers of two models, as far as something decides.

    Args:
      source: the layers of one.
      target: those of the other.
      places: where layers stand in the order in which their model made them, of the
        models of which that is known.
    """
    made = _by_names(source, target, places)
    if not _is_in_order(made):
        made = _by_names(source, target, {})
    companions = by_analogy.Companions(made)
    while (
        by_analogy.pair_numbered(made)
        or by_family.pair(made)
        or by_analogy.pair_alike(made)
        or by_tower.pair(made)
        or by_order.pair(made)
        or by_runs.pair(made)
        or companions.pair(made)
    ):
        pass
    return made


def _by_names(
    source: Sequence[Layer], target: Sequence[Layer], places: Places
) -> Decisions:
    """What names, shapes and scopes decide; whether places are right is open still."""
    made = Decisions(source, target, places)
    same_names.pair(made)
    while by_family.pair(made):
        pass
    return made


def _is_in_order(made: Decisions) -> bool:
    """Whether places go with what is decided, or with the numbers in names."""
    known = [
        side
        for side in (made.source, made.target)
        if all(layer in made.places for layer in side)
    ]
    if not known:
        return True
    if len(known) == 1:
        return ordering.are_in_order(known[0], made.places)
    positions = sorted(
        (made.places[layer], made.places[image]) for layer, image in made.images.items()
    )
    theirs = [image for _, image in positions]
    return theirs == sorted(theirs)
