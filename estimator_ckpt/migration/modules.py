"""The modules that a checkpoint's variables form, read from their names.

A module is what one layer owns: `dense/kernel` and `dense/bias` are one, a batch
normalization's four another. Modules whose names differ in numbers alone are a family:
the twelve query projections of a transformer. Names are read as words, so that
`layer_3/attention/self/query` and `block4/attn/q` have most of theirs in common.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Optional, Union

from estimator_ckpt.migration.plan import Variable

Word = Union[str, int]

#: What a layer's variables are called, by what they are.
_LEAVES: Mapping[str, Sequence[str]] = {
    "kernel": ("kernel", "weights", "weight", "w", "embeddings", "embedding"),
    "bias": ("bias", "biases", "b"),
    "gamma": ("gamma", "scale", "g"),
    "beta": ("beta", "offset", "shift"),
    "moving_mean": ("moving_mean", "running_mean", "pop_mean", "mean"),
    "moving_variance": (
        *("moving_variance", "running_var", "running_variance", "pop_var"),
        *("variance", "var"),
    ),
    "recurrent_kernel": ("recurrent_kernel", "recurrent_weights"),
    "depthwise_kernel": ("depthwise_kernel", "depthwise_weights"),
    "pointwise_kernel": ("pointwise_kernel", "pointwise_weights"),
}
_LEAF = {name: leaf for leaf, names in _LEAVES.items() for name in names}
_BEFORE = re.compile(r"(w|kernel|weights?|b|bias(?:es)?)_?([qkvo]|query|key|value|out)")

#: Words that mean the same in the names of layers.
_SYNONYMS: Mapping[str, str] = {
    word: meaning
    for meaning, words in {
        "attention": "attn att mha multihead",
        "query": "q",
        "key": "k",
        "value": "v",
        "output": "out o proj projection",
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
_COMPOUNDS = {"wte": ("word", "embedding"), "wpe": ("position", "embedding")}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DIMENSIONS = re.compile(r"(?<=[a-z])[123][dD](?![a-z])")

#: Words of which one name has one and the other another if they are not the same thing.
_OPPOSITES = (
    frozenset({"query", "key", "value"}),
    frozenset({"encoder", "decoder"}),
    frozenset({"discriminator", "generator"}),
    frozenset({"forward", "backward"}),
    frozenset({"left", "right"}),
    frozenset({"word", "position"}),
    frozenset({"user", "item"}),
)

#: Words in the order in which models have what they stand for.
_FLOWS: Sequence[Sequence[str]] = (
    ("embedding", "encoder", "decoder", "pooler", "head"),
    ("attention", "feedforward", "output"),
    ("input", "hidden", "output"),
)

Pattern = tuple[str, ...]
Signature = tuple[str, tuple[tuple[str, tuple[int, ...]], ...]]


@dataclasses.dataclass(eq=False)
class Module:
    """A layer's variables.

    Attributes:
      name: the scope that they share.
      words: the name's words, with numbers as integers.
      leaves: the variables, by what they are in the layer (`kernel`).
      position: where the module stands in the model, if that is known.
    """

    name: str
    words: tuple[Word, ...]
    leaves: dict[str, Variable]
    position: Optional[int] = None

    @functools.cached_property
    def signature(self) -> Signature:
        """The kind of layer and its shapes; a bias beside a kernel does not count."""
        statistics = self.leaves.get("moving_variance") or self.leaves.get(
            "moving_mean"
        )
        if statistics is not None:
            return "batch_norm", (_form(statistics),)
        forms = sorted(map(_form, self.leaves.values()))
        kernels = tuple(form for form in forms if len(form[1]) > 1)
        return ("kernels", kernels) if kernels else ("vectors", tuple(forms))

    @property
    def pattern(self) -> Pattern:
        """The words, with `#` for each number."""
        return tuple("#" if isinstance(word, int) else word for word in self.words)

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(word for word in self.words if isinstance(word, int))

    def is_before(self, other: Module) -> bool:
        """Whether the module is known to come first, by its position or its name.

        Numbers say so, and a few words; the alphabet does not: `item_tower` is not
        before `user_tower`.
        """
        if self.position is not None and other.position is not None:
            return self.position < other.position
        for mine, theirs in zip(self.words, other.words):
            if mine != theirs:
                return _is_before(mine, theirs)
        return False


@dataclasses.dataclass(eq=False)
class Family:
    """Modules of one signature whose names differ in numbers alone.

    Attributes:
      pattern: what their names have in common, `#` for each number.
      signature: that of each.
      members: the modules, in the order of their numbers.
    """

    pattern: Pattern
    signature: Signature
    members: list[Module]

    @functools.cached_property
    def words(self) -> frozenset[str]:
        return frozenset(self.pattern) - {"#"}

    @functools.cached_property
    def structure(self) -> tuple[Any, ...]:
        """How the numbers nest: `(2, 3)` for 4_1, 4_2, 5_1, 5_2, 5_3."""
        return _structure([module.numbers for module in self.members])

    def __str__(self) -> str:
        more = f" and {len(self.members) - 1} more" if len(self.members) > 1 else ""
        return f"{self.members[0].name!r}{more}"


def modules(variables: Iterable[Variable], *, ordered: bool) -> list[Module]:
    """The modules that variables form.

    Args:
      variables: those of a model, without slots and averages.
      ordered: whether they come in the order in which the model made them, rather than
        in that of their names.
    """
    known = [variable for variable in variables if variable.shape is not None]
    scopes = {
        name[:end]
        for name in (variable.name for variable in known)
        for end in (*(i for i, c in enumerate(name) if c == "/"), len(name))
    }
    found: dict[tuple[Word, ...], Module] = {}
    for position, variable in enumerate(known):
        scope, _, last = variable.name.rpartition("/")
        leaf, rest = _leaf(last)
        words = (*_words_of(scope, scopes), *_words(rest))
        if leaf and words and leaf not in getattr(found.get(words), "leaves", ()):
            name = "/".join(filter(None, (scope, rest)))
        else:
            leaf, name = "kernel", variable.name
            words = _words_of(variable.name, scopes)
            while words in found:
                words = (*words, leaf)
        module = found.setdefault(
            words, Module(name, words, {}, position if ordered else None)
        )
        module.leaves[leaf] = variable
    for module in found.values():
        _tell_norms(module)
    return list(found.values())


def families(found: Iterable[Module]) -> list[Family]:
    """The families that modules form, within their signatures."""
    by_pattern: dict[tuple[Pattern, Signature], Family] = {}
    for module in found:
        key = (module.pattern, module.signature)
        family = by_pattern.setdefault(key, Family(*key, []))
        family.members.append(module)
    for family in by_pattern.values():
        family.members.sort(key=lambda module: module.numbers)
    return list(by_pattern.values())


def contradict(a: Set[Word], b: Set[Word]) -> bool:
    """Whether words say that two modules are not the same: `query` and `key`."""
    for words in _OPPOSITES:
        mine, theirs = a & words, b & words
        if mine and theirs and not mine & theirs:
            return True
    return False


def _is_before(a: Word, b: Word) -> bool:
    if isinstance(a, int) and isinstance(b, int):
        return a < b
    return any(a in flow and b in flow[flow.index(a) + 1 :] for flow in _FLOWS)


def _form(variable: Variable) -> tuple[str, tuple[int, ...]]:
    return variable.dtype, variable.shape or ()


def _tell_norms(module: Module) -> None:
    """In a layer of vectors `weight` and `bias` are a normalization's."""
    leaves = module.leaves
    if len(leaves) < 2 or any(len(v.shape or ()) > 1 for v in leaves.values()):
        return
    for plain, norm in (("kernel", "gamma"), ("bias", "beta")):
        if plain in leaves and norm not in leaves:
            leaves[norm] = leaves.pop(plain)


