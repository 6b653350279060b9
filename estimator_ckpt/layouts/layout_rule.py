"""How the variables of a layer become those of one that lays them out otherwise.

A rule reorders numbers and computes none, so a slot variable goes the same way as its
variable. One thing is added: the forget bias, which tf1 adds while it runs and Keras
keeps in `bias`. It is the variable's alone.

The rules that there are, and how they are written down: `layer_rules`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import messages

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array

    Reorder = Callable[[Sequence[Array]], Sequence[Array]]

Shape = tuple[int, ...]


class LayoutRuleError(CheckpointError, ValueError):
    """A layout rule that cannot be read, or that does not fit its variables."""


class Run(NamedTuple):
    """Rows of one table that are rows of another.

    Attributes:
      first: the first of them in the source.
      step: from one to the next there.
      number: how many.
      place: where the first of them goes.
      stride: from one to the next there.
    """

    first: int
    step: int
    number: int
    place: int
    stride: int


#: The runs that rows `start` to `stop` of a table consist of, given how many it has.
Runs = Callable[[int, int, int], list[Run]]


@dataclasses.dataclass(frozen=True)
class LayoutRule:
    """How some variables of tf1 become some of Keras.

    Attributes:
      text: the rule, for messages.
      sources: the names of the tf1 variables.
      targets: the names of the Keras variables.
      forward: gives the latter from the former, shapes aside.
      backward: gives the former from the latter; None if that cannot be.
      shift: what Keras's variable has more than tf1's, made from a target's array;
        None for nothing. Slots have no such difference.
      refused: variables of tf1 that the layer may not have, by why.
      caveat: what training does otherwise in Keras's layer, None for nothing.
      runs: of a rule that moves rows of one table, those of the target and those of the
        source, so that no more than a piece of the table need be in memory.
    """

    text: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    forward: Reorder
    backward: Optional[Reorder]
    shift: Optional[Callable[[Array], Array]] = None
    refused: Mapping[str, str] = dataclasses.field(default_factory=dict)
    caveat: Optional[str] = None
    runs: Optional[tuple[Runs, Runs]] = None

    def check(self, names: Collection[str]) -> None:
        """Raises LayoutRuleError if a checkpoint's layer is not what the rule means."""
        missing = [name for name in self.sources if name not in names]
        if missing:
            raise LayoutRuleError(
                f"{self.text}: the source has no {', '.join(map(repr, missing))}"
            )
        for name, why in self.refused.items():
            if name in names:
                raise LayoutRuleError(f"{self.text}: {name!r} is there: {why}")

    def require_one_dtype(self, names: Iterable[str], dtypes: Iterable[int]) -> None:
        """Raises LayoutRuleError if variables, or tensors, are of several dtypes."""
        if len(set(dtypes)) != 1:
            raise LayoutRuleError(
                f"{self.text}: {messages.quoted(names)} are not of one type"
            )

    def uses(self, given: Sequence[Shape], wanted: Sequence[Shape]) -> list[Use]:
        """How each of the targets is made, once it is sure that the shapes fit.

        Args:
          given: the shapes of the sources.
          wanted: the shapes of the targets.

        Raises:
          LayoutRuleError: they do not fit.
        """
        made = self._shapes(self.forward, given)
        if list(map(math.prod, made)) != list(map(math.prod, wanted)):
            raise LayoutRuleError(
                f"{self.text}: variables of shapes {_listed(given)} become "
                f"{_listed(made)}, not {_listed(wanted)}"
            )
        return [Use(self, i, tuple(shape)) for i, shape in enumerate(wanted)]

    def made(self, given: Sequence[Shape]) -> list[Shape]:
        """The shapes of what it makes of sources of these shapes.

        Raises:
          LayoutRuleError: they do not fit.
        """
        return self._shapes(self.forward, given)

    def uses_back(self, given: Sequence[Shape]) -> list[Use]:
        """How each of the sources is made from targets of these shapes.

        Raises:
          LayoutRuleError: the rule goes one way only, or the shapes do not fit.
        """
        if self.backward is None:
            raise LayoutRuleError(f"{self.text}: this rule cannot be reversed")
        made = self._shapes(self.backward, given)
        return [Use(self, i, shape, is_back=True) for i, shape in enumerate(made)]

    def _shapes(self, reorder: Reorder, given: Sequence[Shape]) -> list[Shape]:
        """The shapes of what becomes of arrays of given shapes."""
        import numpy as np

        if self.runs is not None and all(given):
            return list(given)
        try:
            # No array in memory: each of its numbers is the same one.
            made = reorder([np.broadcast_to(np.int8(0), shape) for shape in given])
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise LayoutRuleError(
                f"{self.text}: does not fit variables of shapes {_listed(given)}: "
                f"{error}"
            ) from None
        return [tuple(array.shape) for array in made]


@dataclasses.dataclass(frozen=True)
class Use:
    """One of the tensors that a rule gives.

    Attributes:
      rule: the rule.
      place: which one.
      shape: its shape.
      is_back: whether it is one of the rule's sources, made from its targets.
      is_slot: whether it is a slot of the variable rather than the variable.
    """

    rule: LayoutRule
    place: int
    shape: Shape
    is_back: bool = False
    is_slot: bool = False

    @property
    def runs(self) -> Optional[Runs]:
        """Where its rows come from, if it is made row by row."""
        return None if self.rule.runs is None else self.rule.runs[self.is_back]

    def __call__(self, arrays: Sequence[Array]) -> Array:
        """The tensor, from what the rule makes it of."""
        shift = None if self.is_slot else self.rule.shift
        if not self.is_back:
            made = self.rule.forward(arrays)[self.place].reshape(self.shape)
            return made if shift is None else made + shift(made)
        assert self.rule.backward is not None
        if shift is not None:
            arrays = [array - shift(array) for array in arrays]
        return self.rule.backward(arrays)[self.place]


def _listed(shapes: Sequence[Shape]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes)
