"""Layers whose place in the order leaves one possibility."""

from estimator_ckpt.maps.suggest.pairing import by_order
from estimator_ckpt.maps.suggest.pairing.decisions import NAMES
from tests.maps.suggest.pairing.models import accept, decisions, found, kernels


def paired(source, target, ordered=False, known=()):
    made = decisions(kernels(*source), kernels(*target), ordered)
    accept(made, dict(known), NAMES)
    by_order.pair(made)
    return found(made)


def test_numbers_are_an_order():
    source, target = ["fc_1", "fc_2", "fc_3"], ["x_5", "x_6", "x_9"]
    assert paired(source, target) == dict(zip(source, target))


def test_places_are_one_where_both_models_have_them():
    source, target = ["user", "item"], ["left", "right"]
    assert paired(source, target) == {}
    assert paired(source, target, ordered=True) == dict(zip(source, target))


def test_a_flow_of_words_is_one():
    source, target = ["encoder/x", "decoder/x"], ["decoder/y", "encoder/y"]
    found = paired(source, target)
    assert found == {"encoder/x": "encoder/y", "decoder/x": "decoder/y"}


def test_of_other_numbers_of_layers_nothing_is_known():
    assert paired(["fc_1", "fc_2"], ["x_1", "x_2", "x_3"]) == {}


def test_what_contradicts_a_decided_pair_is_none():
    source, target = ["a_1", "b_2", "b_3"], ["x_9", "y_1", "y_2"]
    assert paired(source, target, known={"a_1": "x_9"}) == {
        "a_1": "x_9",
        "b_2": "y_1",
        "b_3": "y_2",
    }
