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
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, TypeVar

from estimator_ckpt.maps.suggest import layer_names, words
from estimator_ckpt.maps.suggest.layer_names import Family, Module, Pattern, Signature
from estimator_ckpt.maps.suggest.likeness import Likeness, Scopes
from estimator_ckpt.maps.suggest.ordering import Order, are_in_order

_T = TypeVar("_T", Family, Module)

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
ALIKE = Reason(0.9, "named and numbered as others of its kind")
BESIDE = Reason(0.75, "beside a layer that is decided")


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
        sides = (layer_names.families(source), layer_names.families(target))
        counts = [collections.Counter(f.signature for f in side) for side in sides]
        self._unique = {s for s in counts[0] if counts[0][s] == counts[1][s] == 1}
        self._companions = (
            layer_names.companions(source),
            layer_names.companions(target),
        )
        self._same_names()
        while self._families():
            pass
        if not self._is_in_order():
            for module in (*source, *target):
                module.position = None
        while self._families() or self._alike() or self._order() or self._beside():
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
        sources = _by_signature(layer_names.families(self.left(self._source)))
        targets = _by_signature(layer_names.families(self.left(self._target)))
        forward = Scopes(self.images)
        backward = Scopes({image: module for module, image in self.images.items()})
        for signature, mine in sources.items():
            theirs = targets.get(signature, [])
            if theirs:
                self._pair_families(mine, theirs, forward, backward)
        return len(self.images) > before

    def _pair_families(
        self,
        mine: Sequence[Family],
        theirs: Sequence[Family],
        forward: Scopes,
        backward: Scopes,
    ) -> None:
        """Pairs the families of one signature."""
        likeness = Likeness(mine, theirs)
        there, back = forward.narrow(mine, theirs), backward.narrow(theirs, mine)
        for f in mine:
            best, likeness_of_best, only = likeness.best(f, there, back)
            if best is None:
                continue
            rival, _, only_rival = likeness.best(best, back, there)
            if rival is not f:
                continue
            in_scope = there[f].in_scope or back[best].in_scope
            is_alike = likeness_of_best > 0
            if f.signature in self._unique and (
                f.signature[0] != "vectors" or is_alike
            ):
                reason = SHAPE
            elif is_alike and (there[f].in_scope or likeness_of_best >= _LEAST):
                reason = NAMES
            elif only and only_rival and in_scope:
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
        around = self._around(mine, theirs)
        chains = _chain(mine), _chain(theirs)
        if chains[0] and chains[1]:
            pairs = list(zip(chains[0], chains[1]))
            if not all(_can_be(*pair, around) for pair in pairs):
                return
        elif len(mine) <= _MOST_SEARCHED:
            pairs = _search(self._possible(mine, theirs, around))
        else:
            return
        for module, image in pairs:
            self._accept(module, image, ORDER)

    def _possible(
        self,
        mine: list[Module],
        theirs: list[Module],
        around: Mapping[Module, tuple[int, int]],
    ) -> dict[Module, set[Module]]:
        """What each module can be by its rank, its opposites and what is decided."""
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
        return {
            module: order.around(module)
            for side, decided in sides
            for order in (Order(decided),)
            for module in side
        }

    def _is_in_order(self) -> bool:
        """Whether positions go with what is decided, or with the numbers in names."""
        known = [
            side
            for side in (self._source, self._target)
            if all(module.position is not None for module in side)
        ]
        if len(known) == 1:
            return are_in_order(known[0])
        positions = [
            (module.position or 0, image.position or 0)
            for module, image in self.images.items()
        ]
        theirs = [image for _, image in sorted(positions)] if known else []
        return theirs == sorted(theirs)

    # Layers that are named or numbered as others, or stand beside others.

    def _alike(self) -> bool:
        """Pairs `fc_2` with `dense_1` where `fc_1` is `dense_0`."""
        before = len(self.images)
        mine, theirs = _by_words(self._source), _by_words(self._target)
        names: dict[Pattern, set[tuple[Pattern, tuple[int, ...]]]] = {}
        for module, image in self.images.items():
            shift = tuple(b - a for a, b in zip(module.numbers, image.numbers))
            names.setdefault(module.pattern, set()).add((image.pattern, shift))
        for pattern, found in names.items():
            if len(found) > 1:
                continue
            ((image_pattern, shift),) = found
            others = {
                module: theirs[image_pattern].get(tuple(map(operator.add, n, shift)))
                for n, module in mine[pattern].items()
            }
            if len(others) != len(theirs[image_pattern]) or not all(
                image and image.signature == module.signature
                for module, image in others.items()
            ):
                continue
            for module in self.left(others):
                other = others[module]
                if other is not None and other not in self._taken:
                    self._accept(module, other, ALIKE)
        return len(self.images) > before

    def _beside(self) -> bool:
        """Pairs what stands beside two layers that are a pair."""
        before = len(self.images)
        mine, theirs = self._companions
        for module, image in list(self.images.items()):
            a, b = mine.get(module), theirs.get(image)
            if a is None or b is None or a in self.images or b in self._taken:
                continue
            if a.signature == b.signature:
                self._accept(a, b, BESIDE)
        return len(self.images) > before


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


def _by_words(given: Iterable[Module]) -> dict[Pattern, dict[tuple[int, ...], Module]]:
    """Modules by the words of their names, then by the numbers."""
    found: dict[Pattern, dict[tuple[int, ...], Module]] = {}
    for module in given:
        found.setdefault(module.pattern, {})[module.numbers] = module
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


def _can_be(
    module: Module, image: Module, around: Mapping[Module, tuple[int, int]]
) -> bool:
    """Whether a pair goes with what is decided, and with its words."""
    before, after = around[module]
    return not (
        before & around[image][1]
        or after & around[image][0]
        or words.contradict(set(module.words), set(image.words))
    )


def _search(domains: dict[Module, set[Module]]) -> list[tuple[Module, Module]]:
    """The pairs that a common order of both sides leaves no choice about.

    None at all if there is no common order.
    """
    decided: list[tuple[Module, Module]] = []
    while domains:
        images: set[Module] = set().union(*domains.values())
        if len(images) < len(domains) or not all(domains.values()):
            return []
        found = _single(domains)
        if found is None:
            break
        decided.append(found)
        module, image = found
        del domains[module]
        for other, domain in domains.items():
            domain.discard(image)
            domain -= {t for t in domain if _reverses(module, image, other, t)}
    return decided


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
