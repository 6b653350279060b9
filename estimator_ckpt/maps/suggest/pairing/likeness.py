"""How much the names of families of layers have in common."""

from __future__ import annotations

import collections
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Optional

from estimator_ckpt.maps.suggest.model_layers import words
from estimator_ckpt.maps.suggest.model_layers.layers import Family
from estimator_ckpt.maps.suggest.pairing.scopes import Candidates

#: By how much the best of several names must be better than the next.
_MARGIN = 0.1
#: How many letters a word has at least that stands for a longer one.
_SHORTENED = 4
#: How many candidates are looked at of which no name has a word in common.
_FEW = 100
#: What an abbreviation counts for, or a word that a whole side has around its names.
_HALF = 0.5
#: How many words may be held against each other to find abbreviations.
_MOST_COMPARED = 100_000


class Likeness:
    """How much the names of families of one signature have in common."""

    def __init__(self, mine: Sequence[Family], theirs: Sequence[Family]) -> None:
        every = [*mine, *theirs]
        counts = collections.Counter(w for family in every for w in family.words)
        self._weights = {w: math.log(1 + len(every) / n) for w, n in counts.items()}
        for word in _everywhere_here_only(mine, theirs):
            self._weights[word] *= _HALF
        everywhere = {word for word, n in counts.items() if n == len(every) > 2}
        self._always = 2 * sum(self._weights[word] for word in everywhere)
        self._with = _by_word(every, everywhere)
        self._related = _related(self._with)
        self._short = _abbreviated(_words_of(mine), _words_of(theirs))

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
        for word in family.words & self._with.keys():
            alike = {g for other in self._related[word] for g in self._with[other]}
            for other_family in alike:
                common.setdefault(other_family, 0.0)
                common[other_family] += self._weights[word]
        for word in {w for own in family.words for w in self._related.get(own, ())}:
            for other_family in self._with[word]:
                common[other_family] += self._weights[word]
        for other_family, score in self._abbreviated_in_common(family):
            common[other_family] = common.get(other_family, 0.0) + score
        weight = self._weigh(family)
        return {
            g: (score + self._always) / (weight + self._weigh(g))
            for g, score in common.items()
        }

    def _abbreviated_in_common(self, family: Family) -> Iterator[tuple[Family, float]]:
        """What a word counts for that one has abbreviated and the other in full."""
        for word in family.words & self._short.keys():
            other = self._short[word]
            if other in family.words:
                continue
            score = _HALF * (self._weights[word] + self._weights[other])
            for other_family in self._with.get(other, ()):
                if word not in other_family.words:
                    yield other_family, score

    def _weigh(self, family: Family) -> float:
        return sum(self._weights[word] for word in family.words)


def _words_of(families: Iterable[Family]) -> set[str]:
    return {word for family in families for word in family.words}


def _by_word(
    families: Iterable[Family], without: Collection[str]
) -> dict[str, list[Family]]:
    """Families by the words that they have."""
    found: dict[str, list[Family]] = {}
    for family in families:
        for word in family.words.difference(without):
            found.setdefault(word, []).append(family)
    return found


def _everywhere_here_only(mine: Sequence[Family], theirs: Sequence[Family]) -> set[str]:
    """Words that all of one side have and none of the other: a scope around them."""
    found: set[str] = set()
    for side, others in ((mine, theirs), (theirs, mine)):
        if len(side) > 1:
            same = frozenset.intersection(*(family.words for family in side))
            found |= same.difference(*(family.words for family in others))
    return found


def _related(known: Iterable[str]) -> dict[str, list[str]]:
    """Each word with those that are it, shortened or in full."""
    ordered = sorted(known)
    found = {word: [word] for word in ordered}
    for i, word in enumerate(ordered):
        for longer in ordered[i + 1 :]:
            if len(word) < _SHORTENED or not longer.startswith(word):
                break
            found[word].append(longer)
            found[longer].append(word)
    return found


def _abbreviated(mine: Collection[str], theirs: Collection[str]) -> dict[str, str]:
    """Words of one side and of the other of which one can only be the other, shortened.

    In both directions; without words that both sides have.
    """
    found: dict[str, str] = {}
    for side, other in ((mine, theirs), (theirs, mine)):
        short = [
            word for word in side if word not in other and len(word) <= words.SHORT
        ]
        if len(short) * len(other) > _MOST_COMPARED:
            continue
        for word in short:
            full = [w for w in other if w not in side and words.abbreviates(word, w)]
            if len(full) == 1:
                found[word], found[full[0]] = full[0], word
    return found
