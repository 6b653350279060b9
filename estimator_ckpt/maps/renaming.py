"""What rules make of a checkpoint's names: which move where, and which rules do not.

Of the rules about a name those of the first subject count: all of them, so that two
rules with one source copy a variable to two names. What no rule is about keeps its
name, or follows the variable that it is a slot or an average of, to each of its names.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Optional

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.maps import followers, idle_rules
from estimator_ckpt.maps.map_rules import AssignmentMapError, Rule
from estimator_ckpt.maps.rules_by_subject import Move, RulesBySubject

#: The most clashes that an error lists.
_MOST = 20


class Renaming:
    """What a map makes of a checkpoint's names.

    Attributes:
      moves: every variable that is not left out, with each of its new names.
      replaced: the variables that are left out since another takes their name.
      unused: a sentence for each rule that no name matched, some with near names.
    """

    def __init__(
        self,
        moves: tuple[Move, ...],
        replaced: tuple[str, ...] = (),
        unused: tuple[str, ...] = (),
    ) -> None:
        """A result as the attributes say."""
        self.moves = moves
        self.replaced = replaced
        self.unused = unused

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
            f"{rule} gives names that the target lacks, such as {names[0]!r}{near}"
            for (rule, names), near in zip(
                lost.items(),
                idle_rules.near_each((names[0] for names in lost.values()), target),
            )
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
        # Only here: most conversions have no map.
        from estimator_ckpt.checkpoint.evidence import role_evidence

        owners = role_evidence.by_names(names).owners
    by_rules = RulesBySubject(given)
    named = {name: by_rules.of(name) for name in names}
    moves: list[Move] = []
    for name in names:
        owner = followers.renamed_owner(name, owners, named)
        if named[name].moves and not followers.comes_too_late(
            named[name], named.get(owner)
        ):
            moves += named[name].moves
        else:
            moves += followers.following(name, owner, named)
    kept, replaced = _settle(moves, source, among_others)
    unused = idle_rules.sentences_on(given, named, source)
    return Renaming(tuple(kept), tuple(replaced), tuple(unused))


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
