"""The words that names of layers are made of.

`layer_3/attention/self/query` and `block4/attn/q` have most of theirs in common:
abbreviations are spelled out, numbers are numbers. A few words say more: which layer is
not another, and which comes first.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping, Sequence, Set
from typing import Union

Word = Union[str, int]

#: Words that mean the same in the names of layers.
_SYNONYMS: Mapping[str, str] = {
    word: meaning
    for meaning, alike in {
        "attention": "attn att mha multihead",
        "query": "q wq theta",
        "key": "k wk memory phi",
        "value": "v wv vf",
        "output": "out o wo proj projection",
        "norm": "ln layernorm normalization bn batchnorm batchnormalization",
        "dense": "fc linear affine fully connected lin",
        "feedforward": "ffn mlp ff intermediate",
        "conv": "convolution cnn",
        "transpose": "deconv upconv",
        "depthwise": "dw",
        "pointwise": "pw",
        "embedding": "emb embed embedder",
        "word": "token tok vocab",
        "position": "pos positional",
        "segment": "type seg",
        "character": "char",
        "encoder": "enc",
        "decoder": "dec",
        "body": "backbone trunk",
        "block": "layer h unit stage",
        "head": "logit classifier cls prediction pred softmax",
        "shortcut": "skip downsample",
        "discriminator": "disc critic",
        "generator": "gen actor",
        "policy": "pi",
        "forward": "fw fwd",
        "backward": "bw bwd",
        "mean": "mu",
        "variance": "var std stddev sigma logvar logstd",
        "hidden": "hid",
        "final": "last",
    }.items()
    for word in alike.split()
}
#: What two words mean together.
_JOINED = (
    (re.compile(r"(?<![a-z])ln_?f(?![a-z])", re.I), "final_norm"),
    (re.compile(r"(?:batch|layer)_?norm(?:alization)?", re.I), "norm"),
    (re.compile(r"feed_?forward", re.I), "feedforward"),
    (re.compile(r"conv(?:[123]d)?_?transpose", re.I), "transpose"),
    (
        re.compile(
            r"(?:enc|encoder|cross|inter|src)(?:_?dec(?:oder)?)?_?att(?=n|e)", re.I
        ),
        "cross_att",
    ),
)
_COMPOUNDS = {"wte": ("word", "embedding"), "wpe": ("position", "embedding")}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DIMENSIONS = re.compile(r"(conv|pool|dropout|padding)[123]d(?![a-z])", re.I)
#: How many letters an abbreviation has at most that is found by its letters alone.
SHORT = 3

#: Words of which one name has one and the other another if they are not the same thing.
_OPPOSITES: Sequence[frozenset[Word]] = (
    frozenset({"query", "key", "value"}),
    frozenset({"encoder", "decoder"}),
    frozenset({"discriminator", "generator"}),
    frozenset({"policy", "value"}),
    frozenset({"forward", "backward"}),
    frozenset({"left", "right"}),
    frozenset({"word", "position"}),
    frozenset({"user", "item"}),
    frozenset({"mean", "variance"}),
)

#: Words in the order in which models have what they stand for.
FLOWS: Sequence[Sequence[str]] = (
    ("embedding", "encoder", "decoder", "pooler", "head"),
    ("attention", "feedforward", "output", "full"),
    ("input", "hidden", "output"),
    ("before", "after"),
    ("block", "final"),
    ("body", "neck", "head"),
)


def of(name: str, scopes: Collection[str]) -> tuple[Word, ...]:
    """The words of a name, with the numbers that its siblings imply.

    `dense` beside `dense_1` is number 0, as is `block_a` beside `block_b`.

    Args:
      name: a name or a scope, its parts separated by `/`.
      scopes: every name and scope of the model; a set is fastest.
    """
    found: list[Word] = []
    path = ""
    for part in filter(None, name.split("/")):
        path = f"{path}/{part}" if path else part
        lettered = re.fullmatch(r"(.+)_([a-z])", part)
        if lettered and f"{path[:-1]}a" in scopes and f"{path[:-1]}b" in scopes:
            found += (*in_text(lettered[1]), _LETTERS.find(lettered[2]))
            continue
        found += in_text(part)
        if f"{path}_1" in scopes:
            found.append(0)
    return tuple(found)


def contradict(a: Set[Word], b: Set[Word]) -> bool:
    """Whether words say that two layers are not the same: `query` and `key`."""
    return any(
        mine and theirs and not mine & theirs
        for mine, theirs in zip(opposites(a), opposites(b))
    )


def opposites(words: Set[Word]) -> tuple[frozenset[Word], ...]:
    """Those of the words that have opposites, by what they are about."""
    return tuple(group & words for group in _OPPOSITES)


def is_before(a: Word, b: Word) -> bool:
    """Whether numbers or a flow say that what one word stands for comes first."""
    if isinstance(a, int) and isinstance(b, int):
        return a < b
    return any(a in flow and b in flow[flow.index(a) + 1 :] for flow in FLOWS)


def abbreviates(short: str, word: str) -> bool:
    """Whether a few letters can stand for a word: `f` for final, `sm` for softmax."""
    if not 0 < len(short) <= SHORT or len(word) <= len(short) or short[0] != word[0]:
        return False
    letters = iter(word)
    return all(letter in letters for letter in short)


@functools.lru_cache(maxsize=100_000)
def in_text(text: str) -> tuple[Word, ...]:
    """The words of a text: plurals, abbreviations and ordinals made the same."""
    words: list[Word] = []
    end = 0
    text = _DIMENSIONS.sub(r"\1", _joined(text))
    for match in _PIECE.finditer(text):
        piece, is_adjacent = match[0], match.start() == end > 0
        end = match.end()
        if piece.isdigit():
            words.append(int(piece[:_MOST_DIGITS]))
        elif is_adjacent and words and isinstance(words[-1], int) and len(piece) == 1:
            words.append(_LETTERS.find(piece.lower()))  # 3b comes before 3c
        else:
            words += _meaning(piece.lower())
    if words[:1] in (["pre"], ["post"]) and words[-1] == "norm":
        # A `post_attention_norm` is another layer than an `attention_norm`.
        words = ["".join(map(str, words[:-1])), "norm"]
    return tuple(words)


#: More digits are no number of a layer, and Python refuses to read thousands of them.
_MOST_DIGITS = 18


def _joined(text: str) -> str:
    for pattern, joined in _JOINED:
        text = pattern.sub(joined, text)
    return text


def _meaning(word: str) -> Sequence[Word]:
    """What a word means: most only themselves."""
    if word in _ORDINALS:
        return (_ORDINALS[word],)
    if word in _COMPOUNDS:
        return _COMPOUNDS[word]
    return (_SYNONYMS.get(_singular(word), _singular(word)),)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
