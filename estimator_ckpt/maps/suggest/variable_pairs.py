"""From pairs of layers to pairs of variables."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping

from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps import builtin_maps
from estimator_ckpt.maps.suggest.model_layers.layers import Layer
from estimator_ckpt.maps.suggest.pairing.decisions import BESIDE, Decisions, Reason

#: The built-in map whose names are those of another optimizer's slots, and why.
CANNED = "canned_estimators"
_SLOTS = Reason(0.9, "a slot of TensorFlow 2's canned estimators")


@dataclasses.dataclass(frozen=True)
class Pair:
    """A variable and what it is called in the target.

    Attributes:
      source: its name.
      target: its name in the target.
      confidence: from 0 to 1.
      because: what decided, one phrase for people.
    """

    source: str
    target: str
    confidence: float
    because: str

    @classmethod
    def of(cls, variable: Variable, image: Variable, reason: Reason) -> Pair:
        return cls(variable.name, image.name, reason.confidence, reason.because)


def of_layers(made: Decisions) -> list[Pair]:
    """The variables of the layers that are decided, and biases that stand alone."""
    pairs = [
        Pair.of(variable, other, made.reasons[layer])
        for layer, image in made.images.items()
        for variable, other in _in_layer(layer, image)
    ]
    return pairs + _lone_biases(made, pairs)


def of_canned_slots(
    source: Mapping[str, Variable], target: Mapping[str, Variable]
) -> list[Pair]:
    """Slots of TF1's canned estimators under the names that TF2's give them.

    None if what the built-in map makes of a name is another variable there.
    """
    found: list[Pair] = []
    for rule in builtin_maps.BUILTIN_MAPS[CANNED].rules(CANNED):
        for name, variable in source.items():
            new = None if name in target else rule.rename(name)
            if new is None or new not in target:
                continue
            if not _fits(variable, target[new]):
                return []
            found.append(Pair.of(variable, target[new], _SLOTS))
    return found if len({pair.target for pair in found}) == len(found) else []


def _in_layer(layer: Layer, image: Layer) -> list[tuple[Variable, Variable]]:
    """The variables of a layer, each with the one of its image that it fits."""
    mine, theirs = dict(layer.leaves), dict(image.leaves)
    found = []
    for leaf in [leaf for leaf in mine if leaf in theirs]:
        if _fits(mine[leaf], theirs[leaf]):
            found.append((mine.pop(leaf), theirs.pop(leaf)))
    for leaf, variable in list(mine.items()):
        fitting = [key for key, other in theirs.items() if _fits(variable, other)]
        if len(fitting) == 1 and _num_fitting(mine.values(), theirs[fitting[0]]) == 1:
            found.append((mine.pop(leaf), theirs.pop(fitting[0])))
    return found


def _num_fitting(variables: Iterable[Variable], other: Variable) -> int:
    return sum(_fits(variable, other) for variable in variables)


def _lone_biases(made: Decisions, pairs: Iterable[Pair]) -> list[Pair]:
    """Biases that stand alone on one side, and in a decided layer on the other.

    `W` and `output/b` where the other model has `output/kernel` and `output/bias`: of
    that size there is one on each side.
    """
    taken = names_in(pairs)
    mine = _open_biases(made.source, taken[0], made.images)
    theirs = _open_biases(made.target, taken[1], made.origins)
    found = []
    for variable, is_in_layer in mine.items():
        fitting = [other for other in theirs if _fits(variable, other)]
        if len(fitting) != 1 or _num_fitting(mine, variable) != 1:
            continue
        if is_in_layer != theirs[fitting[0]]:
            found.append(Pair.of(variable, fitting[0], BESIDE))
    return found


def _open_biases(
    side: Iterable[Layer], taken: Collection[str], decided: Collection[Layer]
) -> dict[Variable, bool]:
    """The biases of a side that no pair has, and whether their layers are decided."""
    return {
        variable: layer in decided
        for layer in side
        for leaf, variable in layer.leaves.items()
        if variable.name not in taken
        if leaf == "bias" or (len(layer.leaves) == 1 and _is_vector(variable))
    }


def names_in(pairs: Iterable[Pair]) -> tuple[set[str], set[str]]:
    """The names that pairs have in the source, and in the target."""
    both = [(pair.source, pair.target) for pair in pairs]
    return {source for source, _ in both}, {target for _, target in both}


def _is_vector(variable: Variable) -> bool:
    return len(variable.shape or ()) == 1


def _fits(a: Variable, b: Variable) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype
