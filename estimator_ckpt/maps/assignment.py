"""Assignment maps: what the variables of an old checkpoint are called in a new one.

A map is an ordered list of rules from source names to target names, as in
`tf.compat.v1.train.init_from_checkpoint`; the first that matches a name renames it. A
map never selects: a name that no rule matches stays. Slot variables and averages
follow the variable that they belong to, unless a rule matches them; one for a scope
that comes after that of the variable does not count.

    {'old_scope/': 'new_scope/'}   all names in a scope; `/` is the scope of all names
    {'old/name': 'new/name'}       one name
    {'old/name': variable}         a variable, or a list of the parts of one
    {re.compile(r'l_(\\d+)/w'): r'block_\\1/kernel'}   a regex over whole names
    {'net/': ['online/', 'target/']}   each of these gets a copy

Two rules with one source are the same as one with two targets. Maps in YAML and JSON:
`map_files`; those that come with the toolkit: `builtin_maps`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from estimator_ckpt.maps import map_rules
from estimator_ckpt.maps.map_rules import BUILTIN, AssignmentMapError, Rule

# A job that is only defined, with or without a map, does not pay for what maps do.
if TYPE_CHECKING:
    from estimator_ckpt.maps.renaming import Renaming

__all__ = ["NO_RENAMES", "AssignmentMap", "AssignmentMapError"]

_PART = re.compile(r"/part_\d+$")
_NameOf = Callable[[Any], str]


class AssignmentMap(NamedTuple):
    """An ordered list of rules.

    Attributes:
      rules: the rules, first match first.
    """

    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, given: Any, *, name_of: Optional[_NameOf] = None) -> AssignmentMap:
        """A map from whatever a user gives.

        Args:
          given: None, an AssignmentMap, a dict or a list of pairs (old to new), the
            path of a YAML or JSON file, or `builtin:NAME`; or a list in which such
            maps stand, too. A new name may be a list of several.
          name_of: the name of a variable, or of a list of parts, that stands where a
            new name could; what a Saver calls it by default.

        Raises:
          AssignmentMapError: it is none of these, or a rule is malformed.
          CheckpointNotFoundError: there is no such file.
        """
        return cls(tuple(_rules_of(given, name_of or _saver_name)))

    def __bool__(self) -> bool:
        return bool(self.rules)

    def rename(
        self,
        names: Collection[str],
        *,
        source: str,
        among_others: bool = False,
        owners: Optional[Mapping[str, str]] = None,
    ) -> Renaming:
        """Renames the variables of a checkpoint.

        Args:
          names: all of them; a set or dict is fastest.
          source: the checkpoint, for messages.
          among_others: whether a renamed variable wins over one that keeps the same
            name, which is then left out, as in `init_from_checkpoint`. Otherwise
            that is an error, since a variable would be lost.
          owners: the variable that each slot or average belongs to, by its name;
            None: as far as names tell.

        Raises:
          AssignmentMapError: two variables get one name; lists those that do.
        """
        from estimator_ckpt.maps import renaming

        return renaming.rename(
            self.rules, names, source=source, among_others=among_others, owners=owners
        )


#: A map that leaves every name as it is.
NO_RENAMES = AssignmentMap()


def _rules_of(given: Any, name_of: _NameOf) -> list[Rule]:
    """The rules of a map in any of its forms."""
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
            found += _rules_of(pair, name_of)
        else:
            found += _rules_of_pair(pair, f"rule {number}", name_of)
    return found


def _is_map(item: Any) -> bool:
    """Whether an item of a list is a map of its own rather than a pair of names."""
    return item is None or isinstance(item, (str, os.PathLike, Mapping, AssignmentMap))


def _rules_of_pair(pair: Any, where: str, name_of: _NameOf) -> list[Rule]:
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


def _targets(target: Any, where: str, name_of: _NameOf) -> list[str]:
    """The new names that stand for themselves, as variables, or as parts of variables.

    The parts of a partitioned variable have one name, so a list of them is one target.
    """
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
