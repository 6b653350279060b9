"""What may stand in an assignment map, and what is refused."""

import re

import pytest

from estimator_ckpt.maps import given_maps
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.map_rules import AssignmentMapError


class Variable:
    def __init__(self, name):
        self.name = name


PARTS = [[Variable(f"{n}/w/part_{i}:0") for i in (0, 1)] for n in ("a", "b")]


def pairs(given):
    return [(rule.source, rule.target) for rule in given_maps.rules_of(given)]


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({}, []),
        ([], []),
        ({"a": "b", "c/": "d/"}, [("a", "b"), ("c/", "d/")]),
        ([("a", "b"), ("a", "c")], [("a", "b"), ("a", "c")]),
        ([None, {"a": "b"}, ("c", "d")], [("a", "b"), ("c", "d")]),
        ([AssignmentMap.of({"a": "b"}), {"c": "d"}], [("a", "b"), ("c", "d")]),
        ({"v": Variable("new/v")}, [("v", "new/v")]),
        ({"v": [Variable("new/v")]}, [("v", "new/v")]),
        ({"w": PARTS[0]}, [("w", "a/w")]),
        ({"w": PARTS[0] + PARTS[1]}, [("w", "a/w"), ("w", "b/w")]),
        ({"w": PARTS}, [("w", "a/w"), ("w", "b/w")]),
        ({"w": [Variable("a/w:0"), "b/w"]}, [("w", "a/w"), ("w", "b/w")]),
        ({"w": ["a", "a"]}, [("w", "a")]),
    ],
)
def test_each_form_is_rules(given, rules):
    assert pairs(given) == rules


def test_a_map_of_rules_is_taken_as_it_is():
    given = AssignmentMap.of({"a": "b"})
    assert AssignmentMap.of(given) is given
    assert AssignmentMap.of(None) == AssignmentMap()


def test_a_graph_says_what_its_variables_are_called():
    found = given_maps.rules_of({"v": Variable("v_1:0")}, lambda variable: "said")
    assert [rule.target for rule in found] == ["said"]


@pytest.mark.parametrize("target", [3, None, [], ["a", 3], [[]]])
def test_what_is_no_variable_is_said_so(target):
    with pytest.raises(AssignmentMapError, match="is no name, no variable"):
        AssignmentMap.of({"v": target})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"a/": "b"}, "a scope .* can only become a scope"),
        ({"a": "b/"}, "a scope .* can only become a scope"),
        ({"": "b"}, "not empty"),
        ({re.compile("a"): r"\1"}, "does not fit the groups"),
        ([("a", "b", "c")], "no pair"),
        (3, "is no assignment map"),
        (re.compile("a"), "is no assignment map"),
        ("builtin:nothing", "no built-in map 'nothing'; there are 'rnn_cells'"),
        ("map.txt", "ends in .yaml, .yml or .json"),
    ],
)
def test_malformed_maps_are_refused(given, message):
    with pytest.raises(AssignmentMapError, match=message):
        AssignmentMap.of(given)