def _leaf(last: str) -> tuple[Optional[str], str]:
    """What the last part of a name says that a variable is, and the rest of it."""
    lower = last.lower()
    if lower in _LEAF:
        return _LEAF[lower], ""
    before = _BEFORE.fullmatch(lower)
    if before:
        return _LEAF[before[1]], before[2]
    numbered = re.fullmatch(r"([a-z_]+?)_?(\d+)", lower)
    if numbered and numbered[1] in _LEAF:
        return _LEAF[numbered[1]], numbered[2]
    for size in (2, 1):
        rest, tail = lower.split("_")[:-size], "_".join(lower.split("_")[-size:])
        if rest and tail in _LEAF:
            return _LEAF[tail], last[: len("_".join(rest))]
    return None, last


def _words_of(name: str, scopes: set[str]) -> tuple[Word, ...]:
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


@functools.cache
def _words(text: str) -> tuple[Word, ...]:
    """The words of a text: plurals, abbreviations and ordinals made the same."""
    words: list[Word] = []
    end = 0
    for match in _PIECE.finditer(_DIMENSIONS.sub("", text)):
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
    return tuple(words)


def _structure(vectors: Sequence[tuple[int, ...]]) -> tuple[Any, ...]:
    """How vectors of numbers nest, without what is the same in all of them."""
    if len(vectors) == 1 or not vectors[0]:
        return ()
    groups: dict[int, list[tuple[int, ...]]] = {}
    for vector in vectors:
        groups.setdefault(vector[0], []).append(vector[1:])
    if len(groups) == 1:
        return _structure(next(iter(groups.values())))
    return tuple(_structure(group) for group in groups.values())
