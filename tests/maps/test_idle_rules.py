"""Rules that rename nothing are said, with why."""

from estimator_ckpt.maps import idle_rules
from estimator_ckpt.maps.map_rules import Rule
from estimator_ckpt.maps.rules_by_subject import RulesBySubject

NAMES = ["dense/kernel", "dense/bias"]


def sentences(*rules, names=NAMES):
    by_subject = RulesBySubject(rules)
    named = {name: by_subject.of(name) for name in names}
    return idle_rules.sentences_on(rules, named, "c")


def test_a_rule_that_matches_nothing_names_what_is_near():
    assert sentences(Rule("dens/", "d/", "1"), Rule("dense/bia", "b", "2")) == [
        "the rule 'dens/' -> 'd/' (1) matches no variable of c (near: 'dense/')",
        "the rule 'dense/bia' -> 'b' (2) matches no variable of c (near: 'dense/bias')",
    ]


def test_one_that_comes_too_late_names_the_one_before():
    first, late = Rule("dense/", "d/", "1"), Rule("dense/kernel", "k", "2")
    (sentence,) = sentences(first, late)
    assert f"{first} comes first for 'dense/kernel'" in sentence
    assert "give one rule a list" in sentence


def test_of_a_built_in_map_one_rule_that_matches_is_enough():
    used, idle = Rule("dense/", "d/", "builtin:x"), Rule("conv/", "c/", "builtin:x")
    assert sentences(used, idle) == []
    assert sentences(idle) == ["the map 'builtin:x' matches no variable of c"]


def test_of_many_the_last_are_said_without_a_search():
    many = sentences(*(Rule(f"x{i}", "y", str(i)) for i in range(12)))
    assert len(many) == 12
    assert many[-1] == "the rule 'x11' -> 'y' (11) renames no variable of c"


def test_near_names_are_looked_for_a_few_times():
    near = list(idle_rules.near_each(["dense/bia"] * 10, NAMES))
    assert near == [" (near: 'dense/bias')"] * 8 + ["", ""]
