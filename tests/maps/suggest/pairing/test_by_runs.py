"""A sequence of shapes that fits in one place only."""

from estimator_ckpt.maps.suggest.pairing import by_runs
from estimator_ckpt.maps.suggest.pairing.decisions import NAMES
from tests.maps.suggest.pairing.models import accept, decisions, found

SHAPES = [(8, 8), (8, 9), (9, 9), (9, 8), (8, 8)]


def numbered(name, shapes, start=0):
    return {f"{name}_{start + i}/kernel": shape for i, shape in enumerate(shapes)}


def paired(source, target, known=()):
    made = decisions(source, target)
    accept(made, dict(known), NAMES)
    by_runs.pair(made)
    return found(made)


def test_a_backbone_is_found_where_a_network_counts_on():
    source = numbered("backbone", SHAPES)
    target = numbered("net", [(7, 7), (7, 8), *SHAPES, (8, 7)], start=3)
    assert paired(source, target) == {f"backbone_{i}": f"net_{i + 5}" for i in range(5)}
    assert paired(target, source) == {f"net_{i + 5}": f"backbone_{i}" for i in range(5)}


def test_not_where_it_fits_twice():
    assert paired(numbered("a", SHAPES), numbered("b", [*SHAPES, *SHAPES])) == {}


def test_few_layers_or_sorts_say_nothing():
    assert paired(numbered("a", SHAPES[:3]), numbered("b", SHAPES)) == {}
    same = [(8, 8), (8, 9)] * 3
    assert paired(numbered("a", same), numbered("b", same)) == {}


def test_it_goes_with_what_is_decided():
    source, target = numbered("a", SHAPES), numbered("b", [*SHAPES, *SHAPES])
    known = {"a_1": "b_6"}
    assert paired(source, target, known) == {f"a_{i}": f"b_{i + 5}" for i in range(5)}
