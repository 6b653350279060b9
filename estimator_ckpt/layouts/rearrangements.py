"""One variable in another order or shape, in parts, or made of parts.

transpose   [a, b] -> [b, a]
reshape     [7*7*512, 4096] -> [7, 7, 512, 4096]
split       [in, 3*out] -> 3 of [in, out], or of [in, heads, size]
fuse        3 of [in, out] -> [in, 3*out]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Optional

from estimator_ckpt.layouts.layout_rule import LayoutRule, Shape

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array
    from estimator_ckpt.layouts.layout_rule import Reorder


def transpose(
    text: str, source: str, target: str, axes: Sequence[int] = (1, 0)
) -> list[LayoutRule]:
    """Axis `i` of the target is axis `axes[i]` of the source; argsort(axes) back."""
    back = tuple(sorted(range(len(axes)), key=lambda i: axes[i]))
    return [
        LayoutRule(
            text,
            (source,),
            (target,),
            lambda arrays: [arrays[0].transpose(axes)],
            lambda arrays: [arrays[0].transpose(back)],
        )
    ]


def reshape(
    text: str, source: str, target: str, shape: Optional[Shape] = None
) -> list[LayoutRule]:
    """The same numbers in row-major order; `shape` is the source's, to lead back."""
    return [
        LayoutRule(
            text,
            (source,),
            (target,),
            lambda arrays: arrays,
            None if shape is None else lambda arrays: [arrays[0].reshape(shape)],
        )
    ]


def split(
    text: str,
    source: str,
    targets: Sequence[str],
    axis: int = -1,
    shape: Optional[Shape] = None,
) -> list[LayoutRule]:
    """`[..., n*size, ...] -> n of [..., size, ...]`, of n targets, along an axis.

    `shape` is the source's; without it, it has two axes at most.
    """
    part, join = _part_and_join(len(targets), axis, shape)
    return [LayoutRule(text, (source,), tuple(targets), part, join)]


def fuse(
    text: str,
    sources: Sequence[str],
    target: str,
    axis: int = -1,
    shape: Optional[Shape] = None,
) -> list[LayoutRule]:
    """`n of [..., size, ...] -> [..., n*size, ...]`: the other way of `split`.

    `shape` is the target's.
    """
    part, join = _part_and_join(len(sources), axis, shape)
    return [LayoutRule(text, tuple(sources), (target,), join, part)]


def _part_and_join(
    count: int, axis: int, shape: Optional[Shape]
) -> tuple[Reorder, Reorder]:
    """Parts one array into some along an axis, and joins them.

    Args:
      count: how many.
      axis: the axis.
      shape: that of the whole; None: as it is, with two axes at most, since of more
        nobody can tell which were one.
    """
    import numpy as np

    def part(arrays: Sequence[Array]) -> Sequence[Array]:
        return np.split(_shaped(arrays[0], shape), count, axis)

    def join(arrays: Sequence[Array]) -> Sequence[Array]:
        if shape is None:
            return [np.concatenate([_shaped(array, None) for array in arrays], axis)]
        one = list(shape)
        one[axis] //= count
        return [np.concatenate([array.reshape(one) for array in arrays], axis)]

    return part, join


def _shaped(array: Array, shape: Optional[Shape]) -> Array:
    if shape is not None:
        return array.reshape(shape)
    if array.ndim > 2:
        raise ValueError("with more than two axes, give the shape of the whole (shape)")
    return array
