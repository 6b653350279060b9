"""Families are paired by names, shapes and scopes."""

from estimator_ckpt.maps.suggest.pairing import by_family
from estimator_ckpt.maps.suggest.pairing.decisions import NAMES, SHAPE
from tests.maps.suggest.pairing.models import decisions, found, kernels, layer


def paired(source, target):
    made = decisions(source, target)
    while by_family.pair(made):
        pass
    return made


def test_a_shape_that_only_one_has():
    made = paired(kernels("a", shape=(3, 5)), kernels("z", shape=(3, 5)))
    assert found(made) == {"a": "z"}
    assert list(made.reasons.values()) == [SHAPE]


def test_names_that_share_words():
    source = kernels("attn/q_1", "attn/q_2", "attn/k_1", "attn/k_2")
    target = kernels("attention/query_0", "attention/query_1")
    target |= kernels("attention/key_0", "attention/key_1")
    made = paired(source, target)
    assert found(made) == {
        "attn/q_1": "attention/query_0",
        "attn/q_2": "attention/query_1",
        "attn/k_1": "attention/key_0",
        "attn/k_2": "attention/key_1",
    }
    assert set(made.reasons.values()) == {NAMES}


def test_two_towers_whose_names_have_nothing_in_common_stay_undecided():
    assert found(paired(kernels("user", "item"), kernels("left", "right"))) == {}


def test_by_signature():
    a, b, c = layer("a"), layer("b"), layer("c", (2, 3))
    assert list(by_family.by_signature([a, b, c]).values()) == [[a, b], [c]]
