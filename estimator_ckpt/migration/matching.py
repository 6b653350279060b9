"""Decides which module of one model is which of another.

What decides is what a careful person would go by: names that share words, a shape that
only one module has, the order of numbered layers, and what is left over in a scope
whose other modules are decided. The alphabet decides nothing, and two towers of equal
shapes whose names have nothing in common stay undecided: a wrong proposal costs more
than none.
"""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, TypeVar

from estimator_ckpt.migration import modules
from estimator_ckpt.migration.modules import Family, Module, Pattern, Signature, Word

_T = TypeVar("_T", Family, Module)
_W = TypeVar("_W", bound=Word)

#: By how much the best of several names must be better than the next.
_MARGIN = 0.1
#: How alike names must be at least, of layers in scopes of which nothing is known.
_LEAST = 0.4
#: The most modules of one shape whose order is searched when it is only partly known.
_MOST_SEARCHED = 100


@dataclasses.dataclass(frozen=True)
class Reason:
    """Why two modules are the same.

    Attributes:
      confidence: from 0 to 1, by the kind of reason.
      because: one phrase for people.
    """

    confidence: float
    because: str


SAME_NAME = Reason(1.0, "the same name")
RENUMBERED = Reason(0.95, "the same name, numbered from another start")
NAMES = Reason(0.95, "names that share words")
SHAPE = Reason(0.9, "the only one of its shape")
SCOPE = Reason(0.85, "the only one left in its scope")
ORDER = Reason(0.8, "the order of layers")
BESIDE = Reason(0.75, "numbered as the layer that it stands beside")


