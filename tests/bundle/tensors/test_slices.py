"""Whether the parts of a tensor make a whole, in time for what there is of them."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.tensors import slices


@st.composite
def tilings(draw):
    """A region and boxes that tile it, by cutting one box in two again and again."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    region = tuple(Extent(draw(st.integers(0, 3)), size) for size in sizes)
    boxes = [region]
    for _ in range(draw(st.integers(0, 6))):
        box = boxes.pop(draw(st.integers(0, len(boxes) - 1)))
        axis = draw(st.integers(0, len(sizes) - 1))
        start, length = box[axis]
        cut = draw(st.integers(0, length))
        for piece in (Extent(start, cut), Extent(start + cut, length - cut)):
            boxes.append((*box[:axis], piece, *box[axis + 1 :]))
    return region, draw(st.permutations(boxes))


@given(tilings())
def test_what_was_cut_is_whole(tiling):
    region, boxes = tiling
    assert slices.is_tiled(region, boxes)
    whole = [box for box in boxes if slices.volume(box)]
    assert not slices.is_tiled(region, whole[1:])
    assert not slices.is_tiled(region, [*whole, whole[0]])


@given(tilings(), st.data())
def test_as_painting_every_element_says(tiling, data):
    region, boxes = tiling
    at = data.draw(st.integers(0, len(boxes) - 1))
    boxes[at] = tuple(
        Extent(
            start := data.draw(st.integers(o, o + s)),
            data.draw(st.integers(0, o + s - start)),
        )
        for o, s in region
    )
    painted = np.zeros([length for _, length in region], int)
    for box in boxes:
        painted[slices.within(box, region)] += 1
    assert slices.is_tiled(region, boxes) == bool((painted == 1).all())


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0, 2**62)])
def test_of_nothing_no_part_is_needed(shape):
    region = tuple(Extent(0, size) for size in shape)
    assert slices.is_tiled(region, [])
    assert slices.is_tiled(region, [region, region])


def test_a_scalar_is_one_part():
    assert slices.is_tiled((), [()])
    assert not slices.is_tiled((), [])
    assert not slices.is_tiled((), [(), ()])


def test_the_size_of_the_tensor_does_not_matter():
    large = 2**40
    region = (Extent(0, 2 * large), Extent(0, 2 * large))
    halves = [Extent(0, large), Extent(large, large)]
    tracemalloc.start()
    assert slices.is_tiled(region, list(itertools.product(halves, halves)))
    assert not slices.is_tiled(region, [(halves[0], halves[0])] * 4)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_many_parts_cost_what_they_are(axes):
    """10,000 parts along one axis; a staircase, whose edges make too many cells."""
    count = 10_000
    region = (Extent(0, count), *[Extent(0, count)] * (axes - 1))
    rows = [(Extent(i, 1), *region[1:]) for i in range(count)]
    stairs = [tuple(Extent(i, 1) for _ in range(axes)) for i in range(count)]
    tracemalloc.start()
    assert slices.is_tiled(region, rows)
    assert slices.is_tiled(region, stairs) == (axes == 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1000 * count
