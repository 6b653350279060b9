"""One rule: what it is about, what it makes of a name, and what cannot be one."""

import re

import pytest

from estimator_ckpt.maps import map_rules
from estimator_ckpt.maps.map_rules import AssignmentMapError, Rule


def rule(source, target):
    return map_rules.checked(source, target, "rule 1")


@pytest.mark.parametrize(
    ("source", "target", "name", "new"),
    [
        ("a/b", "c", "a/b", "c"),
        ("a/b", "c", "a/b/c", None),
        ("a/", "c/", "a/b", "c/b"),
        ("a/", "c/", "ab", None),
        ("a/", "/", "a/b", "b"),
        ("/", "c/", "a", "c/a"),
        ("/", "c/", "global_step", None),  # no scope owns it
        (re.compile(r"a_(\d)"), r"b\1", "a_3", "b3"),
        (re.compile(r"a_(\d)"), r"b\1", "a_3/w", None),  # full matches only
        (re.compile(r"a(b)?"), r"\1", "a", None),  # nothing is no name
    ],
)
def test_what_it_makes_of_a_name(source, target, name, new):
    assert rule(source, target).rename(name) == new


@pytest.mark.parametrize(
    ("source", "target", "literals"),
    [
        ("a/b", "c", ("a/b", "")),
        ("a/", "c/", ("a/", "")),
        (re.compile("a/.*_longer"), "c", ("a/", "_longer")),
    ],
)
def test_the_letters_that_every_name_has_that_it_is_about(source, target, literals):
    assert rule(source, target).literals == literals


def test_rules_with_one_subject_are_told_from_others():
    same = rule("a/", "b/").subject, rule("a/", "c/").subject
    assert (
        len({*same, rule("a", "b").subject, rule(re.compile("a/"), "b").subject}) == 3
    )


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("a/", "b", "a scope .* can only become a scope"),
        ("a", "b/", "a scope .* can only become a scope"),
        ("", "b", "must be strings, and not empty"),
        ("a", "", "must be strings, and not empty"),
        (3, "b", "must be strings"),
        (re.compile("a"), r"\1", "does not fit the groups of 'a'"),
        (re.compile(b"a"), "b", "is no regex over text"),
    ],
)
def test_what_cannot_be_a_rule(source, target, why):
    with pytest.raises(AssignmentMapError, match=f"^rule 1: .*{why}"):
        rule(source, target)


def test_it_says_where_it_was_written():
    assert str(rule("a/", "b/")) == "the rule 'a/' -> 'b/' (rule 1)"
    assert str(Rule("a", "b", "builtin:x")) == "the map 'builtin:x'"
