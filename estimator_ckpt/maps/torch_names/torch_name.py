"""One row of a map to PyTorch's names, and the rows of a whole layer."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from typing import NamedTuple


class Arrangement(enum.Enum):
    """How PyTorch has the numbers of a tensor.

    Attributes:
      AS_IT_IS: as TensorFlow has them: vectors, tables of embeddings, and matrices that
        TensorFlow's model multiplies by transposed.
      DENSE: a kernel `[in, out]` as `[out, in]`; axes of size 1 before these go.
      CONV: a convolution's kernel, `[..., in, out]` as `[out, in, ...]`.
      MATRIX: as it is, but for axes of size 1 before the last two, which go.
    """

    AS_IT_IS = "as it is"
    DENSE = "dense"
    CONV = "conv"
    MATRIX = "matrix"

    def shape_of(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A tensor's shape in PyTorch; its own if it cannot be arranged so."""
        if self is Arrangement.AS_IT_IS or len(shape) < 2:
            return shape
        *leading, inputs, outputs = shape
        if self is Arrangement.CONV:
            return (outputs, inputs, *leading)
        if math.prod(leading) != 1:
            return shape
        return (outputs, inputs) if self is Arrangement.DENSE else (inputs, outputs)


class TorchName(NamedTuple):
    """A variable's name in PyTorch.

    Attributes:
      source: a regex over whole names of TensorFlow variables.
      target: the name in PyTorch, with the regex's groups.
      arrangement: how PyTorch has its numbers.
    """

    source: str
    target: str
    arrangement: Arrangement = Arrangement.AS_IT_IS


def dense(scope: str, module: str) -> tuple[TorchName, ...]:
    """The kernel and the bias of a Dense layer, which is a Linear module."""
    return (
        TorchName(rf"{scope}/kernel", rf"{module}.weight", Arrangement.DENSE),
        TorchName(rf"{scope}/bias", rf"{module}.bias"),
    )


def norm(scope: str, module: str) -> tuple[TorchName, ...]:
    """The scale and the offset of a LayerNorm."""
    return (
        TorchName(rf"{scope}/gamma", rf"{module}.weight"),
        TorchName(rf"{scope}/beta", rf"{module}.bias"),
    )


def batch_norm(scope: str, module: str) -> tuple[TorchName, ...]:
    """A BatchNorm's scale and offset, and its statistics."""
    return (
        *norm(scope, module),
        TorchName(rf"{scope}/moving_mean", rf"{module}.running_mean"),
        TorchName(rf"{scope}/moving_variance", rf"{module}.running_var"),
    )


def output(scope: str, module: str) -> tuple[TorchName, ...]:
    """`output_weights` `[out, in]` of Google's BERT, used transposed, and its bias."""
    scope = f"{scope}/" if scope else ""
    return (
        TorchName(rf"{scope}output_weights", rf"{module}.weight"),
        TorchName(rf"{scope}output_bias", rf"{module}.bias"),
    )


def together(*rows: Iterable[TorchName]) -> tuple[TorchName, ...]:
    """The rows of several layers."""
    return tuple(row for some in rows for row in some)
