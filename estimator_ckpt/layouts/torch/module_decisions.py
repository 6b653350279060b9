"""What a variable is among the tensors of PyTorch's modules, once that is decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Optional, Union

Shape = tuple[int, ...]

#: What can be done with a variable that no module of PyTorch has.
EXCLUDE = "exclude it (exclude, --exclude), or {as_is: ...} keeps it as it is"


class Fact(NamedTuple):
    """What is known of a variable.

    Attributes:
      shape: its shape.
      attribute: what the object graph's object calls it; None if there is none.
    """

    shape: Shape
    attribute: Optional[str] = None


class Decided(NamedTuple):
    """What one variable is.

    Attributes:
      word: the word of its rule.
      ending: what its tensor's name ends with.
      drops_last: whether the last part of the variable's name goes for that.
      evidence: a phrase for people.
      options: those of the rule.
    """

    word: str
    ending: tuple[str, ...]
    drops_last: bool
    evidence: str
    options: Mapping[str, object] = {}


class DecidedCell(NamedTuple):
    """What the variables of a recurrent cell are, which one rule takes.

    Attributes:
      word: the word of its rule.
      scope: their scope.
      module: the scope of the module.
      evidence: a phrase for people.
      options: those of the rule.
    """

    word: str
    scope: str
    module: str
    evidence: str
    options: Mapping[str, object] = {}


class Undecided(NamedTuple):
    """A variable that nothing decides, or that cannot be had.

    Attributes:
      why: a phrase.
      rules: the rules that could be given, as text.
    """

    why: str
    rules: str


Decision = Union[Decided, DecidedCell, Undecided]
