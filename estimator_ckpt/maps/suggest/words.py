"""The words that names of layers are made of.

`layer_3/attention/self/query` and `block4/attn/q` have most of theirs in common:
abbreviations are spelled out, numbers are numbers. A few words say more: which layer is
not another, and which comes first.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence, Set
from typing import Union

Word = Union[str, int]

#: Words that mean the same in the names of layers.
_SYNONYMS: Mapping[str, str] = {
    word: meaning
    for meaning, words in {
        "attention": "attn att mha multihead",
        "query": "q wq",
        "key": "k wk",
        "value": "v wv",
        "output": "out o wo proj projection",
        "norm": "ln layernorm normalization bn batchnorm batchnormalization",
        "dense": "fc linear affine fully connected",
        "feedforward": "ffn mlp ff intermediate",
        "conv": "convolution cnn",
        "embedding": "emb embed embedder",
        "word": "token tok vocab",
        "position": "pos positional",
        "segment": "type seg",
        "encoder": "enc",
        "decoder": "dec",
        "block": "layer h unit stage",
        "head": "logit classifier cls prediction pred",
        "shortcut": "skip downsample",
        "discriminator": "disc critic",
        "generator": "gen actor",
        "forward": "fw fwd",
        "backward": "bw bwd",
    }.items()
    for word in words.split()
}
#: What two words mean together.
_JOINED = (
    (re.compile(r"(?:batch|layer)_?norm(?:alization)?", re.I), "norm"),
    (re.compile(r"feed_?forward", re.I), "feedforward"),
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

#: Words of which one name has one and the other another if they are not the same thing.
_OPPOSITES: Sequence[frozenset[Word]] = (
    frozenset({"query", "key", "value"}),
    frozenset({"encoder", "decoder"}),
    frozenset({"discriminator", "generator"}),
    frozenset({"forward", "backward"}),
    frozenset({"left", "right"}),
    frozenset({"word", "position"}),
    frozenset({"user", "item"}),
)

#: Words in the order in which models have what they stand for.
FLOWS: Sequence[Sequence[str]] = (
    ("embedding", "encoder", "decoder", "pooler", "head"),
    ("attention", "feedforward", "output"),
    ("input", "hidden", "output"),
    ("before", "after"),
)


def of(name: str, scopes: set[str]) -> tuple[Word, ...]:
    """The words of a name, with the numbers that its siblings imply.

    `dense` beside `dense_1` is number 0, as is `block_a` beside `block_b`.
    """
    words: list[Word] = []
    path = ""
    for part in filter(None, name.split("/")):
        path = f"{path}/{part}" if path else part
        lettered = re.fullmatch(r"(.+)_([a-z])", part)
        if lettered and {f"{path[:-1]}a", f"{path[:-1]}b"} <= scopes:
            words += (*_words(lettered[1]), _LETTERS.find(lettered[2]))
            continue
        words += _words(part)
        if f"{path}_1" in scopes:
            words.append(0)
    return tuple(words)


def contradict(a: Set[Word], b: Set[Word]) -> bool:
    """Whether words say that two modules are not the same: `query` and `key`."""
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


@functools.cache
def _words(text: str) -> tuple[Word, ...]:
    """The words of a text: plurals, abbreviations and ordinals made the same."""
    words: list[Word] = []
    end = 0
    text = _DIMENSIONS.sub(r"\1", text)
    for pattern, joined in _JOINED:
        text = pattern.sub(joined, text)
    for match in _PIECE.finditer(text):
        piece, is_adjacent = match[0], match.start() == end > 0
        end = match.end()
        if piece.isdigit():
            words.append(int(piece))
            continue
        if is_adjacent and words and isinstance(words[-1], int) and len(piece) == 1:
            words.append(_LETTERS.find(piece.lower()))  # 3b comes before 3c
            continue
        word = piece.lower()
        if word in _ORDINALS:
            words.append(_ORDINALS[word])
            continue
        if word in _COMPOUNDS:
            words += _COMPOUNDS[word]
            continue
        if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
            word = word[:-1]
        words.append(_SYNONYMS.get(word, word))
    if words[:1] in (["pre"], ["post"]) and words[-1] == "norm":
        # A `post_attention_norm` is another layer than an `attention_norm`.
        words = ["".join(map(str, words[:-1])), "norm"]
    return tuple(words)
