"""What rules make of all names: who yields, what clashes, what a target lacks."""

import pytest

from estimator_ckpt.maps import renaming
from estimator_ckpt.maps.map_rules import AssignmentMapError, Rule

NAMES = ["a/w", "a/w/Adam", "b/w"]


def renamed(*rules, names=NAMES, among_others=False, owners=None):
    return renaming.rename(
        rules, names, source="c", among_others=among_others, owners=owners
    )


def test_without_rules_all_stay():
    assert renamed().pairs == [(name, name) for name in NAMES]


def test_slots_follow_as_names_say_or_as_they_are_said_to():
    rule = Rule("a/w", "c/w", "1")
    assert renamed(rule).sources == {"c/w": "a/w", "c/w/Adam": "a/w/Adam", "b/w": "b/w"}
    said = renamed(rule, owners={})
    assert said.targets["a/w/Adam"] == ("a/w/Adam",)


def test_two_variables_with_one_name_are_an_error_that_lists_them():
    with pytest.raises(AssignmentMapError, match=r"^c: .*'b/w': 'a/w', 'b/w'\. Rename"):
        renamed(Rule("a/w", "b/w", "1"))


def test_beside_others_the_one_with_a_rule_takes_the_name():
    found = renamed(Rule("a/w", "b/w", "1"), among_others=True)
    assert ("a/w", "b/w") in found.pairs
    assert found.replaced == ("b/w",)


def test_what_a_replacing_rule_renames_takes_the_name():
    found = renamed(Rule("a/", "b/", "builtin:x", replaces=True))
    assert found.sources["b/w"] == "a/w"
    assert found.replaced == ("b/w",)


def test_new_names_that_a_target_lacks_are_a_sentence_per_rule():
    found = renamed(Rule("a/w", "d/w", "1"), Rule("b/w", "e/w", "2"))
    (sentence,) = found.lost(["d/w", "f/w"])
    assert sentence.startswith(
        "the rule 'b/w' -> 'e/w' (2) gives names that the target"
    )
    assert "'e/w'" in sentence
