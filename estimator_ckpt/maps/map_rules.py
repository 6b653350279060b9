"""One rule of an assignment map: a name, a scope or a regex, and what it becomes."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Optional, Union

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import object_keys, regexes
from estimator_ckpt.maps.torch_names.torch_name import Arrangement

#: What stands before the name of a built-in map.
BUILTIN = "builtin:"


class AssignmentMapError(CheckpointError, ValueError):
    """An assignment map that cannot be read, or that gives two variables one name."""


class Rule(NamedTuple):
    """One rule of a map.

    Attributes:
      source: a name, a scope (ends in `/`), or a compiled regex.
      target: the new name or scope; of a regex, with groups (`\\1`).
      where: where it was written, for messages.
      replaces: whether a variable that it renames takes the place of one that has
        the new name already, instead of clashing with it. It comes before the others,
        which go on with what it made of a name.
      arrangement: how PyTorch has the numbers of what it renames; None if it does not
        say.
    """

    source: Union[str, re.Pattern[str]]
    target: str
    where: str
    replaces: bool = False
    arrangement: Optional[Arrangement] = None

    def rename(self, name: str) -> Optional[str]:
        """The new name of a variable, or None if the rule is not about it."""
        if not isinstance(self.source, str):
            match = self._fullmatch(name)
            return (match.expand(self.target) or None) if match else None
        if not self.is_scope:
            return self.target if name == self.source else None
        if not name.startswith(self.scope) or self._is_step_of_all(name):
            return None
        return self.target.lstrip("/") + name[len(self.scope) :]

    def _fullmatch(self, name: str) -> Optional[re.Match[str]]:
        """A regex's match; an AssignmentMapError if it does not come to an end."""
        assert not isinstance(self.source, str)
        try:
            return regexes.matcher(self.source.fullmatch, self.source.pattern)(name)
        except regexes.InvalidRegexError as error:
            raise AssignmentMapError(f"{self.where}: {error}") from None

    def _is_step_of_all(self, name: str) -> bool:
        """`/` is the scope of a whole model, which does not own the global step."""
        return not self.scope and name == object_keys.GLOBAL_STEP

    @property
    def is_scope(self) -> bool:
        """Whether it is about all names in a scope."""
        return isinstance(self.source, str) and self.source.endswith("/")

    @property
    def scope(self) -> str:
        """What the names in a scope begin with; of `/` nothing."""
        return self.source.lstrip("/") if isinstance(self.source, str) else ""

    @property
    def is_builtin(self) -> bool:
        return self.where.startswith(BUILTIN)

    @property
    def subject(self) -> tuple[str, str, int]:
        """What it is about. Rules with one subject copy a variable to several names."""
        if not isinstance(self.source, str):
            return "regex", self.source.pattern, self.source.flags
        return ("scope", self.scope, 0) if self.is_scope else ("name", self.source, 0)

    @property
    def literals(self) -> tuple[str, str]:
        """What every name begins with that it is about, and what is in each of them."""
        if isinstance(self.source, str):
            return (self.scope, "") if self.is_scope else (self.source, "")
        return regexes.literals(self.source)

    def __str__(self) -> str:
        if self.is_builtin:
            return f"the map {self.where!r}"
        source = self.source if isinstance(self.source, str) else self.source.pattern
        return f"the rule {source!r} -> {self.target!r} ({self.where})"


def checked(source: Any, target: str, where: str) -> Rule:
    """A rule, if a source and a target can be one.

    Raises:
      AssignmentMapError: they cannot; says why.
    """
    if isinstance(source, re.Pattern):
        _require_groups(source, target, where)
        return Rule(source, target, where)
    if not isinstance(source, str) or not source or not target:
        raise AssignmentMapError(
            f"{where}: {source!r} -> {target!r}: names must be strings, and not empty"
        )
    if source.endswith("/") != target.endswith("/"):
        raise AssignmentMapError(
            f"{where}: {source!r} -> {target!r}: a scope (it ends in '/') can only "
            f"become a scope, and a name a name"
        )
    return Rule(source, target, where)


def compiled(pattern: str, where: str) -> re.Pattern[str]:
    """A regex.

    Raises:
      AssignmentMapError: it is none, or too large a one.
    """
    try:
        return regexes.compiled(pattern)
    except regexes.InvalidRegexError as error:
        raise AssignmentMapError(f"{where}: {error}") from None


def _require_groups(source: re.Pattern[str], target: str, where: str) -> None:
    """Raises AssignmentMapError if a target names groups that a regex has not."""
    if not isinstance(source.pattern, str):
        raise AssignmentMapError(f"{where}: {source.pattern!r} is no regex over text")
    try:
        # Groups are numbered in the template; no match is needed to check it. Flags
        # within the regex must stay in front, a comment must end.
        anything = re.compile(f"{source.pattern}\n|", source.flags)
        anything.fullmatch("").expand(target)  # type: ignore[union-attr]
    except (re.error, IndexError) as error:
        raise AssignmentMapError(
            f"{where}: {target!r} does not fit the groups of {source.pattern!r}: "
            f"{error}"
        ) from None
