"""The rules of a map by what they are about, and what they make of one name."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.maps.map_rules import Rule


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


class Named(NamedTuple):
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


class RulesBySubject:
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

    def of(self, name: str) -> Named:
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
                return Named(moves, (*used, *rules), place, rules[0].is_scope)
        if first is not None:
            return Named((Move(name, now, first),), tuple(used))
        return Named()

    def _about(self, name: str) -> list[int]:
        """The places of the subjects that a name can be of, in their order."""
        found = [self._names[name]] if name in self._names else []
        for length in self._lengths[: bisect.bisect_right(self._lengths, len(name))]:
            possible = self._beginnings.get(name[:length], ())
            found += [place for place, inside in possible if inside in name]
        return sorted(found)


def _after_that(first: Rule, then: Rule) -> Rule:
    """A rule that replaces, and what a later one says of the same variable."""
    return first._replace(arrangement=then.arrangement)
