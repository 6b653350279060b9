"""Where the layers of each scope went, of those that are decided."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional

from estimator_ckpt.maps.suggest.model_layers import words
from estimator_ckpt.maps.suggest.model_layers.layers import (
    Family,
    Layer,
    Numbers,
    Pattern,
)
from estimator_ckpt.maps.suggest.model_layers.words import Word

IN_SCOPE, NEAR, ANYWHERE, ELSEWHERE = "in scope", "near", "anywhere", "elsewhere"
#: What of a family decides which others it can be: how many layers, how their numbers
#: nest, whether they do, how many there are of each sort of them, and those of its
#: words that have opposites.
_Make = tuple[
    int, tuple[Any, ...], bool, Optional[Numbers], tuple[frozenset[Word], ...]
]


@dataclasses.dataclass(frozen=True)
class Candidates:
    """What a family can be.

    Attributes:
      families: those of the other side.
      where: which of them: IN_SCOPE, where the family's scope went; NEAR, in a scope
        around that; ANYWHERE, since no scope of it went anywhere; ELSEWHERE, since
        nothing is left where they went.
    """

    families: frozenset[Family]
    where: str

    @property
    def is_known(self) -> bool:
        """Whether the scope led to them."""
        return self.where in (IN_SCOPE, NEAR)


class Scopes:
    """Where scopes went.

    Args:
      images: the decided layers of one side, each with the other side's.
      known: scopes that went as a whole, besides.
    """

    def __init__(
        self, images: Mapping[Layer, Layer], known: Mapping[Pattern, Pattern]
    ) -> None:
        self._regions: dict[Pattern, Pattern] = {}
        self._near: dict[Pattern, list[Pattern]] = {}
        for layer, image in images.items():
            pattern = layer.pattern
            for end in range(1, len(pattern) + 1):
                scope = pattern[:end]
                if scope not in self._regions:
                    self._regions[scope] = image.pattern[:-1]
                    self._near[scope] = [image.pattern[:d] for d in image.depths]
                    continue
                self._regions[scope] = _common(self._regions[scope], image.pattern)
                self._near[scope] = [
                    _common(near, image.pattern) for near in self._near[scope]
                ]
        self._regions.update(known)

    def narrow(
        self, given: Sequence[Family], others: Sequence[Family]
    ) -> dict[Family, Candidates]:
        """The other side's families that each can be, where its scope went."""
        possible: dict[_Make, list[Family]] = {}
        known: dict[tuple[_Make, Pattern], frozenset[Family]] = {}
        found = {}
        for family in given:
            make = _make(family)
            if make not in possible:
                possible[make] = [g for g in others if _could_be(make, _make(g))]
            for region, where in self._regions_of(family):
                if (make, region) not in known:
                    known[make, region] = frozenset(
                        g for g in possible[make] if g.pattern[: len(region)] == region
                    )
                if known[make, region] or not region:
                    found[family] = Candidates(known[make, region], where)
                    break
        return found

    def _regions_of(self, family: Family) -> Iterator[tuple[Pattern, str]]:
        """Where a family can be: where its scopes went, innermost first; then all."""
        is_known = False
        for end in range(len(family.pattern), 0, -1):
            scope = family.pattern[:end]
            if self._regions.get(scope):
                is_known = True
                yield self._regions[scope], IN_SCOPE
            for region in filter(None, self._near.get(scope, ())):
                yield region, NEAR
        yield (), ELSEWHERE if is_known else ANYWHERE


def _make(family: Family) -> _Make:
    return (
        len(family.members),
        family.structure,
        family.is_flat,
        family.grid,
        words.opposites(family.words),
    )


def _could_be(a: _Make, b: _Make) -> bool:
    """Whether families of two makes can be the same, by number and opposites."""
    return (
        a[0] == b[0]
        and (a[1] == b[1] or a[2] or b[2] or (a[3] is not None and a[3] == b[3]))
        and not any(
            mine and theirs and not mine & theirs for mine, theirs in zip(a[4], b[4])
        )
    )


def _common(a: Pattern, b: Pattern) -> Pattern:
    """What two sequences begin with."""
    return a[: _agreeing(a, b)]


def _agreeing(a: Iterable[str], b: Iterable[str]) -> int:
    """How many of the first items of two sequences are the same."""
    count = 0
    for x, y in zip(a, b):
        if x != y:
            break
        count += 1
    return count
