"""From a model's variables to its layers, by their names and shapes.

What a variable is in its layer says the last part of its name: `kernel`, `biases`, `w`,
`W_conv1`, `softmax_b`, `filter_bias`. Where only the initials say so (`wc1` and `bc1`,
`h1` and `b1`), both must be there and fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.suggest.model_layers import words
from estimator_ckpt.maps.suggest.model_layers.layers import Layer
from estimator_ckpt.maps.suggest.model_layers.words import Word

#: What a layer's variables are called, by what they are.
_LEAVES: Mapping[str, Sequence[str]] = {
    "kernel": (
        *("kernel", "weights", "weight", "w", "dw", "matrix", "filters"),
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
#: Leaves that may stand before the rest of a name: `W_conv1`, `bias_cnn_0`.
_FIRST = frozenset({"w", "b", "weight", "weights", "kernel", "bias", "biases"})
_PROJECTION = re.compile(
    r"(w|kernel|weights?|b|bias(?:es)?)_?([qkvo]|query|key|value|out)"
)
_NUMBERED = re.compile(r"([a-z_]+?)_?(\d+)")
#: A dot separates as a slash does, but not within a number.
_DOT = re.compile(r"(?<!\d)\.|\.(?!\d)")
#: The parts of a name beyond which nobody gave it by hand; longer ones are left alone.
_MOST_PARTS = 64


class _Read(NamedTuple):
    """A variable and what its name says.

    Attributes:
      variable: the variable.
      name: its name, its parts separated by `/`.
      scope: all but the last part.
      leaf: what it is in its layer; None if its name does not say.
      rest: what else is in the last part.
    """

    variable: Variable
    name: str
    scope: str
    leaf: Optional[str]
    rest: str

    @property
    def last(self) -> str:
        return self.name[len(self.scope) :].lstrip("/")

    @property
    def layer(self) -> tuple[str, str]:
        """What the variables of one layer have in common."""
        return self.scope, self.rest

    @property
    def shape(self) -> tuple[int, ...]:
        return self.variable.shape or ()


class _Draft(NamedTuple):
    """A layer of which the words are not read yet."""

    name: str
    last: str
    leaves: dict[str, Variable]


def layers(variables: Iterable[Variable]) -> list[Layer]:
    """The layers that variables form, in the order of their first variables.

    Args:
      variables: those of a model, without slots and averages.
    """
    read = [_read(variable) for variable in variables if can_read(variable)]
    read = _with_joined_biases(_with_initials(read))
    scopes = {
        name[:end]
        for name in (one.name for one in read)
        for end in (*(i for i, c in enumerate(name) if c == "/"), len(name))
    }
    found: list[Layer] = []
    alike: dict[tuple[Word, ...], int] = {}
    for draft in _drafts(read):
        spelled = words.of(draft.name, scopes)
        alike[spelled] = alike.get(spelled, 0) + 1
        if alike[spelled] > 1:  # names that words do not tell apart
            spelled = (*spelled, f"{draft.last} {alike[spelled]}")
        scope = draft.name.rpartition("/")[0]
        around = scope.rpartition("/")[0]
        depths = len(words.of(scope, scopes)), len(words.of(around, scopes))
        found.append(Layer(draft.name, spelled, depths, _as_norm(draft.leaves)))
    return found


def can_read(variable: Variable) -> bool:
    """Whether a variable's name and shape are such as models give."""
    return variable.shape is not None and variable.name.count("/") < _MOST_PARTS


def _drafts(read: Iterable[_Read]) -> Iterator[_Draft]:
    """Variables by the layer that they are of; one that says nothing is a layer."""
    found: dict[tuple[str, bool], _Draft] = {}
    for one in read:
        key = "/".join(filter(None, (one.scope, one.rest))), False
        leaf = one.leaf
        name = key[0]
        if leaf is None or not _goes_with(one, found.get(key)):
            leaf, key, name = "kernel", (one.variable.name, True), one.name
        draft = found.setdefault(key, _Draft(name, one.last.lower(), {}))
        draft.leaves[leaf] = one.variable
    return iter(found.values())


def _goes_with(one: _Read, draft: Optional[_Draft]) -> bool:
    """Whether a variable can be of a layer beside what it has already."""
    if draft is None:
        return True
    if one.leaf in draft.leaves:
        return False
    if one.leaf == "bias" and "kernel" in draft.leaves:
        return _is_bias_of(one.shape, draft.leaves["kernel"].shape or ())
    if one.leaf == "kernel" and "bias" in draft.leaves:
        return _is_bias_of(draft.leaves["bias"].shape or (), one.shape)
    return True


def _is_bias_of(bias: tuple[int, ...], kernel: tuple[int, ...]) -> bool:
    """Whether a bias can be added to what a kernel gives."""
    if len(kernel) < 2 or not bias:
        return True  # of a normalization, or of nothing that is known
    return bias[-1] in kernel


def _read(variable: Variable) -> _Read:
    name = _DOT.sub("/", variable.name).strip("/") or variable.name
    scope, _, last = name.rpartition("/")
    leaf, rest = _leaf(last)
    return _Read(variable, name, scope, leaf, rest)


