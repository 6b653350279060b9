"""Include and exclude: regular expressions over variable names.

They match from the beginning of a name (`re.match`), as TensorFlow's
`vars_to_warm_start` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Optional, Union

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import regexes

#: What a user gives: nothing, a regex, or several.
Patterns = Union[None, str, Iterable[str]]


class PatternError(CheckpointError, ValueError):
    """An include or exclude that is no regular expression."""


def compile_patterns(given: Patterns) -> Optional[tuple[re.Pattern[str], ...]]:
    """The patterns of an include or exclude, compiled; None for none given.

    Raises:
      PatternError: one is no regular expression.
    """
    if given is None:
        return None
    compiled = []
    for pattern in (given,) if isinstance(given, str) else given:
        try:
            compiled.append(regexes.compiled(pattern))
        except regexes.InvalidRegexError as error:
            raise PatternError(str(error)) from None
    return tuple(compiled)


class Filter:
    """Which names an include and an exclude leave; exclude wins.

    Args:
      include: regexes of names to keep, None for all.
      exclude: regexes of names to leave out.

    Raises:
      PatternError: one is no regular expression.
    """

    def __init__(self, include: Patterns = None, exclude: Patterns = None) -> None:
        self._include = compile_patterns(include)
        self._exclude = compile_patterns(exclude) or ()

    @property
    def keeps_all(self) -> bool:
        """Whether nothing was asked for."""
        return self._include is None and not self._exclude

    def excludes(self, name: str) -> bool:
        if not self._exclude:
            return False
        return any(_matches(pattern, name) for pattern in self._exclude)

    def includes(self, name: str) -> bool:
        if not self._include:
            return self._include is None
        return any(_matches(pattern, name) for pattern in self._include)

    def keeps(self, name: str) -> bool:
        return not self.excludes(name) and self.includes(name)

    def unused(self, names: Iterable[str]) -> list[str]:
        """The patterns that match none of `names`."""
        patterns = (*(self._include or ()), *self._exclude)
        known = list(names) if patterns else []
        return [
            pattern.pattern
            for pattern in patterns
            if not any(_matches(pattern, name) for name in known)
        ]

    def remarks(self, names: Iterable[str], source: str) -> list[str]:
        """A sentence for each pattern that matches none of a source's `names`."""
        return [
            f"the pattern {pattern!r} matches no variable of {source}"
            for pattern in self.unused(names)
        ]


def _matches(pattern: re.Pattern[str], name: str) -> bool:
    try:
        return bool(regexes.matcher(pattern.match, pattern.pattern)(name))
    except regexes.InvalidRegexError as error:
        raise PatternError(str(error)) from None
