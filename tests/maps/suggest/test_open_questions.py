"""What stays undecided is said, in sentences."""

from estimator_ckpt.maps.suggest import open_questions, variable_pairs
from estimator_ckpt.maps.suggest.pairing.decisions import NAMES
from tests.maps.suggest.pairing.models import accept, decisions, kernels


def sentences(source, target, known=()):
    made = decisions(source, target)
    accept(made, dict(known), NAMES)
    pairs = variable_pairs.of_layers(made)
    return open_questions.sentences(made, pairs, {name: name for name in source})


def test_layers_of_one_sort_that_could_be_each_other():
    assert sentences(kernels("a", "b"), kernels("x", "y")) == [
        "'a/kernel', 'b/kernel' could be 'x/kernel', 'y/kernel' (float32[8, 8]): "
        "neither names nor order say which"
    ]


def test_what_is_left_on_one_side():
    assert sentences(kernels("a"), {}) == [
        "'a/kernel' (float32[8, 8]): the target has none left"
    ]
    assert sentences({}, kernels("x")) == [
        "'x/kernel' (float32[8, 8]): the source has none left"
    ]


def test_a_variable_that_its_layer_lacks_there():
    source = {"a/kernel": (4, 8), "a/bias": (8,)}
    (sentence,) = sentences(source, {"x/kernel": (4, 8)}, {"a": "x"})
    assert sentence.startswith("'a/bias': 'x' is its layer, and has no variable")


def test_where_all_is_decided_nothing_is_said():
    assert sentences(kernels("a"), kernels("x"), {"a": "x"}) == []