class Matching:
    """Pairs of modules, found from two models' modules.

    Attributes:
      images: the target's module of each of the source's that is decided.
      reasons: why.
    """

    def __init__(self, source: Sequence[Module], target: Sequence[Module]) -> None:
        self._source, self._target = source, target
        self.images: dict[Module, Module] = {}
        self.reasons: dict[Module, Reason] = {}
        self._taken: set[Module] = set()
        sides = (modules.families(source), modules.families(target))
        counts = [collections.Counter(f.signature for f in side) for side in sides]
        self._unique = {s for s in counts[0] if counts[0][s] == counts[1][s] == 1}
        self._same_names()
        while self._families() or self._order() or self._beside():
            pass

    def left(self, given: Iterable[Module]) -> list[Module]:
        """Those of either side that are not decided."""
        return [m for m in given if m not in self.images and m not in self._taken]

    def _accept(self, source: Module, target: Module, reason: Reason) -> None:
        self.images[source], self.reasons[source] = target, reason
        self._taken.add(target)

    # Names that did not change.

    def _same_names(self) -> None:
        """Pairs modules of the same name, or of names that count from another start."""
        theirs = _by_pattern(self._target)
        for key, mine in _by_pattern(self._source).items():
            other = theirs.get(key, {})
            shift = _shift(sorted(mine), sorted(other))
            for numbers, module in mine.items():
                found = other.get(
                    tuple(n + d for n, d in zip(numbers, shift)) if shift else numbers
                )
                if found is None:
                    continue
                if found.name == module.name:
                    self._accept(module, found, SAME_NAME)
                elif shift is not None:
                    self._accept(module, found, RENUMBERED if any(shift) else NAMES)

    # Whole families: names, shapes, scopes.

    def _families(self) -> bool:
        """Pairs whole families; returns whether any was."""
        before = len(self.images)
        sources = _by_signature(modules.families(self.left(self._source)))
        targets = _by_signature(modules.families(self.left(self._target)))
        forward = _Scopes(self.images)
        backward = _Scopes({image: module for module, image in self.images.items()})
        for signature, mine in sources.items():
            theirs = targets.get(signature, [])
            if theirs:
                self._pair_families(mine, theirs, forward, backward)
        return len(self.images) > before

    def _pair_families(
        self,
        mine: Sequence[Family],
        theirs: Sequence[Family],
        forward: _Scopes,
        backward: _Scopes,
    ) -> None:
        """Pairs the families of one signature."""
        likeness = _Likeness([*mine, *theirs])
        possible = {f: [g for g in theirs if _could_be(f, g)] for f in mine}
        reverse = {g: [f for f in mine if g in possible[f]] for g in theirs}
        narrowed = {f: forward.narrow(f, found) for f, found in possible.items()}
        narrowed_back = {g: backward.narrow(g, found) for g, found in reverse.items()}
        for f, (candidates, in_scope) in narrowed.items():
            best = likeness.best(f, candidates)
            if best is None:
                continue
            rivals, rivals_in_scope = narrowed_back[best]
            if likeness.best(best, rivals) is not f:
                continue
            if f.signature in self._unique and (
                f.signature[0] != "vectors" or likeness.share(f, best)
            ):
                reason = SHAPE
            elif likeness.share(f, best) and (
                in_scope or likeness.score(f, best) >= _LEAST
            ):
                reason = NAMES
            elif len(candidates) == len(rivals) == 1 and in_scope and rivals_in_scope:
                reason = SCOPE
            else:
                continue
            for module, image in zip(f.members, best.members):
                self._accept(module, image, reason)

    # One by one: the order of layers.

    def _order(self) -> bool:
        """Pairs modules whose place in the order leaves one possibility."""
        before = len(self.images)
        sources = _by_signature(self.left(self._source))
        targets = _by_signature(self.left(self._target))
        for signature, mine in sources.items():
            theirs = targets.get(signature, [])
            if len(mine) == len(theirs) > 1:
                self._pair_in_order(mine, theirs)
        return len(self.images) > before

    def _pair_in_order(self, mine: list[Module], theirs: list[Module]) -> None:
        chains = _chain(mine), _chain(theirs)
        if not (chains[0] and chains[1]):
            if len(mine) <= _MOST_SEARCHED:
                pairs = _search(self._possible(mine, theirs))
            else:
                return
        else:
            pairs = list(zip(chains[0], chains[1]))
            around = self._around(mine, theirs)
            if not all(_can_be(*pair, around) for pair in pairs):
                return
        for module, image in pairs:
            self._accept(module, image, ORDER)

    def _possible(
        self, mine: list[Module], theirs: list[Module]
    ) -> dict[Module, set[Module]]:
        """What each module can be by its rank, its opposites and what is decided."""
        around = self._around(mine, theirs)
        ranks = {m: _ranks(m, side) for side in (mine, theirs) for m in side}
        return {
            m: {
                t
                for t in theirs
                if max(ranks[m][0], ranks[t][0]) <= min(ranks[m][1], ranks[t][1])
                and _can_be(m, t, around)
            }
            for m in mine
        }

    def _around(
        self, mine: list[Module], theirs: list[Module]
    ) -> dict[Module, tuple[int, int]]:
        """Which of the decided pairs come before and after each module, as bits."""
        sides = (mine, list(self.images)), (theirs, list(self.images.values()))
        return {m: _around(m, decided) for side, decided in sides for m in side}

    # Layers that stand beside each other.

    def _beside(self) -> bool:
        """Pairs `norm_7` with what stands beside the image of `conv_7`."""
        before = len(self.images)
        for mine, theirs, image_of in (
            (self._source, self._target, self.images),
            (self._target, self._source, {i: m for m, i in self.images.items()}),
        ):
            for module, other in self._neighbours(mine, theirs, image_of):
                if mine is self._source:
                    self._accept(module, other, BESIDE)
                else:
                    self._accept(other, module, BESIDE)
            if len(self.images) > before:
                return True
        return False

    def _neighbours(
        self,
        mine: Sequence[Module],
        theirs: Sequence[Module],
        image_of: Mapping[Module, Module],
    ) -> list[tuple[Module, Module]]:
        """Pairs of an undecided module and what its partner's image stands beside."""
        numbered: dict[tuple[str, Pattern], dict[tuple[int, ...], Module]] = {}
        for module in mine:
            if module.pattern[-1:] == ("#",) and module.pattern.count("#") == 1:
                key = module.name.rpartition("/")[0], module.pattern
                numbered.setdefault(key, {})[module.numbers] = module
        free: dict[Signature, list[Module]] = {}
        for module in self.left(theirs):
            free.setdefault(module.signature, []).append(module)
        claims: dict[Module, Optional[Module]] = {}
        for key, members in numbered.items():
            partners = [
                others
                for other, others in numbered.items()
                if other != key
                and other[0] == key[0]
                and len(members) >= 3
                and set(others) == set(members)
            ]
            if len(partners) != 1:
                continue
            for numbers, module in members.items():
                image = image_of.get(partners[0][numbers])
                if module in image_of or image is None:
                    continue
                found = _nearest(image, free.get(module.signature, []))
                if found is not None:
                    claims[found] = None if found in claims else module
        return [(module, found) for found, module in claims.items() if module]


