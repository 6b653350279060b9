"""Members of two families are paired by their numbers."""

import pytest

from estimator_ckpt.maps.suggest.model_layers.layers import families
from estimator_ckpt.maps.suggest.pairing import numbering
from tests.maps.suggest.pairing.models import kernels, layers


def family(*names):
    (found,) = families(layers(kernels(*names)))
    return found


def paired(mine, theirs):
    pairs, turned = numbering.pairs_of(family(*mine), family(*theirs))
    return {a.name: b.name for a, b in pairs}, turned


def test_numbers_that_nest_alike_are_in_order():
    mine = [f"block_{i}/conv_{j}" for i in (0, 1) for j in (0, 1)]
    theirs = [f"stage_{i}/conv_{j}" for i in (4, 5) for j in (1, 2)]
    assert paired(mine, theirs) == (dict(zip(mine, theirs)), False)


def test_numbers_in_another_order_are_told_by_the_words_before_them():
    mine = [f"conv_{j}_stage_{i}" for j in (1, 2) for i in (1, 2)]
    theirs = [f"stage_{i}/conv_{j}" for j in (1, 2) for i in (1, 2)]
    mine = [name.replace("_stage", "/stage") for name in mine]
    found, turned = paired(mine, theirs)
    assert found == dict(zip(mine, theirs))
    assert turned


def test_or_by_how_many_there_are():
    mine = [f"a_{i}/b_{j}" for i in range(2) for j in range(3)]
    theirs = [f"x_{j}/y_{i}" for i in range(2) for j in range(3)]
    assert paired(mine, theirs) == (dict(zip(mine, theirs)), True)


@pytest.mark.parametrize(
    ("pairs", "is_one"),
    [
        ([(1, 4), (2, 5), (1, 4)], True),
        ([(1, 4), (1, 5)], False),
        ([(1, 4), (2, 4)], False),
        ([], True),
    ],
)
def test_one_to_one(pairs, is_one):
    assert numbering.is_one_to_one(pairs) is is_one


def test_pairs_are_aligned_if_each_number_becomes_one():
    mine = layers(kernels("a_1/b_1", "a_1/b_2", "a_2/b_1", "a_2/b_2"))
    turned = layers(kernels("x_1/y_1", "x_2/y_1", "x_1/y_2", "x_2/y_2"))
    assert numbering.are_aligned(list(zip(mine, turned)))
    mixed = [turned[i] for i in (0, 1, 3, 2)]
    assert not numbering.are_aligned(list(zip(mine, mixed)))
