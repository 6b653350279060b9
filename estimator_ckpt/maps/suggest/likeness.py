"""How much families of modules have in common: their names, and their scopes."""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from estimator_ckpt.maps.suggest import words
from estimator_ckpt.maps.suggest.layer_names import Family, Module, Pattern
from estimator_ckpt.maps.suggest.words import Word

#: By how much the best of several names must be better than the next.
_MARGIN = 0.1
#: How many letters a word has at least that stands for a longer one.
_SHORTENED = 4
#: How many candidates are looked at of which no name has a word in common.
_FEW = 100

_Kind = tuple[int, tuple[Any, ...], bool, tuple[frozenset[Word], ...]]


class Scopes:
    """Where the modules of each scope went, of those that are decided."""

    def __init__(self, images: Mapping[Module, Module]) -> None:
        self._regions: dict[tuple[str, ...], tuple[str, ...]] = {}
        for module, image in images.items():
            pattern = module.pattern
            for end in range(1, len(pattern) + 1):
                known = self._regions.get(pattern[:end])
                self._regions[pattern[:end]] = (
                    image.pattern[:-1]
                    if known is None
                    else _common(known, image.pattern)
                )

    def narrow(
        self, families: Sequence[Family], others: Sequence[Family]
    ) -> dict[Family, Candidates]:
        """The other side's families that each can be, where its scope went."""
        possible: dict[_Kind, list[Family]] = {}
        known: dict[tuple[_Kind, Pattern], Candidates] = {}
        found = {}
        for family in families:
            kind = _kind(family)
            if kind not in possible:
                possible[kind] = [g for g in others if _could_be(kind, _kind(g))]
            for region in (*self._regions_of(family), ()):
                if (kind, region) not in known:
                    inside = [
                        g for g in possible[kind] if g.pattern[: len(region)] == region
                    ]
                    known[kind, region] = Candidates(frozenset(inside), bool(region))
                if known[kind, region].families or not region:
                    found[family] = known[kind, region]
                    break
        return found

    def _regions_of(self, family: Family) -> Iterable[Pattern]:
        """Where the scopes went that a family is in, the innermost first."""
        scopes = (family.pattern[:end] for end in range(len(family.pattern), 0, -1))
        return filter(None, (self._regions.get(scope, ()) for scope in scopes))


@dataclasses.dataclass(frozen=True)
class Candidates:
    """What a family can be.

    Attributes:
      families: those of the other side.
      in_scope: whether they are only those where the family's scope went.
    """

    families: frozenset[Family]
    in_scope: bool


class Likeness:
    """How much the names of families of one signature have in common."""

    def __init__(self, mine: Sequence[Family], theirs: Sequence[Family]) -> None:
        every = [*mine, *theirs]
        counts = collections.Counter(w for family in every for w in family.words)
        self._weights = {w: math.log(1 + len(every) / n) for w, n in counts.items()}
        everywhere = {word for word, n in counts.items() if n == len(every) > 2}
        self._always = 2 * sum(self._weights[word] for word in everywhere)
        self._with: dict[str, list[Family]] = {}
        for family in every:
            for word in family.words - everywhere:
                self._with.setdefault(word, []).append(family)
        self._related = _related(self._with)

    def best(
        self,
        family: Family,
        there: Mapping[Family, Candidates],
        back: Mapping[Family, Candidates],
    ) -> tuple[Optional[Family], float, bool]:
        """The one that is clearly most alike, or the only one.

        Returns:
          It, how alike it is from 0 to 1, and whether it is the only one.
        """
        candidates = there[family].families
        scores = {
            other: score
            for other, score in self._scores(family).items()
            if other in candidates and family in back[other].families
        }
        if len(candidates) <= _FEW:
            for other in candidates:
                if family in back[other].families:
                    scores.setdefault(other, 0.0)
        if not scores:
            return None, 0.0, False
        first, *others = sorted(scores, key=lambda other: -scores[other])
        if others and scores[first] < scores[others[0]] + _MARGIN:
            return None, 0.0, False
        return first, scores[first], not others

    def _scores(self, family: Family) -> dict[Family, float]:
        """The weight of the words that two have in common in that of all: 0 to 1.

        Only of those with a word in common that not all have.
        """
        common: dict[Family, float] = {}
        theirs: dict[str, None] = {}
        for word in family.words & self._with.keys():
            theirs |= dict.fromkeys(self._related[word])
            alike = {g for other in self._related[word] for g in self._with[other]}
            for other_family in alike:
                common[other_family] = (
                    common.get(other_family, 0.0) + self._weights[word]
                )
        for word in theirs:
            for other_family in self._with[word]:
                common[other_family] += self._weights[word]
        weight = self._weigh(family)
        return {
            g: (score + self._always) / (weight + self._weigh(g))
            for g, score in common.items()
        }

    def _weigh(self, family: Family) -> float:
        return sum(self._weights[word] for word in family.words)


def _related(words: Iterable[str]) -> dict[str, list[str]]:
    """Each word with those that are it, shortened or in full."""
    ordered = sorted(words)
    found = {word: [word] for word in ordered}
    for i, word in enumerate(ordered):
        for longer in ordered[i + 1 :]:
            if len(word) < _SHORTENED or not longer.startswith(word):
                break
            found[word].append(longer)
            found[longer].append(word)
    return found


def _kind(family: Family) -> _Kind:
    """What of a family decides which others it can be."""
    structure = family.structure
    is_flat = all(inner == () for inner in structure)
    return len(family.members), structure, is_flat, words.opposites(family.words)


def _could_be(a: _Kind, b: _Kind) -> bool:
    """Whether families of two kinds can be the same, by number and opposites."""
    return (
        a[0] == b[0]
        and (a[1] == b[1] or a[2] or b[2])
        and not any(
            mine and theirs and not mine & theirs for mine, theirs in zip(a[3], b[3])
        )
    )


def _common(a: Pattern, b: Pattern) -> Pattern:
    """What two sequences begin with."""
    end = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), None)
    return a[: min(len(a), len(b)) if end is None else end]
