"""Few rules that rename what was paired, and nothing else."""

import re

import pytest
import yaml

from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.map_rules import Rule
from estimator_ckpt.maps.suggest import proposed_rules
from estimator_ckpt.maps.suggest.variable_pairs import Pair


def proposed(renamed, others=()):
    pairs = [Pair(old, new, 0.9, "named so") for old, new in renamed.items()]
    names = sorted([*renamed, *others])
    found = proposed_rules.of_pairs(pairs, names)
    rules = AssignmentMap(tuple(rule for each in found for rule in each.rules))
    became = dict(rules.rename(names, source="c", owners={}).pairs)
    assert became == {name: renamed.get(name, name) for name in names}
    return [str(each.rule.source) for each in found], found


def test_a_scope_where_no_other_name_is_in_it():
    sources, _ = proposed({"a/k": "b/k", "a/c/b": "b/c/b"}, others=["x/k"])
    assert sources == ["a/"]


def test_names_where_a_scope_would_rename_more():
    sources, _ = proposed({"a/k": "b/k"}, others=["a/other"])
    assert sources == ["a/k"]


def test_numbered_scopes_are_one_regex():
    renamed = {
        f"l_{i}/{leaf}": f"block{i}/x/{leaf}" for i in range(12) for leaf in "kb"
    }
    _, (each,) = proposed(renamed)
    assert isinstance(each.rule.source, re.Pattern)
    assert len(each.pairs) == 24


def test_numbers_that_change_are_a_rule_each():
    renamed = {f"l_{i}/k": f"l_{i + 1}x/k" for i in range(3)}
    sources, _ = proposed(renamed)
    assert sources == ["l_0/", "l_1/", "l_2/"]


def test_a_comment_says_how_many_and_why():
    _, (each,) = proposed({"a/k": "b/k", "a/b": "b/b"})
    assert each.lines() == [
        "# 2 variables, 0.90: named so",
        "- {from: a/, to: b/}",
    ]
    assert each.confidence == 0.9


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        (Rule("a: b", "c#", "x"), {"from": "a: b", "to": "c#"}),
        (Rule("a\x1b", "b\n", "x"), {"from": "a\x1b", "to": "b\n"}),
        (Rule(re.compile("a", re.I), "b", "x"), {"regex": "(?i)a", "to": "b"}),
        (Rule("a", "b", "builtin:slim"), {"builtin": "slim"}),
    ],
)
def test_a_rule_is_one_printable_line_of_yaml(rule, fields):
    line = proposed_rules.as_yaml(rule)
    assert line.isprintable()
    assert yaml.safe_load(line) == [fields]
