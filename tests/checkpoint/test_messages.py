"""How messages word lists, near names and counts."""

import pytest

from estimator_ckpt.checkpoint import messages


def test_a_long_list_is_cut_and_says_so():
    assert messages.listed("abc", most=3) == "a, b, c"
    assert messages.listed("abcde", most=3) == "a, b, c and 2 more"
    assert messages.listed([]) == ""
    assert messages.listed("abc", most=2, separator="; ") == "a; b and 1 more"


def test_names_are_quoted_and_what_does_not_print_is_escaped():
    assert messages.quoted(["a", "b\x1b[2J", "c\u202e"]) == (
        r"'a', 'b\x1b[2J', 'c\u202e'"
    )


def test_near_names_are_offered_if_there_are_any():
    assert messages.near("dense/kernl", ["dense/kernel", "x"]) == (
        " (near: 'dense/kernel')"
    )
    assert messages.near("dense", ["x"]) == ""


def test_counts():
    assert messages.counted(1, "shard") == "1 shard"
    assert messages.counted(2, "shard") == "2 shards"
    assert messages.counts({"carried": 3, "missing": 1}) == "3 carried, 1 missing"


def test_bytes_are_whole_and_more_is_rounded():
    assert messages.bytes_text(0) == "0 B"
    assert messages.bytes_text(999) == "999 B"
    assert messages.bytes_text(1000) == "1.0 kB"
    assert messages.bytes_text(1_340_000_000) == "1.3 GB"
    assert messages.bytes_text(5 * 10**15) == "5000.0 TB"


def test_numbers_in_names_count_as_numbers():
    names = ["ckpt-14", "ckpt-7", "layer_2/w", "layer_10/w", "ckpt"]
    assert sorted(names, key=messages.natural) == [
        *("ckpt", "ckpt-7", "ckpt-14", "layer_2/w", "layer_10/w")
    ]


@pytest.mark.parametrize("name", ["9" * 5_000, "\u0663\u0664/w", "a1b\u00b2", ""])
def test_any_name_has_a_place(name):
    assert sorted([name, "a1"], key=messages.natural)
