"""What a user gives for an assignment map, as rules: a dict, pairs, a file, a name.

What the rules mean: assignment.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Optional

from estimator_ckpt.maps import map_rules
from estimator_ckpt.maps.assignment import AssignmentMap, NameOf
from estimator_ckpt.maps.map_rules import BUILTIN, AssignmentMapError, Rule

_PART = re.compile(r"/part_\d+$")


def rules_of(given: Any, name_of: Optional[NameOf] = None) -> list[Rule]:
    """The rules of a map in any of its forms; the arguments are `AssignmentMap.of`'s.

    Raises:
      AssignmentMapError: it is none, or a rule is malformed.
      CheckpointNotFoundError: there is no such file.
    """
    if given is None:
        return []
    if isinstance(given, AssignmentMap):
        return list(given.rules)
    if isinstance(given, (str, os.PathLike)):
        text = os.fspath(given)
        if text.startswith(BUILTIN):
            from estimator_ckpt.maps import builtin_maps

            return builtin_maps.rules_of(text[len(BUILTIN) :], "builtin")
        from estimator_ckpt.maps import map_files

        return map_files.load(text)
    if not isinstance(given, (Mapping, list, tuple)):
        raise AssignmentMapError(
            f"{given!r} is no assignment map: give a dict from old names to new "
            f"ones, a list of pairs, or the path of a YAML or JSON file"
        )
    found: list[Rule] = []
    pairs: Iterable[Any] = given.items() if isinstance(given, Mapping) else given
    for number, pair in enumerate(pairs, 1):
        if _is_map(pair):
            found += rules_of(pair, name_of)
        else:
            found += _rules_of_pair(pair, f"rule {number}", name_of)
    return found


def _is_map(item: Any) -> bool:
    """Whether an item of a list is a map of its own rather than a pair of names."""
    return item is None or isinstance(item, (str, os.PathLike, Mapping, AssignmentMap))


def _rules_of_pair(pair: Any, where: str, name_of: Optional[NameOf]) -> list[Rule]:
    """A rule for each of the new names of a pair."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise AssignmentMapError(
            f"{where}: {pair!r} is no pair of an old and a new name"
        )
    source, target = pair
    return [
        map_rules.checked(source, name, where)
        for name in _targets(target, where, name_of)
    ]


def _targets(target: Any, where: str, name_of: Optional[NameOf]) -> list[str]:
    """The new names that stand for themselves, as variables, or as parts of variables.

    The parts of a partitioned variable have one name, so a list of them is one target.
    """
    name_of = name_of or _saver_name
    each = target if isinstance(target, (list, tuple)) else [target]
    try:
        found = [one if isinstance(one, str) else name_of(one) for one in each]
    except (AttributeError, IndexError, TypeError):
        found = []
    if not found:
        raise AssignmentMapError(
            f"{where}: {target!r} is no name, no variable and no list of names, of "
            f"variables or of the parts of one"
        )
    return list(dict.fromkeys(found))


def _saver_name(variable: Any) -> str:
    """The name in a checkpoint of a variable, or of a list of the parts of one."""
    if isinstance(variable, (list, tuple)):
        return _saver_name(variable[0])
    return _PART.sub("", str(variable.name).partition(":")[0])
