"""What rules make of a checkpoint's names: which move where, and which rules do not.

Of the rules about a name those of the first subject count: all of them, so that two
rules with one source copy a variable to two names. What no rule is about keeps its
name, or follows the variable that it is a slot or an average of, to each of its names.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.evidence import role_evidence
from estimator_ckpt.maps.map_rules import AssignmentMapError, Rule

#: The most rules that match nothing of which a message says what is near: each costs
#: a look at every name.
_MOST_SEARCHED = 8
#: The most clashes that an error lists.
_MOST = 20


class Move(NamedTuple):
    """A variable and one of its new names.

    Attributes:
      old: its name.
      new: the new one; often the same.
      rule: the rule that gave it; None if it stays, or follows another variable.
    """

    old: str
    new: str
    rule: Optional[Rule] = None


@dataclasses.dataclass(frozen=True)
class Renaming:
    """What a map makes of a checkpoint's names.

    Attributes:
      moves: every variable that is not left out, with each of its new names.
      replaced: the variables that are left out since another takes their name.
      unused: a sentence for each rule that no name matched, some with near names.
    """

    moves: tuple[Move, ...]
    replaced: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Old and new names."""
        return [(move.old, move.new) for move in self.moves]

    @functools.cached_property
    def sources(self) -> Mapping[str, str]:
        """The old name of each variable, by its new one."""
        return {move.new: move.old for move in self.moves}

    @functools.cached_property
    def targets(self) -> Mapping[str, tuple[str, ...]]:
        """The new names of each variable, by its old one; several if it is copied."""
        found: dict[str, list[str]] = {}
        for move in self.moves:
            found.setdefault(move.old, []).append(move.new)
        return {old: tuple(new) for old, new in found.items()}

    def lost(self, target: Collection[str]) -> list[str]:
        """A sentence for each rule of which a target has not one of the new names."""
        new: dict[Rule, list[str]] = {}
        for move in self.moves:
            if move.rule is not None and not move.rule.is_builtin:
                new.setdefault(move.rule, []).append(move.new)
        lost = {
            rule: names
            for rule, names in new.items()
            if not any(name in target for name in names)
        }
        return [
            f"{rule} gives names that the target lacks, such as {names[0]!r}"
            f"{messages.near(names[0], target) if number < _MOST_SEARCHED else ''}"
            for number, (rule, names) in enumerate(lost.items())
        ]


def rename(
    given: Sequence[Rule],
    names: Collection[str],
    *,
    source: str,
    among_others: bool,
    owners: Optional[Mapping[str, str]] = None,
) -> Renaming:
    """Renames the variables of a checkpoint; as `AssignmentMap.rename`."""
    if not given:
        return Renaming(tuple(Move(name, name) for name in names))
    if owners is None:
        owners = role_evidence.by_names(names).owners
    by_rules = _Rules(given)
    named = {name: by_rules.of(name) for name in names}
    moves: list[Move] = []
    for name in names:
        owner = _renamed_owner(name, owners, named)
        if named[name].moves and not _comes_too_late(named[name], named.get(owner)):
            moves += named[name].moves
        else:
            moves += _following(name, owner, named)
    kept, replaced = _settle(moves, source, among_others)
    unused = _unused(given, named, source)
    return Renaming(tuple(kept), tuple(replaced), tuple(unused))


# The rules about a name.


class _Named(NamedTuple):
    """What rules make of one name.

    Attributes:
      moves: its new names; none if no rule is about it.
      used: the rules that are about it.
      place: the place of their subject in the map; None for built-in rules that
        replace, which come before all others.
      is_scope: whether that is a scope.
    """

    moves: tuple[Move, ...] = ()
    used: tuple[Rule, ...] = ()
    place: Optional[int] = None
    is_scope: bool = False


class _Rules:
    """Rules by subject, so that a name is tried only on those that can be about it.

    A map of many rules and a checkpoint of many names cost their sum, not their
    product: names and scopes are looked up, and a regex is tried on the names that
    begin as it does, and have its letters in them.
    """

    def __init__(self, given: Sequence[Rule]) -> None:
        self._replacing = [rule for rule in given if rule.replaces]
        by_subject: dict[tuple[str, str, int], list[Rule]] = {}
        for rule in given:
            if not rule.replaces:
                by_subject.setdefault(rule.subject, []).append(rule)
        self._by_place = list(by_subject.values())
        self._names: dict[str, int] = {}
        self._beginnings: dict[str, list[tuple[int, str]]] = {}
        for place, ((what, _, _), (rule, *_)) in enumerate(by_subject.items()):
            beginning, inside = rule.literals
            if what == "name":
                self._names[beginning] = place
            else:
                self._beginnings.setdefault(beginning, []).append((place, inside))
        self._lengths = sorted({len(beginning) for beginning in self._beginnings})

    def of(self, name: str) -> _Named:
        """What the rules make of a name."""
        first: Optional[Rule] = None
        used: list[Rule] = []
        now = name
        for rule in self._replacing:
            new = rule.rename(now)
            if new is not None:
                first, now = first or rule, new
                used.append(rule)
        for place in self._about(now):
            rules = self._by_place[place]
            new_names: dict[str, Move] = {}
            for rule in rules:
                new = rule.rename(now)
                if new is not None:
                    by = rule if first is None else _after_that(first, rule)
                    new_names.setdefault(new, Move(name, new, by))
            if new_names:
                moves = tuple(new_names.values())
                return _Named(moves, (*used, *rules), place, rules[0].is_scope)
        if first is not None:
            return _Named((Move(name, now, first),), tuple(used))
        return _Named()

    def _about(self, name: str) -> list[int]:
        """The places of the subjects that a name can be of, in their order."""
        found = [self._names[name]] if name in self._names else []
        for length in self._lengths[: bisect.bisect_right(self._lengths, len(name))]:
            possible = self._beginnings.get(name[:length], ())
            found += [place for place, inside in possible if inside in name]
        return sorted(found)


