"""What is decided about two models' layers, and for what reason."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from estimator_ckpt.maps.suggest.model_layers import layers
from estimator_ckpt.maps.suggest.model_layers.layers import Family, Layer, Pattern
from estimator_ckpt.maps.suggest.model_layers.ordering import Places
from estimator_ckpt.maps.suggest.pairing.facts import NumberFacts


@dataclasses.dataclass(frozen=True)
class Reason:
    """Why two layers are the same.

    Attributes:
      confidence: from 0 to 1, by the sort of reason.
      because: one phrase for people.
    """

    confidence: float
    because: str


SAME_NAME = Reason(1.0, "the same name")
RENUMBERED = Reason(0.95, "the same name, numbered from another start")
NAMES = Reason(0.95, "names that share words")
SHAPE = Reason(0.9, "the only one of its shape")
ALIKE = Reason(0.9, "named and numbered as others of its family")
SCOPE = Reason(0.85, "the only one left in its scope")
ORDER = Reason(0.8, "the order of layers")
BESIDE = Reason(0.75, "beside a layer that is decided")


class Decisions:
    """Pairs of layers, one by one; and what they say about the others.

    Attributes:
      source: the layers of one model.
      target: those of the other.
      images: the target's layer of each of the source's that is decided.
      reasons: why.
      regions: scopes of the source that are whole scopes of the target.
      numbers: which numbers became which.
      unique: the signatures of which each side has one family.
      places: where layers stand in their model, where that is known and can be trusted.
    """

    def __init__(
        self, source: Sequence[Layer], target: Sequence[Layer], places: Places
    ) -> None:
        self.source, self.target = source, target
        self.places = places
        self.images: dict[Layer, Layer] = {}
        self.reasons: dict[Layer, Reason] = {}
        self.regions: dict[Pattern, Pattern] = {}
        self.numbers = NumberFacts(source, target)
        self._origins: dict[Layer, Layer] = {}
        counts = [
            collections.Counter(family.signature for family in layers.families(side))
            for side in (source, target)
        ]
        self.unique = {s for s, n in counts[0].items() if n == counts[1][s] == 1}
        self._alike = {
            (side, pattern): some
            for side, given in enumerate((source, target))
            for pattern, some in by_pattern(given).items()
        }

    @property
    def origins(self) -> Mapping[Layer, Layer]:
        """The source's layer of each of the target's that is decided."""
        return self._origins

    def left_of(self, side: Iterable[Layer]) -> list[Layer]:
        """Those of either side that are not decided."""
        return [m for m in side if m not in self.images and m not in self._origins]

    @property
    def left(self) -> tuple[list[Layer], list[Layer]]:
        """What is not decided of the source, and of the target."""
        return self.left_of(self.source), self.left_of(self.target)

    def are_open(self, layer: Layer, image: Layer) -> bool:
        """Whether neither of two layers is decided."""
        return layer not in self.images and image not in self._origins

    def strays(self, family: Family, image: Family) -> bool:
        """Whether a pair of families is not named as those that are named alike.

        Of the layers of other shapes that differ from a family's in the numbers alone
        in which its members do, where half or more are decided, and all of these are
        named as one other.
        """
        mine = self._alike[0, family.pattern]
        theirs = self._alike[1, image.pattern]
        return _strays(family, mine, self.images, image.pattern) or _strays(
            image, theirs, self._origins, family.pattern
        )

    def accept(
        self, layer: Layer, image: Layer, reason: Reason, *, is_telling: bool = True
    ) -> None:
        """Decides that two layers, of which none is decided, are the same.

        Args:
          layer: the source's.
          image: the target's.
          reason: why.
          is_telling: whether their numbers say which numbers became which.
        """
        self.images[layer], self.reasons[layer] = image, reason
        self._origins[image] = layer
        if is_telling:
            self.numbers.add(layer, image)


def by_pattern(given: Iterable[Layer]) -> dict[Pattern, list[Layer]]:
    """Layers by the words of their names, numbers aside."""
    found: dict[Pattern, list[Layer]] = {}
    for layer in given:
        found.setdefault(layer.pattern, []).append(layer)
    return found


def _strays(
    family: Family,
    alike: Sequence[Layer],
    images: Mapping[Layer, Layer],
    pattern: Pattern,
) -> bool:
    """Whether layers named as a family went elsewhere than to a pattern, together."""
    columns = zip(*(layer.numbers for layer in family.members))
    same = [column[0] if len(set(column)) == 1 else None for column in columns]
    others = [
        other
        for other in alike
        if other.signature != family.signature
        and all(b in (None, a) for a, b in zip(other.numbers, same))
    ]
    went = [images[other].pattern for other in others if other in images]
    return (
        len(went) > 1
        and 2 * len(went) >= len(others)
        and len(set(went)) == 1
        and went[0] != pattern
    )
