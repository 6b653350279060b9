"""Layers named, numbered or placed as others that are decided."""

from estimator_ckpt.maps.suggest.pairing import by_analogy
from estimator_ckpt.maps.suggest.pairing.decisions import ALIKE, BESIDE, NAMES
from tests.maps.suggest.pairing.models import accept, decisions, found, kernels


def test_numbers_are_shifted_as_those_that_are_known():
    made = decisions(kernels("fc_1", "fc_2"), kernels("dense_0", "dense_1"))
    accept(made, {"fc_1": "dense_0"}, NAMES)
    assert by_analogy.pair_alike(made)
    assert found(made)["fc_2"] == "dense_1"
    assert made.reasons[made.source[1]] is ALIKE
    assert not by_analogy.pair_alike(made)


def test_not_where_one_would_be_left_over():
    made = decisions(kernels("fc_1", "fc_2"), kernels("x_0", "x_1", "x_2"))
    accept(made, {"fc_1": "x_0"}, NAMES)
    assert not by_analogy.pair_alike(made)


def test_a_layer_that_one_side_lacks_leaves_no_other_undecided():
    source = kernels("a_1/fc", "a_2/fc", "a_1/out", "a_2/out")
    target = kernels("b_1/dense", "b_2/dense", "b_2/output")
    made = decisions(source, target)
    accept(made, {"a_1/fc": "b_1/dense", "a_2/fc": "b_2/dense"}, NAMES)
    assert not by_analogy.pair_numbered(made)  # nothing says that out is output
    made = decisions(source, target | kernels("b_1/output"))
    pairs = {"a_1/fc": "b_1/dense", "a_2/fc": "b_2/dense", "a_1/out": "b_1/output"}
    accept(made, pairs, NAMES)
    assert by_analogy.pair_numbered(made)
    assert found(made)["a_2/out"] == "b_2/output"


def norm(name, size=8):
    return {f"{name}/gamma": (size,), f"{name}/moving_variance": (size,)}


def test_a_normalization_stands_beside_its_convolution():
    source = {**kernels("conv_1", "conv_2"), **norm("conv_1/BatchNorm")}
    source |= norm("conv_2/BatchNorm")
    target = {**kernels("c_1/conv", "c_2/conv"), **norm("c_1/bn"), **norm("c_2/bn")}
    made = decisions(source, target)
    companions = by_analogy.Companions(made)
    accept(made, {"conv_1": "c_1/conv", "conv_2": "c_2/conv"}, NAMES)
    companions.pair(made)
    norms = {old: new for old, new in found(made).items() if "BatchNorm" in old}
    assert norms == {"conv_1/BatchNorm": "c_1/bn", "conv_2/BatchNorm": "c_2/bn"}
    assert BESIDE in made.reasons.values()