def _after_that(first: Rule, then: Rule) -> Rule:
    """A rule that replaces, and what a later one says of the same variable."""
    return dataclasses.replace(first, arrangement=then.arrangement)


# Slots and averages.


def _renamed_owner(
    name: str, owners: Mapping[str, str], named: Mapping[str, _Named]
) -> str:
    """The variable with a rule that `name` is a slot or an average of; `` if none.

    Of a slot of an average that is the averaged variable.
    """
    seen = {name}
    while True:
        of = owners.get(name)
        if of is None or of in seen or of not in named:
            return ""
        if named[of].moves:
            return of
        name = of
        seen.add(of)


def _comes_too_late(found: _Named, owner: Optional[_Named]) -> bool:
    """Whether a rule for a scope comes after that of the variable it belongs to."""
    if owner is None or owner.place is None or found.place is None:
        return False
    return found.is_scope and owner.place < found.place


def _following(name: str, owner: str, named: Mapping[str, _Named]) -> list[Move]:
    """The new names of a slot or an average: one for each of its variable's."""
    if not owner:
        return [Move(name, name)]
    return [Move(name, _after(name, owner, move.new)) for move in named[owner].moves]


def _after(name: str, owner: str, new: str) -> str:
    """A slot's or an average's name, once its variable is called otherwise.

    Unchanged if it does not say which variable it belongs to (`Variable_3`).
    """
    if name.endswith(":0") and owner.endswith(":0"):  # as Saver({v.name: v}) has it
        return f"{_after(name[:-2], owner[:-2], re.sub(':0$', '', new))}:0"
    before, found, after = f"/{name}/".rpartition(f"/{owner}/")
    if found:
        return f"{before}/{new}/{after}".strip("/")
    if name.startswith(f"{owner}_"):  # of Mesh-TensorFlow: kernel_slot_v
        return f"{new}{name[len(owner) :]}"
    scope, slash, last = name.rpartition("/")
    flat = owner.replace("/", "_")
    if last.startswith(f"{flat}_"):  # of Keras 3: adam/dense_kernel_momentum
        return f"{scope}{slash}{new.replace('/', '_')}{last[len(flat) :]}"
    return name


# Variables with one new name.


def _settle(
    moves: Sequence[Move], source: str, among_others: bool
) -> tuple[list[Move], list[str]]:
    """The moves without those whose new name another takes, and what is left out.

    Raises:
      AssignmentMapError: two variables get one name, and none of them has to yield.
    """
    claims: dict[str, list[Move]] = {}
    for move in moves:
        claims.setdefault(move.new, []).append(move)
    yielding: set[Move] = set()
    clashes = []
    for new, found in claims.items():
        winners = _winners(found, among_others)
        if len(winners) == 1:
            yielding.update(move for move in found if move != winners[0])
        else:
            old = sorted(move.old for move in found)
            clashes.append(f"{new!r}: {messages.quoted(old)}")
    if clashes:
        raise AssignmentMapError(
            f"{source}: the assignment map gives one name to several variables: "
            f"{messages.listed(sorted(clashes), _MOST, '; ')}. Rename or exclude all "
            f"but one"
        )
    kept = [move for move in moves if move not in yielding]
    still_there = {move.old for move in kept}
    left_out = dict.fromkeys(m.old for m in yielding if m.old not in still_there)
    return kept, list(left_out)


def _winners(found: Sequence[Move], among_others: bool) -> Sequence[Move]:
    """Those of several variables with one new name that take it; one if all is well."""
    if len(found) == 1:
        return found
    replacing = [move for move in found if move.rule and move.rule.replaces]
    if replacing or not among_others:
        return replacing or found
    by_rule = [move for move in found if move.rule is not None]
    return by_rule or [move for move in found if move.new != move.old]


# Rules that do nothing.


def _unused(
    given: Sequence[Rule], named: Mapping[str, _Named], source: str
) -> list[str]:
    """A sentence for each rule that renames no variable, with why if that is known."""
    used = {rule for found in named.values() for rule in found.used}
    builtins = {rule.where for rule in used if rule.is_builtin}
    idle: dict[str, list[Rule]] = {}
    for rule in given:
        # Of a built-in map one rule that matches is enough.
        if rule not in used and not (rule.is_builtin and rule.where in builtins):
            idle.setdefault(str(rule), []).append(rule)
    scopes = {f"{name.rpartition('/')[0]}/" for name in named if "/" in name}
    sentences: list[str] = []
    for text, alike in idle.items():
        if len(sentences) >= _MOST_SEARCHED:
            sentences.append(f"{text} renames no variable of {source}")
        else:
            sentences.append(f"{text} {_why_unused(alike, named, scopes, source)}")
    return sentences


def _is_about(rule: Rule, name: str) -> bool:
    beginning, inside = rule.literals
    is_possible = name.startswith(beginning) and inside in name
    return is_possible and rule.rename(name) is not None


def _why_unused(
    alike: Sequence[Rule],
    named: Mapping[str, _Named],
    scopes: Collection[str],
    source: str,
) -> str:
    """What is to be said of a rule, or of those of a built-in map, that do nothing."""
    for name, found in named.items():
        if found.moves and any(_is_about(rule, name) for rule in alike):
            return (
                f"renames no variable of {source}: {found.used[0]} comes first for "
                f"{name!r}. To give a variable several names, give one rule a list"
            )
    rule = alike[0]
    if not isinstance(rule.source, str):
        return f"matches no variable of {source}"
    near = messages.near(rule.source, scopes if rule.is_scope else named)
    return f"matches no variable of {source}{near}"
