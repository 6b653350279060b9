"""Where each tensor of a converted checkpoint comes from.

Most are the source's own bytes under another key, and are linked. The few that are
something else are read, changed and written.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any, Optional

import numpy as np

from estimator_ckpt.bundle import dtypes
from estimator_ckpt.checkpoint.opening import Checkpoint
from estimator_ckpt.checkpoint.optimizers import Change
from estimator_ckpt.conversion.key_moves import NewTensor
from estimator_ckpt.keras.described import Live
from estimator_ckpt.layouts.layout_rule import Runs, Use

#: How many bytes of a table are made at a time.
_PIECE = 1 << 20


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a tensor is made of variables of the source.

    Attributes:
      sources: their names.
      use: the layout rule that joins or parts them, and which of what it gives this
        is; None for one variable as it is.
      change: what becomes of each number, None for nothing.
    """

    sources: tuple[str, ...]
    use: Optional[Use] = None
    change: Optional[Change] = None

    @property
    def is_link(self) -> bool:
        """Whether it is a variable of the source, byte for byte."""
        return self.use is None and self.change is None

    def tensor(self, checkpoint: Checkpoint) -> NewTensor:
        """The tensor, to be computed when it is written."""
        info = checkpoint[self.sources[0]]
        kind = dtypes.named(info.dtype)
        shape = info.shape if self.use is None else self.use.shape

        def pieces() -> Iterator[Any]:
            if self.use is None:
                arrays = checkpoint.pieces(self.sources[0])
            elif self.use.runs is not None:
                arrays = _rows(checkpoint, self.sources[0], self.use.runs)
            else:
                arrays = iter([self.use([checkpoint.read(n) for n in self.sources])])
            for array in arrays:
                yield _bytes(_changed(array, self.change), kind)

        return NewTensor(info.dtype, shape, pieces)

    def __str__(self) -> str:
        """For people: from what, and how."""
        found = [f"from {', '.join(map(repr, self.sources))}"]
        if self.use is not None:
            found.append(f"by {self.use.rule.text}")
        if self.change is not None:
            found.append(str(self.change))
        return ", ".join(found)


def _rows(checkpoint: Checkpoint, name: str, runs: Runs) -> Iterator[Any]:
    """A table whose rows are a variable's in another order, piece by piece."""
    info, reader = checkpoint[name], checkpoint.reader
    reader.verify_whole(info.key)
    total, row_shape = info.shape[0], info.shape[1:]
    everything = [(0, size) for size in row_shape]
    dtype = dtypes.named(info.dtype).numpy
    most = max(_PIECE // max(math.prod(row_shape) * dtype.itemsize, 1), 1)
    for start in range(0, total, most):
        stop = min(start + most, total)
        piece = np.empty((stop - start, *row_shape), dtype)
        for first, step, count, place, stride in runs(start, stop, total):
            if count:
                span = (first, (count - 1) * step + 1)
                rows = reader.read_slice(info.key, [span, *everything], check=False)
                piece[place::stride][:count] = rows[::step]
        reader.unmap()
        yield piece


def constant(array: Any, dtype: str) -> NewTensor:
    """A tensor of given numbers."""
    array = np.asarray(array)
    kind = dtypes.named(dtype)
    return NewTensor(dtype, array.shape, lambda: [_bytes(array, kind)])


def own(live: Live) -> NewTensor:
    """A live variable's value, taken when it is written."""
    kind = dtypes.named(live.dtype)
    if kind.is_string:
        return NewTensor(live.dtype, live.shape, lambda: [live.value()])
    return NewTensor(live.dtype, live.shape, lambda: [_bytes(live.value(), kind)])


def _changed(array: Any, change: Optional[Change]) -> Any:
    """The numbers changed, in the array's own precision."""
    if change is None:
        return array
    number = array.dtype.type
    if change.factor != 1:
        array = array * number(change.factor)
    return array + number(change.offset) if change.offset else array


def _bytes(array: Any, kind: dtypes.DataType) -> memoryview:
    flat = np.ascontiguousarray(array, kind.numpy).reshape(-1)
    view: memoryview = flat.view("u1").data
    return view
