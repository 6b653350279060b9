"""Models of which a built-in map knows the names in PyTorch."""

from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.suggest import published_models

BERT = {
    f"bert/encoder/layer_{i}/attention/self/{part}/{leaf}": shape
    for i in range(2)
    for part in ("query", "key", "value")
    for leaf, shape in (("kernel", (8, 8)), ("bias", (8,)))
}


def side(shapes):
    return {name: Variable(name, "float32", shape) for name, shape in shapes.items()}


def in_pytorch():
    name = published_models.known_as(BERT)
    renamed = AssignmentMap.of(name).rename(BERT, source="c")
    return {move.new: BERT[move.old] for move in renamed.moves if move.rule is not None}


def test_a_published_model_is_known_by_its_names():
    assert published_models.known_as(BERT).startswith("builtin:")
    assert published_models.known_as(["dense/kernel", "dense/bias"]) is None


def test_its_variables_are_paired_with_those_of_pytorch():
    target = in_pytorch()
    found = published_models.fitting(side(BERT), side(target), ())
    assert {pair.target for pair in found.pairs} == set(target)
    assert found.rules


def test_not_what_a_user_s_map_renames_or_where_nothing_fits():
    target = side(in_pytorch())
    nothing = published_models.Published()
    assert published_models.fitting(side(BERT), target, set(BERT)) == nothing
    assert published_models.fitting(side(BERT), side({"x/kernel": (1,)}), ()) == nothing
    other = side(dict.fromkeys(target, (5,)))
    assert published_models.fitting(side(BERT), other, ()) == nothing
