"""The modules that a checkpoint's variables form, read from their names.

A module is what one layer owns: `dense/kernel` and `dense/bias` are one, a batch
normalization's four another. Modules whose names differ in numbers alone are a family:
the twelve query projections of a transformer.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from estimator_ckpt.maps.plans import Variable
from estimator_ckpt.maps.suggest import words
from estimator_ckpt.maps.suggest.words import Word

#: What a layer's variables are called, by what they are.
_LEAVES: Mapping[str, Sequence[str]] = {
    "kernel": (
        *("kernel", "weights", "weight", "w", "dw", "matrix"),
        *("embeddings", "embedding"),
    ),
    "bias": ("bias", "biases", "b", "bias_weights"),
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

    @functools.cached_property
    def pattern(self) -> Pattern:
        """The words, with `#` for each number."""
        return tuple("#" if isinstance(word, int) else word for word in self.words)

    @functools.cached_property
    def numbers(self) -> tuple[int, ...]:
        return tuple(word for word in self.words if isinstance(word, int))

    @functools.cached_property
    def outputs(self) -> Optional[int]:
        """How many channels a layer with a kernel has, or a batch normalization."""
        kind, forms = self.signature
        shape = max((shape for _, shape in forms), key=len)
        if kind == "vectors" or not shape:
            return None
        if "depthwise_kernel" in self.leaves and "pointwise_kernel" not in self.leaves:
            return shape[-1] * shape[-2]
        is_transposed = {"transpose", "deconv"} & set(self.words)
        return shape[-2 if is_transposed else -1]

    def is_before(self, other: Module) -> bool:
        """Whether the module is known to come first, by its position or its name.

        Numbers say so, and a few words; the alphabet does not: `item_tower` is not
        before `user_tower`.
        """
        if self.position is not None and other.position is not None:
            return self.position < other.position
        for mine, theirs in zip(self.words, other.words):
            if mine != theirs:
                return words.is_before(mine, theirs)
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
    found: dict[tuple[str, bool], Module] = {}
    taken: set[tuple[Word, ...]] = set()
    for position, variable in enumerate(known):
        scope, _, last = variable.name.rpartition("/")
        leaf, rest = _leaf(last)
        key = "/".join(filter(None, (scope, rest))), False
        if not leaf or not key[0] or (key in found and leaf in found[key].leaves):
            leaf, key = "kernel", (variable.name, True)
        if key not in found:
            read = words.of(key[0], scopes)
            while read in taken:
                read = (*read, last.lower())
            taken.add(read)
            found[key] = Module(key[0], read, {}, position if ordered else None)
        found[key].leaves[leaf] = variable
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


def companions(side: Sequence[Module]) -> dict[Module, Module]:
    """The layer that each batch normalization stands beside, and the other way round.

    `conv_3` and `conv_3/BatchNorm`, `bn2a` and `conv2a`: the same numbers and size, and
    more words in common than others. Where nothing but the last number says so
    (`conv2d_7`, `batch_normalization_7`), all layers must have one.
    """
    kernels: dict[tuple[tuple[int, ...], Optional[int]], list[Module]] = {}
    ends: dict[tuple[Word, ...], set[Word]] = {}
    for module in side:
        ends.setdefault(module.words[:-1], set()).update(module.words[-1:])
        if module.signature[0] == "kernels":
            kernels.setdefault((module.numbers, module.outputs), []).append(module)
    found: dict[Module, Optional[Module]] = {}
    for norm in side:
        if norm.signature[0] != "batch_norm":
            continue
        mine = set(norm.words) - {"norm", "conv"}
        alike: dict[tuple[int, int], list[Module]] = {}
        for kernel in kernels.get((norm.numbers, norm.outputs), ()):
            others = set(kernel.words) - {"conv"}
            if mine & others:
                key = len(mine & others), -len(others)
                alike.setdefault(key, []).append(kernel)
        best = alike[max(alike)] if alike else []
        if len(best) == 1 and (
            norm.words[-2:-1] != ("norm",)
            or (
                _scope(norm) == _scope(best[0])
                and ends[best[0].words[:-1]] <= ends[norm.words[:-1]]
            )
        ):
            found[best[0]] = None if best[0] in found else norm
    pairs = {kernel: norm for kernel, norm in found.items() if norm is not None}
    return pairs | {norm: kernel for kernel, norm in pairs.items()}


def _scope(module: Module) -> str:
    return module.name.rpartition("/")[0]


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
