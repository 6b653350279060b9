"""Layers whose names did not change, or count from another start."""

from estimator_ckpt.maps.suggest.pairing import same_names
from tests.maps.suggest.pairing.models import decisions, found, kernels


def paired(source, target):
    made = decisions(source, target)
    same_names.pair(made)
    return found(made)


def test_the_same_names_are_the_same_layers():
    names = ["enc/fc_1", "enc/fc_2", "head"]
    assert paired(kernels(*names), kernels(*names)) == {name: name for name in names}


def test_another_shape_is_another_layer():
    assert paired(kernels("a"), kernels("a", shape=(3, 3))) == {}


def test_other_names_are_left_to_others():
    assert paired(kernels("a"), kernels("b")) == {}
