"""A built-in map to PyTorch's names, where the target has the names that it gives."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps import builtin_maps
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.map_rules import AssignmentMapError, Rule
from estimator_ckpt.maps.suggest.pairing.decisions import Reason
from estimator_ckpt.maps.suggest.variable_pairs import Pair

_NAMES = Reason(0.95, "a published model, and its names in PyTorch")
#: What part of the target's variables a map must give a value at least.
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
    for name, known in builtin_maps.BUILTIN_MAPS.items():
        if known.is_to_torch:
            found = _pairs(tuple(known.rules(name)), source, target, given)
            best = max(best, found, key=lambda published: len(published.pairs))
    return best if len(best.pairs) >= _LEAST * len(target) else Published()


def _pairs(
    rules: tuple[Rule, ...],
    source: Mapping[str, Variable],
    target: Mapping[str, Variable],
    given: Collection[str],
) -> Published:
    try:
        moves = AssignmentMap(rules).rename(source, source="the source").moves
    except AssignmentMapError:  # two models in one checkpoint
        return Published()
    renamed = [move for move in moves if move.rule is not None]
    if any(move.old in given for move in renamed):
        return Published()
    pairs = tuple(
        Pair.of(source[move.old], target[move.new], _NAMES)
        for move in renamed
        if move.new in target
        if _size(source[move.old]) == _size(target[move.new])
    )
    return Published(pairs, rules)


def _size(variable: Variable) -> int:
    return math.prod(variable.shape or ())
