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

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

# Without a map nobody pays for what maps can be, and with one not before it is used.
if TYPE_CHECKING:
    from estimator_ckpt.maps.map_rules import Rule
    from estimator_ckpt.maps.renaming import Renaming

#: Gives the name of a variable.
NameOf = Callable[[Any], str]


class AssignmentMap(NamedTuple):
    """An ordered list of rules.

    Attributes:
      rules: the rules, first match first.
    """

    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, given: Any, *, name_of: Optional[NameOf] = None) -> AssignmentMap:
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
        if given is None:
            return NO_RENAMES
        if isinstance(given, AssignmentMap):
            return given
        from estimator_ckpt.maps import given_maps

        return cls(tuple(given_maps.rules_of(given, name_of)))

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