def _leaf(last: str) -> tuple[Optional[str], str]:
    """What the last part of a name says that a variable is, and the rest of it."""
    lower = last.lower()
    if lower in _LEAF:
        return _LEAF[lower], ""
    projection = _PROJECTION.fullmatch(lower)
    if projection:
        return _LEAF[projection[1]], projection[2]
    numbered = _NUMBERED.fullmatch(lower)
    if numbered and numbered[1] in _LEAF:
        return _LEAF[numbered[1]], numbered[2]
    for size in (2, 1):
        rest, tail = lower.split("_")[:-size], "_".join(lower.split("_")[-size:])
        if rest and tail in _LEAF:
            return _LEAF[tail], last[: len("_".join(rest))]
    first, _, rest_of_it = lower.partition("_")
    if first in _FIRST and rest_of_it:
        return _LEAF[first], last[len(first) + 1 :]
    return None, last


# Initials, and biases under another name than their kernel.


def _with_initials(read: Sequence[_Read]) -> list[_Read]:
    """`wc1` and `bc1` are the kernel and bias of `c1`, if both are there and fit."""
    silent = {(one.scope, one.last.lower()): one for one in read if one.leaf is None}
    told: dict[Variable, tuple[str, str]] = {}
    for (scope, last), bias in silent.items():
        kernel = silent.get((scope, f"w{last[1:]}"))
        if last[:1] != "b" or kernel is None or len(kernel.shape) < 2:
            continue
        if bias.shape == kernel.shape[-1:]:
            told[bias.variable] = "bias", bias.last[1:]
            told[kernel.variable] = "kernel", kernel.last[1:]
    return _as_told(read, told)


def _with_joined_biases(read: Sequence[_Read]) -> list[_Read]:
    """Gives a bias that stands alone to the kernel beside it that has its words.

    `b1` to `h1`, `filter_bias` to `filter`, `bias_0` to `layer_0`: one of the scope's
    kernels without a bias, with at most one word more, and no other like it.
    """
    kernels = _kernels_without_bias(read)
    found: dict[Variable, list[tuple[_Read, _Read]]] = {}
    for bias in _biases_without_kernel(read):
        kernel = _only_owner(bias, kernels.get(bias.scope, ()))
        if kernel is not None:
            found.setdefault(kernel.variable, []).append((kernel, bias))
    told: dict[Variable, tuple[str, str]] = {}
    for (kernel, bias), *others in found.values():
        if not others:
            told[kernel.variable] = "kernel", _layer_name(kernel)
            told[bias.variable] = "bias", _layer_name(kernel)
    return _as_told(read, told)


def _as_told(
    read: Iterable[_Read], told: Mapping[Variable, tuple[str, str]]
) -> list[_Read]:
    """The same variables, some with another leaf and rest."""
    found = []
    for one in read:
        leaf, rest = told.get(one.variable, (one.leaf, one.rest))
        found.append(one._replace(leaf=leaf, rest=rest))
    return found


def _kernels_without_bias(read: Iterable[_Read]) -> dict[str, list[_Read]]:
    """By scope; what says nothing of itself may be a kernel, too."""
    with_bias = {one.layer for one in read if one.leaf == "bias"}
    found: dict[str, list[_Read]] = {}
    for one in read:
        is_lone = one.leaf == "kernel" and one.layer not in with_bias
        if (one.leaf is None or is_lone) and len(one.shape) > 1:
            found.setdefault(one.scope, []).append(one)
    return found


def _biases_without_kernel(read: Iterable[_Read]) -> list[_Read]:
    with_kernel = {one.layer for one in read if one.leaf == "kernel"}
    return [one for one in read if one.leaf == "bias" and one.layer not in with_kernel]


def _only_owner(bias: _Read, kernels: Sequence[_Read]) -> Optional[_Read]:
    """The kernel that a bias is of by its words and shape, if there is only one."""
    wanted = words.in_text(bias.rest)
    found = [
        kernel
        for kernel in kernels
        if bias.shape and _is_bias_of(bias.shape, kernel.shape)
        if _has_words(_layer_words(kernel), wanted)
    ]
    exact = [kernel for kernel in found if _layer_words(kernel) == wanted]
    candidates = exact or found
    return candidates[0] if len(candidates) == 1 else None


def _layer_name(kernel: _Read) -> str:
    """What a kernel's layer is called within its scope."""
    return kernel.last if kernel.leaf is None else kernel.rest


def _layer_words(kernel: _Read) -> tuple[Word, ...]:
    """The words of a kernel's layer, without those that say that it is a kernel."""
    spelled = words.in_text(_layer_name(kernel))
    return tuple(word for word in spelled if word not in ("w", "weight", "kernel"))


def _has_words(given: tuple[Word, ...], wanted: tuple[Word, ...]) -> bool:
    """Whether words are those wanted, but for one more at most."""
    if not wanted:
        return False
    if given == wanted:
        return True
    return len(given) == len(wanted) + 1 and any(
        given[:i] + given[i + 1 :] == wanted for i in range(len(given))
    )


def _as_norm(leaves: dict[str, Variable]) -> dict[str, Variable]:
    """In a layer of vectors `weight` and `bias` are a normalization's."""
    if len(leaves) < 2 or any(len(v.shape or ()) > 1 for v in leaves.values()):
        return leaves
    names = {"kernel": "gamma", "bias": "beta"}
    return {
        names[leaf] if leaf in names and names[leaf] not in leaves else leaf: variable
        for leaf, variable in leaves.items()
    }
