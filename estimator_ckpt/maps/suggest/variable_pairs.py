"""From pairs of layers to pairs of variables."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

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
    free = dict(image.leaves)
    found: dict[str, Variable] = {}
    for leaf, variable in layer.leaves.items():
        other = free.get(leaf)
        if other is not None and _fits(variable, other):
            found[leaf] = free.pop(leaf)
    for leaf, variable in layer.leaves.items():
        fitting = [key for key, other in free.items() if _fits(variable, other)]
        if leaf in found or len(fitting) != 1:
            continue
        waiting = (v for k, v in layer.leaves.items() if k not in found)
        if sum(_fits(rival, free[fitting[0]]) for rival in waiting) == 1:
            found[leaf] = free.pop(fitting[0])
    return [(layer.leaves[leaf], other) for leaf, other in found.items()]


def _lone_biases(made: Decisions, pairs: Iterable[Pair]) -> list[Pair]:
    """Biases that stand alone on one side, and in a decided layer on the other.

    `W` and `output/b` where the other model has `output/kernel` and `output/bias`: of
    that size there is one on each side.
    """
    taken = {pair.source for pair in pairs}, {pair.target for pair in pairs}
    decided = made.images, made.origins
    mine, theirs = (
        [
            (variable, layer in decided[i])
            for layer in side
            for leaf, variable in layer.leaves.items()
            if variable.name not in taken[i]
            if leaf == "bias" or (len(layer.leaves) == 1 and _is_vector(variable))
        ]
        for i, side in enumerate((made.source, made.target))
    )
    found = []
    for variable, is_in_layer in mine:
        fitting = [(w, is_in) for w, is_in in theirs if _fits(variable, w)]
        rivals = [v for v, _ in mine if _fits(v, variable)]
        if len(fitting) == len(rivals) == 1 and is_in_layer != fitting[0][1]:
            found.append(Pair.of(variable, fitting[0][0], BESIDE))
    return found


def _is_vector(variable: Variable) -> bool:
    return len(variable.shape or ()) == 1


def _fits(a: Variable, b: Variable) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype
