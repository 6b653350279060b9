"""What a user asks for: what is left out and why, and what of it matches nothing."""

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.choices import Choice
from estimator_ckpt.maps.filters import PatternError


def variable(name, role=roles.TRAINABLE):
    return Variable(name, "float32", (2,), role, key=name, size=8)


@pytest.mark.parametrize(
    ("options", "given", "because"),
    [
        ({}, variable("w"), None),
        ({}, variable("step", roles.GLOBAL_STEP), None),  # as a conversion does
        ({"carry": "all"}, variable("step", roles.GLOBAL_STEP), "is never carried"),
        ({"carry": "model"}, variable("w/Adam", roles.SLOT), "leaves slot variables"),
        ({"carry": "all"}, variable("w/Adam", roles.SLOT), None),
        ({"reset": "w"}, variable("w"), "reset"),
        ({"exclude": "w"}, variable("w"), "excluded"),
        ({"include": "w", "exclude": "w"}, variable("w"), "excluded"),  # it wins
        ({"include": "v"}, variable("w"), "not included"),
        ({"include": ["v", "w"]}, variable("w"), None),
    ],
)
def test_why_a_variable_is_left_out(options, given, because):
    found = Choice.of(**options).leaves_out(given)
    assert found is None if because is None else because in found


def test_what_matches_nothing_is_a_sentence_each():
    choice = Choice.of(include="w", resize="x", vocabularies={"table": 0})
    assert choice.unused({"w": variable("w")}) == [
        "the pattern 'x' matches no variable",
        "vocab_info names 'table', which there is not",
    ]


def test_an_unknown_carry_names_those_there_are():
    with pytest.raises(ValueError, match=r"unknown carry 'some': use one of .*'model'"):
        Choice.of(carry="some")


@pytest.mark.parametrize("option", ["include", "exclude", "reset", "resize"])
def test_a_pattern_that_is_no_regex_is_named(option):
    with pytest.raises(PatternError, match=r"\("):
        Choice.of(**{option: "("})
