"""A rule reorders numbers, and says what does not fit."""

import numpy as np
import pytest

from estimator_ckpt.layouts.layout_rule import LayoutRule, LayoutRuleError

HALVES = LayoutRule(
    "the rule",
    ("whole",),
    ("left", "right"),
    lambda arrays: np.split(arrays[0], 2),
    lambda arrays: [np.concatenate(arrays)],
    shift=lambda array: np.ones_like(array),
    refused={"peephole": "there are none"},
)
WHOLE = np.arange(4.0)


def test_each_target_is_made_and_leads_back():
    left, right = HALVES.uses([(4,)], [(2,), (2, 1)])
    np.testing.assert_array_equal(left([WHOLE]), [1, 2])  # shifted by one
    np.testing.assert_array_equal(right([WHOLE]), [[3], [4]])
    (back,) = HALVES.uses_back([(2,), (2,)])
    np.testing.assert_array_equal(back([left([WHOLE]), right([WHOLE])[:, 0]]), WHOLE)


def test_slots_have_no_shift():
    import dataclasses

    (left, _) = HALVES.uses([(4,)], [(2,), (2,)])
    slot = dataclasses.replace(left, is_slot=True)
    np.testing.assert_array_equal(slot([WHOLE]), [0, 1])


def test_shapes_are_known_without_the_numbers():
    huge = (1 << 20, 1 << 20)
    assert HALVES.made([huge]) == [(1 << 19, 1 << 20)] * 2


@pytest.mark.parametrize(
    ("given", "wanted", "why"),
    [
        ([(4,)], [(2,), (3,)], r"\[4\] become \[2\], \[2\], not \[2\], \[3\]"),
        ([(5,)], [(2,), (3,)], r"does not fit variables of shapes \[5\]"),
    ],
)
def test_shapes_that_do_not_fit(given, wanted, why):
    with pytest.raises(LayoutRuleError, match=f"^the rule: .*{why}"):
        HALVES.uses(given, wanted)


def test_what_must_and_must_not_be_there():
    HALVES.check({"whole"})
    with pytest.raises(LayoutRuleError, match="the source has no 'whole'"):
        HALVES.check(set())
    with pytest.raises(LayoutRuleError, match="'peephole' is there: there are none"):
        HALVES.check({"whole", "peephole"})


def test_a_rule_that_goes_one_way_says_so():
    import dataclasses

    with pytest.raises(LayoutRuleError, match="cannot be reversed"):
        dataclasses.replace(HALVES, backward=None).uses_back([(2,), (2,)])