class _Scopes:
    """Where the modules of each scope went, of those that are decided."""

    def __init__(self, images: Mapping[Module, Module]) -> None:
        self._regions: dict[tuple[str, ...], tuple[str, ...]] = {}
        for module, image in images.items():
            pattern = module.pattern
            for end in range(1, len(pattern)):
                known = self._regions.get(pattern[:end])
                self._regions[pattern[:end]] = (
                    image.pattern[:-1]
                    if known is None
                    else _common(known, image.pattern)
                )

    def narrow(
        self, family: Family, candidates: Sequence[Family]
    ) -> tuple[Sequence[Family], bool]:
        """The candidates where the family's scope went, and whether that said much."""
        for end in range(len(family.pattern) - 1, 0, -1):
            region = self._regions.get(family.pattern[:end])
            if not region:
                continue
            inside = [g for g in candidates if g.pattern[: len(region)] == region]
            if inside:
                return inside, True
        return candidates, False


class _Likeness:
    """How much the names of families of one signature have in common."""

    def __init__(self, families: Sequence[Family]) -> None:
        counts = collections.Counter(w for family in families for w in family.words)
        self._everywhere = {
            word for word, n in counts.items() if n == len(families) > 2
        }
        self._weights = {
            word: math.log(1 + len(families) / n) for word, n in counts.items()
        }

    def best(self, family: Family, others: Sequence[Family]) -> Optional[Family]:
        """The one that is clearly most alike, or the only one."""
        if len(others) < 2:
            return others[0] if others else None
        scored = sorted(
            ((self.score(family, other), i) for i, other in enumerate(others)),
            reverse=True,
        )
        (first, i), (second, _) = scored[:2]
        return others[i] if first >= second + _MARGIN else None

    def share(self, a: Family, b: Family) -> bool:
        """Whether both have a word that not all have."""
        return bool(_shared(a, b)[0] - self._everywhere)

    def score(self, a: Family, b: Family) -> float:
        """The weight of the words that both have in that of all: 0 to 1."""
        mine, theirs = _shared(a, b)
        total = self._weigh(a.words) + self._weigh(b.words)
        return (self._weigh(mine) + self._weigh(theirs)) / total if total else 0.0

    def _weigh(self, words: Iterable[str]) -> float:
        return sum(self._weights[word] for word in words)


def _shared(a: Family, b: Family) -> tuple[set[str], set[str]]:
    """The words of each that the other has too, shortened ones counted."""
    mine, theirs = set(a.words & b.words), set(a.words & b.words)
    for word in a.words - mine:
        for other in b.words - theirs:
            if min(len(word), len(other)) >= 4 and (
                word.startswith(other) or other.startswith(word)
            ):
                mine.add(word)
                theirs.add(other)
    return mine, theirs


def _could_be(f: Family, g: Family) -> bool:
    """Whether two families can be the same, by number and opposites."""
    if len(f.members) != len(g.members) or modules.contradict(f.words, g.words):
        return False
    if f.structure == g.structure:
        return True
    return all(inner == () for inner in f.structure) or all(
        inner == () for inner in g.structure
    )


def _by_signature(given: Iterable[_T]) -> dict[Signature, list[_T]]:
    found: dict[Signature, list[_T]] = {}
    for item in given:
        found.setdefault(item.signature, []).append(item)
    return found


