"""Plans: what they count, and what they say as text, JSON and HTML."""

import json

import pytest

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.plans import Item, Plan, Verdict
from tests.testdata_paths import PREFIXES

DIGITS = PREFIXES["digits/model.ckpt-300"]
W = Variable("w", "float32", (2,), roles.TRAINABLE, key="w", size=8)
OLD = Variable("old", "float32", (2,), roles.TRAINABLE, key="old", size=8)


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verdict_is_carried_or_a_problem_or_neither(verdict):
    assert verdict.is_carried is (verdict in {Verdict.CARRIED, Verdict.RENAMED})
    assert verdict.is_problem is (verdict.value in {"missing"} | MISMATCHES)


MISMATCHES = {"shape mismatch", "dtype mismatch"}


def test_counts_and_problems_follow_the_items():
    items = (
        Item(Verdict.RENAMED, W, OLD, "from 'old'"),
        Item(Verdict.MISSING, OLD, None, "no such variable"),
        Item(Verdict.UNUSED, None, W, "not in the target"),
    )
    planned = Plan("a", "b", items)
    assert planned.counts == {
        Verdict.MISSING: 1,
        Verdict.RENAMED: 1,
        Verdict.UNUSED: 1,
    }
    assert list(planned.counts) == [Verdict.RENAMED, Verdict.MISSING, Verdict.UNUSED]
    assert planned.problems == [items[1]]
    assert [item.name for item in items] == ["w", "old", "w"]
    assert planned.rows()[0] == ("renamed", "old", "w", 8, "from 'old'")
    assert planned.summary() == "a to b: 1 renamed, 1 missing, 1 unused"
    assert Plan("a", "b", ()).summary() == "a to b: no variables"


def test_a_plan_prints_as_text_json_and_html():
    planned = ec.plan(DIGITS, DIGITS)
    assert "31 carried" in str(planned)
    content = json.loads(json.dumps(planned.to_json()))
    assert content["counts"] == {"carried": 31}
    assert content["variables"][0]["target"]["shape"] == []
    assert planned._repr_html_().count("<tr>") == 31
