"""Where each tensor of a converted checkpoint comes from.

Most are the source's own bytes under another key, and are linked. The few that are
something else are read, changed and written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Optional

import numpy as np

from estimator_ckpt.bundle import dtypes
from estimator_ckpt.migration.checkpoint import Checkpoint
from estimator_ckpt.migration.layers import LayoutRule
from estimator_ckpt.migration.rekey import NewTensor

Change = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a tensor is made of variables of the source.

    Attributes:
      sources: their names.
      rule: the layout rule that joins or parts them, None for one variable as it is.
      shapes: the shapes of all that the rule gives.
      output: which of these this one is.
      change: what becomes of each number, None for nothing.
    """

    sources: tuple[str, ...]
    rule: Optional[LayoutRule] = None
    shapes: tuple[tuple[int, ...], ...] = ()
    output: int = 0
    change: Optional[Change] = None

    @property
    def is_link(self) -> bool:
        return self.rule is None and self.change is None

    def of_slots(self, slots: Sequence[str], change: Optional[Change]) -> Recipe:
        """The same for a slot of this variable.

        Args:
          slots: the slots of its sources.
          change: what becomes of each number.
        """
        return dataclasses.replace(self, sources=tuple(slots), change=change)

    def tensor(self, checkpoint: Checkpoint, is_slot: bool) -> NewTensor:
        """The tensor, to be computed when it is written."""
        info = checkpoint[self.sources[0]]
        kind = dtypes.named(info.dtype)
        if self.rule is None:
            return NewTensor(info.dtype, info.shape, lambda: self._pieces(checkpoint))

        def whole() -> Iterator[Any]:
            arrays = [checkpoint.read(name) for name in self.sources]
            assert self.rule is not None
            array = self.rule.apply(arrays, self.shapes, is_slot)[self.output]
            yield _bytes(array if self.change is None else self.change(array), kind)

        return NewTensor(info.dtype, self.shapes[self.output], whole)

    def _pieces(self, checkpoint: Checkpoint) -> Iterator[Any]:
        assert self.change is not None
        kind = dtypes.named(checkpoint[self.sources[0]].dtype)
        for piece in checkpoint.pieces(self.sources[0]):
            yield _bytes(self.change(piece), kind)


def constant(array: Any, dtype: str) -> NewTensor:
    """A tensor of given numbers."""
    array = np.asarray(array)
    kind = dtypes.named(dtype)
    return NewTensor(dtype, array.shape, lambda: [_bytes(array, kind)])


def scaled(factor: float) -> Change:
    """Multiplies by a factor, in the array's own precision."""
    return lambda array: array * array.dtype.type(factor)


def shifted(offset: float) -> Change:
    """Adds an offset, in the array's own precision."""
    return lambda array: array + array.dtype.type(offset)


def _bytes(array: Any, kind: dtypes.DataType) -> memoryview:
    flat = np.ascontiguousarray(array, kind.numpy).reshape(-1)
    view: memoryview = flat.view("u1").data
    return view


def written(recipes: Mapping[str, Recipe]) -> dict[str, Recipe]:
    """Those by key that are no links."""
    return {key: recipe for key, recipe in recipes.items() if not recipe.is_link}