def _by_pattern(
    given: Iterable[Module],
) -> dict[tuple[Pattern, Signature], dict[tuple[int, ...], Module]]:
    """Modules by the words of their names and signatures, then by the numbers."""
    found: dict[tuple[Pattern, Signature], dict[tuple[int, ...], Module]] = {}
    for module in given:
        key = module.pattern, module.signature
        found.setdefault(key, {})[module.numbers] = module
    return found


def _shift(
    mine: Sequence[tuple[int, ...]], theirs: Sequence[tuple[int, ...]]
) -> Optional[tuple[int, ...]]:
    """By how much all of the numbers differ; None where they do not all by one."""
    if len(mine) != len(theirs):
        return None
    shifts = {tuple(b - a for a, b in zip(*pair)) for pair in zip(mine, theirs)}
    if len(shifts) > 1 or (len(mine) == 1 and any(next(iter(shifts)))):
        return None
    return shifts.pop()


def _chain(side: list[Module]) -> Optional[list[Module]]:
    """The modules in their order, if that is known of any two."""
    if all(module.position is not None for module in side):
        return sorted(side, key=lambda module: module.position or 0)
    if len({module.pattern for module in side}) > 1:
        return None
    return sorted(side, key=lambda module: module.numbers)


def _ranks(module: Module, side: Sequence[Module]) -> tuple[int, int]:
    """The first and the last place that a module can have among others."""
    first = sum(other.is_before(module) for other in side)
    return first, len(side) - 1 - sum(module.is_before(other) for other in side)


def _around(module: Module, decided: Sequence[Module]) -> tuple[int, int]:
    """Which of the decided modules come before and after one, as bits."""
    before = after = 0
    for bit, other in enumerate(decided):
        if other.is_before(module):
            before |= 1 << bit
        elif module.is_before(other):
            after |= 1 << bit
    return before, after


def _can_be(
    module: Module, image: Module, around: Mapping[Module, tuple[int, int]]
) -> bool:
    """Whether a pair goes with what is decided, and with its words."""
    before, after = around[module]
    return not (
        before & around[image][1]
        or after & around[image][0]
        or modules.contradict(set(module.words), set(image.words))
    )


def _search(domains: dict[Module, set[Module]]) -> list[tuple[Module, Module]]:
    """The pairs that a common order of both sides leaves no choice about."""
    decided: list[tuple[Module, Module]] = []
    while True:
        found = _single(domains)
        if found is None:
            return decided
        decided.append(found)
        module, image = found
        del domains[module]
        for other, domain in domains.items():
            domain.discard(image)
            domain -= {t for t in domain if _reverses(module, image, other, t)}


def _single(domains: Mapping[Module, set[Module]]) -> Optional[tuple[Module, Module]]:
    """A module with one possibility, or the one module that has a possibility."""
    holders: dict[Module, list[Module]] = {}
    for module, domain in domains.items():
        if len(domain) == 1:
            return module, next(iter(domain))
        for image in domain:
            holders.setdefault(image, []).append(module)
    for image, found in holders.items():
        if len(found) == 1:
            return found[0], image
    return None


def _reverses(a: Module, its_image: Module, b: Module, image: Module) -> bool:
    """Whether one side has a before b and the other b before a."""
    if a.is_before(b):
        return image.is_before(its_image)
    return b.is_before(a) and its_image.is_before(image)


def _nearest(module: Module, others: Iterable[Module]) -> Optional[Module]:
    """The one whose name begins most like a module's, if there is one."""
    scored: dict[int, list[Module]] = {}
    for other in others:
        scored.setdefault(len(_common(module.words, other.words)), []).append(other)
    best = max(scored, default=0)
    return scored[best][0] if best and len(scored[best]) == 1 else None


def _common(a: Sequence[_W], b: Sequence[_W]) -> tuple[_W, ...]:
    """What two sequences begin with."""
    end = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), None)
    return tuple(a[: min(len(a), len(b)) if end is None else end])
