"""What the tensors of a file that PyTorch wrote are variables of: the way back.

    running_mean beside it   BatchNorm: gamma, beta, moving_mean, moving_variance
    weight of one axis       gamma; its bias beta
    weight [out, in], bias   dense
    weight [out, in, ...]    conv, if there is more than one `in`

The rest (a matrix without a bias may be a table, [C, 1, ...] a depthwise kernel, and
recurrent weights of several cells) needs a rule, which the error names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from estimator_ckpt.layouts.torch import torch_rules
from estimator_ckpt.layouts.torch.torch_rules import Request, TorchRule

Shape = tuple[int, ...]

#: What PyTorch counts batches with; nothing of TensorFlow's needs it.
COUNTER = "num_batches_tracked"
_KERNELS = {"embedding": "embeddings", "depthwise": "depthwise_kernel"}
_MOST_LISTED = 5


class BackPlan(NamedTuple):
    """What becomes of tensors.

    Attributes:
      rules: the rules that made them, or could have.
      left_out: the tensors that no variable is made of.
      unused: a sentence for each rule of the user's that is about none.
    """

    rules: Sequence[TorchRule]
    left_out: Sequence[str]
    unused: tuple[str, ...]


def plan(
    shapes: Mapping[str, Shape],
    noted: Sequence[TorchRule],
    requests: Sequence[Request],
    source: str,
) -> BackPlan:
    """Which rules lead back from tensors to variables.

    Args:
      shapes: the tensors' shapes by name.
      noted: the rules that the file says its tensors were made by.
      requests: the user's rules, which come first: with `to`, as on the way there; one
        without says of which word the tensors are that it names.
      source: the file, for messages.

    Raises:
      LayoutRuleError: a tensor is undecided, or two rules are about one.
    """
    rules: list[TorchRule] = []
    taken: dict[str, Request] = {}
    unused = []
    for request in requests:
        asked = _asked_for(request, shapes)
        if not asked:
            unused.append(request.about_none("tensor", source))
        for rule in asked:
            request.take(rule.targets, taken, source)
        rules += asked
    has_rule = set(taken)
    for rule in noted:
        if has_rule.isdisjoint(rule.targets):
            has_rule.update(rule.targets)
            rules.append(rule)
    left = {name: shape for name, shape in shapes.items() if name not in has_rule}
    left_out = [name for name in left if name.rpartition(".")[2] == COUNTER]
    for name in left_out:
        del left[name]
    rules += _by_evidence(left, shapes, source)
    return BackPlan(rules, left_out, tuple(unused))


def _by_evidence(
    left: Mapping[str, Shape], shapes: Mapping[str, Shape], source: str
) -> list[TorchRule]:
    """The rules of tensors that no rule is given for.

    Args:
      left: these.
      shapes: all of the file.
      source: the file, for messages.

    Raises:
      LayoutRuleError: one is undecided.
    """
    rules, undecided = [], []
    for name, shape in left.items():
        fields = _decided(name, shape, shapes)
        if fields is None:
            undecided.append(f"{name!r} {list(shape)}: {_choices(name, shape)}")
        else:
            rules.append(torch_rules.rule_of(fields, "evidence"))
    if undecided:
        raise LayoutRuleError(
            f"{source}: say what these are, with a rule each (layouts, "
            f"--layouts=FILE): {messages.listed(undecided, _MOST_LISTED, '; ')}"
        )
    return rules


def _asked_for(request: Request, shapes: Mapping[str, Shape]) -> list[TorchRule]:
    """The rules that a request stands for."""
    if "to" in request.fields:
        return [request.rule()]
    names = [request.source] if request.source in shapes else []
    if request.is_open:
        names = [name for name in shapes if request.is_about(name)]
    return [
        request.rule(**{request.word: _variable(name, request.word), "to": name})
        for name in names
    ]


def _variable(name: str, word: str) -> str:
    """The name of a tensor's variable: `fc.weight` -> `fc/kernel`."""
    scope, _, last = name.rpartition(".")
    if word != "as_is" and last == "weight":
        last = _KERNELS.get(word, "kernel")
    return "/".join([*filter(None, scope.split(".")), last])


def _decided(
    name: str, shape: Shape, shapes: Collection[str]
) -> Optional[Mapping[str, Any]]:
    """The rule of a tensor, if the evidence says which."""
    scope, dot, last = name.rpartition(".")

    def beside(word: str) -> bool:
        return f"{scope}{dot}{word}" in shapes

    if len(shape) < 2:
        if last.startswith(("bias_ih", "bias_hh", "bias_hr")):
            return None
        word = last
        if beside("running_mean"):
            word = _NORM.get(last, last)
        elif last == "weight":
            word = "gamma"
        elif last == "bias" and _is_norm(scope, dot, shapes):
            word = "beta"
        return {"as_is": "/".join([*filter(None, scope.split(".")), word]), "to": name}
    if last == "weight" and len(shape) == 2 and beside("bias"):
        return {"dense": _variable(name, "dense"), "to": name}
    if last == "weight" and len(shape) > 2 and shape[1] > 1:
        return {"conv": _variable(name, "conv"), "to": name}
    return None


_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def _is_norm(scope: str, dot: str, shapes: Any) -> bool:
    """Whether the weight of a bias is a scale, of one axis."""
    weight = f"{scope}{dot}weight"
    return weight in shapes and len(shapes[weight]) == 1


def _choices(name: str, shape: Shape) -> str:
    """The rules that could be given for a tensor, as text."""
    scope, _, last = name.rpartition(".")
    if last.startswith(("weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh")):
        at = "/".join(filter(None, scope.split("."))) or "rnn"
        return (
            f"{{lstm: {at}/lstm_cell, to: {scope}, forget_bias: 1.0}}, "
            f"{{keras_lstm: {at}/lstm_cell, to: {scope}}}, {{cudnn_gru: ...}} or "
            f"{{keras_gru: ...}}"
        )
    words = ["dense", "embedding"] if len(shape) == 2 else ["conv", "depthwise"]
    return ", ".join(f"{{{word}: {name}}}" for word in (*words, "as_is"))
