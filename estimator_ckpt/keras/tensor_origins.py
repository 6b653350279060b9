"""Where each tensor of a converted checkpoint comes from.

Most are the source's own bytes under another key, and are linked. The few that are
something else are read, changed and written.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Optional, Union

import numpy as np

from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.optimizers.slot_changes import Change
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.conversion.key_moves import NewTensor
from estimator_ckpt.layouts.layout_rule import Runs, Use

#: How many bytes of a table are made at a time.
_PIECE = 1 << 20


@dataclasses.dataclass(frozen=True)
class FromSource:
    """A tensor that is made of variables of the source.

    Attributes:
      names: their names.
      use: the layout rule that joins or parts them, and which of what it gives this
        is; None for one variable as it is.
      change: what becomes of each number, None for nothing.
    """

    names: tuple[str, ...]
    use: Optional[Use] = None
    change: Optional[Change] = None

    @property
    def is_link(self) -> bool:
        """Whether it is a variable of the source, byte for byte."""
        return self.use is None and self.change is None

    def variable(self, source: Mapping[str, Variable]) -> Variable:
        """What it is before the object takes it: of a rule, in the rule's shape."""
        first = source[self.names[0]]
        if self.use is None:
            return first
        return first._replace(shape=self.use.shape)

    def tensor(self, checkpoint: Checkpoint) -> NewTensor:
        """The tensor, to be computed when it is written."""
        info = checkpoint[self.names[0]]
        dtype = dtypes.named(info.dtype)
        shape = info.shape if self.use is None else self.use.shape

        def pieces() -> Iterator[Any]:
            for array in self._arrays(checkpoint):
                yield _bytes(_changed(array, self.change), dtype)

        return NewTensor(info.dtype, shape, pieces)

    def _arrays(self, checkpoint: Checkpoint) -> Iterator[Any]:
        """Its numbers before they are changed, piece by piece."""
        if self.use is None:
            return checkpoint.pieces(self.names[0])
        if self.use.runs is not None:
            return _rows(checkpoint, self.names[0], self.use.runs)
        return iter([self.use([checkpoint.read(name) for name in self.names])])

    def __str__(self) -> str:
        """For people: from what, and how."""
        found = [f"from {', '.join(map(repr, self.names))}"]
        if self.use is not None:
            found.append(f"by {self.use.rule.text}")
        if self.change is not None:
            found.append(str(self.change))
        return ", ".join(found)


@dataclasses.dataclass(frozen=True)
class Computed:
    """A tensor that the source does not have.

    Attributes:
      dtype: TensorFlow's name of its dtype.
      shape: its shape.
      value: gives it as an array, when it is written.
    """

    dtype: str
    shape: tuple[int, ...]
    value: Callable[[], Any]

    def tensor(self, checkpoint: Checkpoint) -> NewTensor:
        dtype = dtypes.named(self.dtype)
        if dtype.is_string:
            return NewTensor(self.dtype, self.shape, lambda: [self.value()])
        return NewTensor(self.dtype, self.shape, lambda: [_bytes(self.value(), dtype)])


#: Where a tensor comes from.
Origin = Union[FromSource, Computed]


def array_of(origin: Origin, checkpoint: Checkpoint) -> Any:
    """A tensor as an array: its own dtype and shape."""
    if isinstance(origin, Computed):
        return np.asarray(origin.value(), dtypes.named(origin.dtype).numpy)
    if origin.is_link:
        return checkpoint.read(origin.names[0])
    made = origin.tensor(checkpoint)
    content = b"".join(bytes(chunk) for chunk in made.chunks())
    return np.frombuffer(content, dtypes.named(made.dtype).numpy).reshape(made.shape)


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


def _changed(array: Any, change: Optional[Change]) -> Any:
    """The numbers changed, in the array's own precision."""
    if change is None:
        return array
    number = array.dtype.type
    if change.factor != 1:
        array = array * number(change.factor)
    return array + number(change.offset) if change.offset else array


def _bytes(array: Any, dtype: dtypes.DataType) -> memoryview:
    flat = np.ascontiguousarray(array, dtype.numpy).reshape(-1)
    content: memoryview = flat.view("u1").data
    return content
