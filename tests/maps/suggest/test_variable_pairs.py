"""From pairs of layers to pairs of variables."""

from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.suggest import variable_pairs
from estimator_ckpt.maps.suggest.pairing.decisions import NAMES
from tests.maps.suggest.pairing.models import accept, decisions


def pairs(source, target, known):
    made = decisions(source, target)
    accept(made, known, NAMES)
    return {pair.source: pair.target for pair in variable_pairs.of_layers(made)}


def test_variables_of_a_layer_by_what_they_are_then_by_what_fits():
    source = {"a/kernel": (4, 8), "a/bias": (8,)}
    assert pairs(source, {"x/weights": (4, 8), "x/biases": (8,)}, {"a": "x"}) == {
        "a/kernel": "x/weights",
        "a/bias": "x/biases",
    }
    assert pairs(source, {"x/kernel": (4, 8)}, {"a": "x"}) == {"a/kernel": "x/kernel"}


def test_what_does_not_fit_is_no_pair():
    source, target = {"a/kernel": (4, 8)}, {"x/kernel": (8, 4)}
    assert pairs(source, target, {"a": "x"}) == {}


def test_a_lone_bias_goes_to_the_layer_that_lacks_its_size():
    source = {"x/kernel": (4, 8), "y/bias": (8,)}
    target = {"output/kernel": (4, 8), "output/bias": (8,)}
    assert pairs(source, target, {"x": "output"}) == {
        "x/kernel": "output/kernel",
        "y/bias": "output/bias",
    }


def test_slots_of_canned_estimators_follow_the_built_in_map():
    rules = variable_pairs.builtin_maps.BUILTIN_MAPS[variable_pairs.CANNED]
    old = "dnn/hiddenlayer_0/kernel/t_0/Adagrad"
    new = next(n for r in rules.rules("x") if (n := r.rename(old)) is not None)
    source = {old: Variable(old, "float32", (3,))}
    target = {new: Variable(new, "float32", (3,))}
    (pair,) = variable_pairs.of_canned_slots(source, target)
    assert (pair.source, pair.target) == (old, new)
    other = {new: Variable(new, "float32", (4,))}
    assert variable_pairs.of_canned_slots(source, other) == []
