"""Hypothesis strategies: any name, any type, any shape, any partition."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from estimator_ckpt.bundle.coding import FULL, Extent
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.writer import Partitioned

#: Types that TensorFlow 2.15 saves and hands out as arrays of themselves.
TYPES = (
    "float32",
    "float64",
    "int32",
    "uint8",
    "int16",
    "int8",
    "string",
    "complex64",
    "int64",
    "bool",
    "bfloat16",
    "uint16",
    "complex128",
    "float16",
    "uint32",
    "uint64",
    "float8_e5m2",
    "float8_e4m3fn",
)

#: What cannot be joined by TensorFlow; see docs/format.md.
NOT_JOINED = ("float16", "uint16", "uint32", "uint64", "string")
NOT_JOINED_EITHER = ("float8_e5m2", "float8_e4m3fn")

SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)
NAMES = st.one_of(
    st.text("abA/._-0", min_size=1, max_size=8),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
).filter(lambda name: not name.startswith("\x00"))


@st.composite
def arrays(draw, shape=None, types=TYPES):
    """An array of any type: its bytes are random, its shape small."""
    name = draw(st.sampled_from(types))
    if shape is None:
        shape = draw(SHAPES)
    count = math.prod(shape)
    if name == "string":
        strings = draw(
            st.lists(st.binary(max_size=200), min_size=count, max_size=count)
        )
        array = np.empty(count, object)
        array[:] = strings
        return array.reshape(shape)
    dtype = dtypes.named(name).numpy
    size = count * dtype.itemsize
    data = draw(st.binary(min_size=size, max_size=size))
    if name == "bool":
        data = bytes(byte & 1 for byte in data)
    return np.frombuffer(data, dtype).reshape(shape)


@st.composite
def partitions(draw, types=TYPES):
    """A whole array, and the same cut along one axis or two."""
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple))
    whole = draw(arrays(shape, types))
    boxes = [tuple(Extent(0, size) for size in shape)]
    for axis in draw(
        st.lists(st.integers(0, len(shape) - 1), min_size=1, max_size=2, unique=True)
    ):
        cuts = sorted(
            draw(st.sets(st.integers(1, shape[axis]), max_size=3)) | {shape[axis]}
        )
        boxes = [
            box[:axis] + (Extent(start, stop - start),) + box[axis + 1 :]
            for box in boxes
            for start, stop in zip([0, *cuts], cuts)
        ]
    implicit = draw(st.booleans())
    parts = {}
    for box in draw(st.permutations(boxes)):
        extents = tuple(
            Extent(0, FULL) if implicit and extent == (0, size) else extent
            for extent, size in zip(box, shape)
        )
        parts[extents] = whole[tuple(slice(s, s + n) for s, n in box)]
    return whole, Partitioned(shape, parts)


def regions(shape):
    """A part of a shape that is not empty."""
    return st.tuples(
        *(
            st.integers(0, size - 1).flatmap(
                lambda start, size=size: st.integers(1, size - start).map(
                    lambda length: Extent(start, length)
                )
            )
            for size in shape
        )
    )
