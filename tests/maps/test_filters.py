"""Include and exclude: regular expressions from the beginning of a name."""

import pytest

from estimator_ckpt.maps.filters import Filter, PatternError

NAMES = ["dense/kernel", "dense/bias", "head/kernel"]


@pytest.mark.parametrize(
    ("include", "exclude", "kept"),
    [
        (None, None, NAMES),
        ("dense", None, NAMES[:2]),
        ("kernel", None, []),  # from the beginning, as TensorFlow's
        (".*kernel", None, [NAMES[0], NAMES[2]]),
        (None, "dense", [NAMES[2]]),
        ("dense", ".*bias", [NAMES[0]]),
        (["head", ".*bias"], None, NAMES[1:]),
        ((), None, []),  # no pattern includes nothing
    ],
)
def test_what_is_kept(include, exclude, kept):
    names = Filter(include, exclude)
    assert [name for name in NAMES if names.keeps(name)] == kept


def test_only_without_both_all_are_kept_unseen():
    assert Filter().keeps_all
    assert not Filter(".*").keeps_all
    assert not Filter(None, "x").keeps_all


def test_patterns_that_match_nothing_are_listed():
    assert Filter(["dense", "tail"], ["head", "x"]).unused(NAMES) == ["tail", "x"]


def test_what_is_no_regex_is_one_line():
    with pytest.raises(PatternError, match=r"^[^\n]*\[a[^\n]*$"):
        Filter("[a")
