"""The words of names: spelled out, numbered, opposite, in order."""

import pytest

from estimator_ckpt.maps.suggest.model_layers import words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("attn", ("attention",)),
        ("layer_3", ("block", 3)),
        ("BatchNorm", ("norm",)),
        ("LayerNormalization_2", ("norm", 2)),
        ("conv2d_1", ("conv", 1)),  # two dimensions, not number two
        ("fc7", ("dense", 7)),
        ("res3b", ("res", 3, 1)),  # 3b comes before 3c
        ("wpe", ("position", "embedding")),
        ("second_block", (2, "block")),
        ("entries", ("entry",)),
        ("post_attention_norm", ("postattention", "norm")),
        ("", ()),
    ],
)
def test_the_words_of_a_text(text, found):
    assert words.in_text(text) == found


def test_siblings_imply_numbers():
    assert words.of("dense", {"dense", "dense_1"}) == ("dense", 0)
    assert words.of("dense", {"dense"}) == ("dense",)
    assert words.of("a/block_b", {"a/block_a", "a/block_b"}) == ("a", "block", 1)


def test_opposites_are_not_the_same_thing():
    assert words.contradict({"query", "dense"}, {"key"})
    assert not words.contradict({"query"}, {"query", "key"})
    assert not words.contradict({"query"}, {"dense"})


@pytest.mark.parametrize(
    ("a", "b", "first"),
    [
        (1, 2, True),
        (2, 1, False),
        ("encoder", "decoder", True),
        ("head", "encoder", False),
        ("item", "user", False),  # the alphabet decides nothing
    ],
)
def test_what_comes_first(a, b, first):
    assert words.is_before(a, b) is first


@pytest.mark.parametrize(
    ("short", "word", "can"),
    [
        ("f", "final", True),
        ("sm", "softmax", True),
        ("sm", "smooth", True),
        ("fs", "softmax", False),
        ("soft", "softmax", False),  # too long to be found by its letters
        ("", "softmax", False),
    ],
)
def test_abbreviations(short, word, can):
    assert words.abbreviates(short, word) is can


def test_thousands_of_digits_are_no_number():
    (found,) = words.in_text("9" * 10_000)
    assert found == int("9" * 18)
