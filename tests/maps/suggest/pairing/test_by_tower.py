"""Scopes of the same layers are the same network, unless there are twins."""

from estimator_ckpt.maps.suggest.pairing import by_tower
from tests.maps.suggest.pairing.models import decisions

SHAPES = {"x": (8, 8), "y": (8, 9), "z": (9, 9)}


def tower(name, **more):
    return {f"{name}/{k}/kernel": s for k, s in {**SHAPES, **more}.items()}


def regions(source, target):
    made = decisions(source, target)
    is_new = by_tower.pair(made)
    assert is_new is bool(made.regions)
    assert not by_tower.pair(made)  # once
    return made.regions


def test_what_is_left_over_is_the_same():
    assert regions(tower("left"), tower("net")) == {("left",): ("net",)}


def test_twins_stay_open():
    twins = {**tower("left"), **tower("right")}
    assert regions(twins, {**tower("a"), **tower("b")}) == {}


def test_other_layers_are_another_network():
    assert regions(tower("a"), tower("b", w=(3, 3))) == {}
    few = {"a/x/kernel": (8, 8), "a/y/kernel": (8, 8)}
    assert regions(few, few) == {}  # of too few sorts
