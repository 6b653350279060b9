"""What is decided: which layers are left, and what goes with what is known."""

from estimator_ckpt.maps.suggest.pairing.decisions import NAMES, ORDER
from tests.maps.suggest.pairing.models import accept, decisions, found, kernels


def test_what_is_decided_is_not_left():
    made = decisions(kernels("a", "b"), kernels("x", "y", "z"))
    accept(made, {"a": "y"}, NAMES)
    mine, theirs = made.left
    assert [one.name for one in mine] == ["b"]
    assert [one.name for one in theirs] == ["x", "z"]
    assert found(made) == {"a": "y"}
    assert made.reasons[made.source[0]] is NAMES
    assert not made.are_open(made.source[0], made.target[0])
    assert not made.are_open(made.source[1], made.target[1])
    assert made.are_open(made.source[1], made.target[0])


def test_origins_are_images_the_other_way_round():
    made = decisions(kernels("a", "b"), kernels("x", "y"))
    accept(made, {"a": "x", "b": "y"}, ORDER)
    assert {o.name: s.name for o, s in made.origins.items()} == {"x": "a", "y": "b"}


def test_reasons_are_more_or_less_sure():
    assert 0 < ORDER.confidence < NAMES.confidence <= 1
