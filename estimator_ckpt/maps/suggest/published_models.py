"""Models of which a built-in map knows the names in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import NamedTuple, Optional

from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps import builtin_maps
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.map_rules import BUILTIN, AssignmentMapError, Rule
from estimator_ckpt.maps.rules_by_subject import Move
from estimator_ckpt.maps.suggest.pairing.decisions import Reason
from estimator_ckpt.maps.suggest.variable_pairs import Pair

_NAMES = Reason(0.95, "a published model, and its names in PyTorch")
#: What part of a model's variables a map must name at least.
_LEAST = 0.5


class Published(NamedTuple):
    """A built-in map that fits; without pairs, none does.

    Attributes:
      pairs: the variables that it renames to some of the target's, of as many numbers.
      rules: its rules.
    """

    pairs: tuple[Pair, ...] = ()
    rules: tuple[Rule, ...] = ()


def fitting(
    source: Mapping[str, Variable],
    target: Mapping[str, Variable],
    given: Collection[str],
) -> Published:
    """The built-in map that gives most of a target's variables their name.

    Args:
      source: the model's own variables, by name.
      target: the target's own.
      given: the source's variables that a user's map renames.
    """
    best = Published()
    if not any(name.endswith(".weight") for name in target):
        return best
    for name in _candidates(source):
        rules = tuple(builtin_maps.BUILTIN_MAPS[name].rules(name))
        found = _pairs(rules, source, target, given)
        best = max(best, found, key=lambda published: len(published.pairs))
    return best if len(best.pairs) >= _LEAST * len(target) else Published()


def known_as(names: Collection[str]) -> Optional[str]:
    """The built-in map that knows most of some variables' names; None if none does."""
    best, most = None, 0
    for name in _candidates(names):
        rules = tuple(builtin_maps.BUILTIN_MAPS[name].rules(name))
        count = len(_renamed(rules, names))
        if count > most:
            best, most = f"{BUILTIN}{name}", count
    return best if most >= _LEAST * len(names) else None


def _candidates(names: Collection[str]) -> list[str]:
    """The built-in maps to PyTorch's names that some variables can be of."""
    return [
        name
        for name, known in builtin_maps.BUILTIN_MAPS.items()
        if known.is_to_torch and any(known.telling in variable for variable in names)
    ]


def _pairs(
    rules: tuple[Rule, ...],
    source: Mapping[str, Variable],
    target: Mapping[str, Variable],
    given: Collection[str],
) -> Published:
    renamed = _renamed(rules, source)
    if any(move.old in given for move in renamed):
        return Published()
    pairs = tuple(
        Pair.of(source[move.old], target[move.new], _NAMES)
        for move in renamed
        if move.new in target
        if _size(source[move.old]) == _size(target[move.new])
    )
    return Published(pairs, rules)


def _renamed(rules: tuple[Rule, ...], names: Collection[str]) -> list[Move]:
    """The variables that rules rename; none if two would have one name."""
    try:
        found = AssignmentMap(rules).rename(names, source="the source")
    except AssignmentMapError:  # two models in one checkpoint
        return []
    return [move for move in found.moves if move.rule is not None]


def _size(variable: Variable) -> int:
    return math.prod(variable.shape or ())
