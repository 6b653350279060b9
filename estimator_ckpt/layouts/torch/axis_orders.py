"""Modules of PyTorch whose tensors are those of one layer, each in another order.

    dense              kernel [in, out]          weight [out, in]
    conv               kernel [..., in, out]     weight [out, in, ...]; a transposed
                       one's [..., out, in]      weight [in, out, ...]
    depthwise          kernel [..., C, M]        weight [C*M, 1, ...]
    matrix             [1, in, out]              [in, out]
    flat               bias [heads, size]        bias [heads*size]
    embedding, as_is   as they are

Source: the shapes in PyTorch's documentation of Linear, Conv1d to 3d, ConvTranspose1d
to 3d and Embedding; `tests/compat/test_torch.py` runs them beside TensorFlow's layers.
"""

from __future__ import annotations

import math
from typing import Optional

from estimator_ckpt.layouts.torch.permutations import Permutation, Shape


def dense(
    shape: Shape, inputs: Optional[int] = None, variable: Optional[Shape] = None
) -> Permutation:
    """`[in, out] -> [out, in]`; axes of size 1 before these go.

    With `inputs`, so many axes are those of the inputs, and the others of the outputs:
    Keras's EinsumDense has `[in, heads, size]`.
    """
    del variable  # the way back needs it
    if inputs is None:
        rows, columns = _matrix(shape)
    elif not 0 < inputs < len(shape):
        raise ValueError(f"{list(shape)} has not {inputs} axes of inputs, and others")
    else:
        rows, columns = math.prod(shape[:inputs]), math.prod(shape[inputs:])
    return Permutation((rows, columns), (1, 0), (columns, rows))


def dense_back(
    shape: Shape, inputs: Optional[int] = None, variable: Optional[Shape] = None
) -> Permutation:
    """`[out, in] -> [in, out]`, or the shape that the variable had."""
    columns, rows = _matrix(shape)
    made = (rows, columns) if variable is None else variable
    if dense(made, inputs).made != (columns, rows):
        raise ValueError(
            f"a variable of shape {list(made)} cannot have been {[columns, rows]}"
        )
    return Permutation((columns, rows), (1, 0), made)


def flat(shape: Shape, variable: Optional[Shape] = None) -> Permutation:
    """The same tensor, with one axis."""
    del variable  # the way back needs it
    return Permutation(shape, tuple(range(len(shape))), (math.prod(shape),))


def flat_back(shape: Shape, variable: Optional[Shape] = None) -> Permutation:
    """The same tensor, in the shape that the variable had."""
    made = shape if variable is None else variable
    if math.prod(made) != math.prod(shape):
        raise ValueError(
            f"a variable of shape {list(made)} cannot have been {list(shape)}"
        )
    return Permutation(shape, tuple(range(len(shape))), made)


def matrix(shape: Shape, variable: Optional[Shape] = None) -> Permutation:
    """The same tensor, without axes of size 1 before the last two."""
    del variable  # the way back needs it
    return Permutation(shape, tuple(range(len(shape))), _matrix(shape))


def matrix_back(shape: Shape, variable: Optional[Shape] = None) -> Permutation:
    """The same tensor, in the shape that the variable had."""
    made = shape if variable is None else variable
    if _matrix(made) != shape:
        raise ValueError(
            f"a variable of shape {list(made)} cannot have been {list(shape)}"
        )
    return Permutation(shape, tuple(range(len(shape))), made)


def _matrix(shape: Shape) -> Shape:
    """A shape's last two axes, if those before them are of size 1."""
    if len(shape) < 2 or math.prod(shape[:-2]) != 1:
        raise ValueError(f"a matrix has two axes, not {list(shape)}")
    return shape[-2:]


def conv(shape: Shape) -> Permutation:
    """`[..., in, out] -> [out, in, ...]`."""
    if len(shape) < 2:
        raise ValueError(f"a kernel has two axes or more, not {list(shape)}")
    last = len(shape) - 1
    axes = (last, last - 1, *range(last - 1))
    return Permutation(shape, axes, tuple(shape[axis] for axis in axes))


def conv_back(shape: Shape) -> Permutation:
    """`[out, in, ...] -> [..., in, out]`."""
    if len(shape) < 2:
        raise ValueError(f"a kernel has two axes or more, not {list(shape)}")
    axes = (*range(2, len(shape)), 1, 0)
    return Permutation(shape, axes, tuple(shape[axis] for axis in axes))


def depthwise(shape: Shape, multiplier: int = 1) -> Permutation:
    """`[..., C, M] -> [C*M, 1, ...]`: channel `c*M + m` in both."""
    del multiplier  # the way back needs it
    if len(shape) < 3:
        raise ValueError(
            f"a depthwise kernel has three axes or more, not {list(shape)}"
        )
    *places, channels, per_channel = shape
    outputs = channels * per_channel
    return Permutation((math.prod(places), outputs), (1, 0), (outputs, 1, *places))


def depthwise_back(shape: Shape, multiplier: int = 1) -> Permutation:
    """`[C*M, 1, ...] -> [..., C, M]`."""
    if len(shape) < 3 or shape[1] != 1 or shape[0] % multiplier:
        raise ValueError(
            f"{list(shape)} is no weight of a depthwise convolution with multiplier "
            f"{multiplier}"
        )
    outputs, _, *places = shape
    made = (*places, outputs // multiplier, multiplier)
    return Permutation((outputs, math.prod(places)), (1, 0), made)


def as_is(shape: Shape) -> Permutation:
    """The same tensor."""
    return Permutation(shape, tuple(range(len(shape))), shape)
