"""The bytes of an exported tensor, in pieces: read, put in order, rounded.

A tensor whose numbers stay in their order, or that is only transposed, is in memory
only in part; one that a rule joins or parts (an LSTM's kernel) is.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Optional

from estimator_ckpt.bundle.local_files.scratch_file import ScratchFile
from estimator_ckpt.bundle.tensors import arrays, dtypes
from estimator_ckpt.bundle.tensors.dtypes import DataType
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.layouts.layout_rule import LayoutRule
from estimator_ckpt.layouts.torch.permutations import Permutation

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array


class Rounding:
    """Floating-point numbers in another type, and which were too large for it.

    Attributes:
      dtype: the name of the type; None: nothing is rounded.
      overflows: how many numbers of each tensor became infinite, and the largest.
    """

    def __init__(self, dtype: Optional[str]) -> None:
        self.dtype = dtype
        self.overflows: dict[str, tuple[int, float]] = {}

    def type_of(self, dtype: DataType) -> DataType:
        """The type that a tensor of a type gets."""
        if self.dtype is None or not dtype.name.startswith(("float", "bfloat")):
            return dtype
        return dtypes.named(self.dtype)

    def pieces(
        self, name: str, given: Iterator[Array], dtype: DataType
    ) -> Iterator[Array]:
        """Pieces of a tensor of a type, rounded."""
        import numpy as np

        wanted = self.type_of(dtype)
        if wanted == dtype:
            yield from given
            return
        for piece in given:
            with np.errstate(over="ignore"):
                rounded = piece.astype(wanted.numpy)
            lost = np.isinf(rounded) & np.isfinite(piece)
            count = int(np.count_nonzero(lost))
            if count:
                before, largest = self.overflows.get(name, (0, 0.0))
                found = float(np.abs(piece[lost].astype(np.float64)).max())
                self.overflows[name] = before + count, max(largest, found)
            yield rounded

    def sentences(self) -> list[str]:
        """What is to be said of numbers that were too large."""
        return [
            f"{name}: {count} numbers, the largest {largest:.3g}, are too large for "
            f"{self.dtype} and became infinite"
            for name, (count, largest) in self.overflows.items()
        ]


def unmoved(checkpoint: Checkpoint, key: str) -> Iterator[Array]:
    """A tensor as it is, in flat pieces, held against its checksum first."""
    yield from checkpoint.reader.iter_arrays(key)


def permuted(
    checkpoint: Checkpoint, key: str, permutation: Permutation, directory: str
) -> Iterator[Array]:
    """A tensor with its axes in another order, held against its checksum first.

    Args:
      checkpoint: the source.
      key: the tensor's.
      permutation: the order.
      directory: where a large tensor is kept meanwhile.
    """
    dtype = dtypes.of(checkpoint.index[key].dtype).numpy
    yield from permutation.pieces(
        checkpoint.reader.iter_arrays(key),
        dtype,
        functools.partial(ScratchFile, directory),
    )


def ruled(
    checkpoint: Checkpoint, keys: Sequence[str], part: LayoutRule, place: int
) -> Iterator[Array]:
    """One of the tensors that a rule makes of some."""
    import numpy as np

    given = [checkpoint.reader.read(key) for key in keys]
    flat = np.ascontiguousarray(part.forward(given)[place]).reshape(-1)
    del given
    checkpoint.reader.unmap()
    yield from arrays.in_pieces(flat)


def as_bytes(pieces: Iterator[Array]) -> Iterator[Any]:
    """Pieces as little-endian bytes."""
    import numpy as np

    for piece in pieces:
        if piece.dtype.byteorder == ">":
            piece = piece.byteswap()
        yield np.ascontiguousarray(piece).view("u1").data
