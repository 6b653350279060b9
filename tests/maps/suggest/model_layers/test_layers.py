"""Layers and families: what their shapes and numbers say."""

from estimator_ckpt.maps.suggest.model_layers.layers import families
from tests.maps.suggest.pairing.models import kernels, layer, layers


def test_the_sort_of_a_layer():
    dense, norm, alone = layers(
        {
            "dense/kernel": (4, 8),
            "dense/bias": (8,),
            "bn/gamma": (8,),
            "bn/moving_variance": (8,),
            "v/beta": (3,),
        }
    )
    assert dense.signature == ("kernels", (("float32", (4, 8)),))  # no bias counts
    assert norm.signature == ("batch_norm", (("float32", (8,)),))
    assert alone.sort == "vectors"
    assert [one.outputs for one in (dense, norm, alone)] == [8, 8, None]


def test_outputs_of_convolutions():
    (transposed,) = layers({"conv_transpose/kernel": (3, 3, 16, 4)})
    (depthwise,) = layers({"dw/depthwise_kernel": (3, 3, 8, 2)})
    assert transposed.outputs == 16
    assert depthwise.outputs == 16


def test_numbers_are_apart_from_words():
    one = layer("block_3/attention/layer_1")
    assert one.pattern == ("block", "#", "attention", "block", "#")
    assert one.numbers == (3, 1)


def test_a_family_differs_in_numbers_alone():
    names = [f"block_{i}/conv_{j}" for i in (4, 5) for j in (2, 1)]
    family, other = families(layers({**kernels(*names), **kernels("head")}))
    assert [m.numbers for m in family.members] == [(4, 1), (4, 2), (5, 1), (5, 2)]
    assert family.structure == (((), ()), ((), ()))
    assert family.grid == (2, 2)
    assert not family.is_flat
    assert other.is_flat
    assert family.words == {"block", "conv"}


def test_of_two_shapes_there_are_two_families():
    shapes = {**kernels("fc_1"), **kernels("fc_2", shape=(8, 9))}
    assert len(families(layers(shapes))) == 2


def test_numbers_that_do_not_go_with_all_are_no_grid():
    (family,) = families(layers(kernels("a_1/b_1", "a_1/b_2", "a_2/b_1")))
    assert family.grid is None
