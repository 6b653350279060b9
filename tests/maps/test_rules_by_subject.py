"""Rules by subject: those of the first subject count, and looking up loses none."""

import re

import pytest

from estimator_ckpt.maps.map_rules import Rule
from estimator_ckpt.maps.rules_by_subject import Named, RulesBySubject

GIVEN = [
    Rule("a/w", "first", "1"),
    Rule("a/", "b/", "2"),
    Rule("a/", "c/", "3"),
    Rule(re.compile(r"(.*)/k_(\d)"), r"\1/\2", "4"),
    Rule("x/", "a/", "builtin:one", replaces=True),
]


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("a/w", ["first"]),
        ("a/v", ["b/v", "c/v"]),  # both rules of the first subject
        ("z/k_1", ["z/1"]),
        ("a/k_1", ["b/k_1", "c/k_1"]),
        ("x/w", ["first"]),  # the built-in first, the others on what it gives
        ("x/y/k_2", ["b/y/k_2", "c/y/k_2"]),
        ("q", []),
    ],
)
def test_the_rules_of_the_first_subject_count(name, new):
    found = RulesBySubject(GIVEN).of(name)
    assert [(move.old, move.new) for move in found.moves] == [(name, n) for n in new]


def test_the_rules_that_were_used_are_known():
    found = RulesBySubject(GIVEN).of("x/w")
    assert [rule.where for rule in found.used] == ["builtin:one", "1"]
    assert found.moves[0].rule == GIVEN[4]
    assert RulesBySubject(GIVEN).of("q") == Named()


def test_each_name_gets_what_one_rule_after_the_other_gives():
    """Looked up by beginnings and letters, against trying every rule."""
    rules = [Rule(f"s{i}/", f"t{i}/", str(i)) for i in range(30)]
    rules += [Rule(re.compile(rf"s(\d+)/x{i}.*"), rf"u{i}", f"r{i}") for i in range(9)]
    names = [f"s{i}/x{j}/w" for i in range(35) for j in range(9)]
    looked_up = RulesBySubject(rules)
    for name in names:
        new = next((n for r in rules if (n := r.rename(name)) is not None), None)
        found = [move.new for move in looked_up.of(name).moves]
        assert found == ([] if new is None else [new])
