"""What variables are of which nothing is said."""

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import default_roles
from estimator_ckpt.checkpoint.roles import Decision
from tests.checkpoint.evidence.scenes import W, fact


@pytest.mark.parametrize(
    ("name", "given", "trainable", "role", "evidence"),
    [
        ("a/kernel", ("int8", W), {}, roles.TRAINABLE, "named as a layer's weight"),
        ("a/x", ("float32", W), {}, roles.TRAINABLE, default_roles.NOTHING),
        ("a/x", ("bfloat16", W), {}, roles.TRAINABLE, default_roles.NOTHING),
        ("a/x", ("", W), {}, roles.TRAINABLE, default_roles.NOTHING),
        (
            *("a/x", ("int8", W), {}, roles.MODEL),
            "nothing says more, and int8 is not trained",
        ),
        (
            *("a/x", ("int8", W), {"a/x": True}, roles.TRAINABLE),
            "in the collection of trainable variables",
        ),
        (
            *("a/kernel", ("float32", W), {"a/kernel": False}, roles.MODEL),
            "not in the collection of trainable variables",
        ),
    ],
)
def test_what_is_said_where_nothing_is(name, given, trainable, role, evidence):
    said = default_roles.of(name, fact(given), trainable, "the collection")
    assert said == Decision(role, evidence)


def test_what_has_slots_is_trained_unless_more_is_said():
    said = {
        "a/m": Decision(roles.SLOT, "", "a", "m"),
        "b/m": Decision(roles.SLOT, "", "b", ""),
        "c/m": Decision(roles.SLOT, "", "c", "m"),
        "d/ema": Decision(roles.AVERAGE, "", "d", "ema"),
        "x": Decision(roles.SLOT, "", None, "x"),
    }
    nothing = Decision(roles.TRAINABLE, default_roles.NOTHING)
    found = {**said, "a": nothing, "b": nothing, "d": nothing}
    found["c"] = Decision(roles.TRAINABLE, "named as a layer's weight")
    assert default_roles.of_owners(said, found) == {
        "a": Decision(roles.TRAINABLE, "has a slot m"),
        "b": Decision(roles.TRAINABLE, "has slots"),
    }
