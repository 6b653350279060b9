"""From variables to layers, by names and shapes."""

import pytest

from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.suggest.model_layers import reading
from tests.maps.suggest.pairing.models import layers


def leaves(shapes):
    """What each variable is in which layer."""
    return {
        variable.name: (one.name, leaf)
        for one in layers(shapes)
        for leaf, variable in one.leaves.items()
    }


@pytest.mark.parametrize(
    ("shapes", "layer"),
    [
        ({"fc/weights": (4, 8), "fc/biases": (8,)}, "fc"),
        ({"fc_w": (4, 8), "fc_b": (8,)}, "fc"),
        ({"W_conv1": (4, 8), "b_conv1": (8,)}, "conv1"),
        ({"wc1": (4, 8), "bc1": (8,)}, "c1"),
        ({"h1": (4, 8), "b1": (8,)}, "h1"),
        ({"layer_0": (4, 8), "bias_0": (8,)}, "layer_0"),
        ({"net.0.weight": (4, 8), "net.0.bias": (8,)}, "net/0"),
        ({"attn/wq": (8, 8), "attn/bq": (8,)}, "attn/q"),
    ],
)
def test_a_kernel_and_its_bias_are_a_layer(shapes, layer):
    kernel, bias = shapes
    assert leaves(shapes) == {kernel: (layer, "kernel"), bias: (layer, "bias")}


def test_a_bias_that_fits_no_output_is_a_layer_of_its_own():
    found = leaves({"fc/kernel": (4, 8), "fc/bias": (5,)})
    assert found["fc/kernel"][0] == "fc"
    assert found["fc/bias"] == ("fc/bias", "kernel")


def test_in_a_layer_of_vectors_weight_and_bias_are_a_normalization_s():
    found = leaves({"ln/weight": (8,), "ln/bias": (8,)})
    assert found == {"ln/weight": ("ln", "gamma"), "ln/bias": ("ln", "beta")}


def test_initials_need_both_and_shapes_that_fit():
    found = leaves({"wc1": (4, 8), "bc1": (7,)})
    assert {leaf for _, leaf in found.values()} == {"kernel"}


def test_names_that_words_do_not_tell_apart_are_two_layers():
    one, other = layers({"fc/kernel": (4, 8), "dense/kernel": (4, 8)})
    assert one.words != other.words


def test_layers_are_in_the_order_of_their_variables():
    shapes = {"b/kernel": (2, 2), "a/kernel": (2, 2), "b/bias": (2,)}
    assert [one.name for one in layers(shapes)] == ["b", "a"]


def test_what_no_model_gives_is_not_read():
    assert not reading.can_read(Variable("w", "float32", None))
    assert not reading.can_read(Variable("/".join("a" * 70), "float32", (1,)))
    assert reading.can_read(Variable("w", "float32", ()))
