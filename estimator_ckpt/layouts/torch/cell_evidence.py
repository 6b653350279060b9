"""What says which recurrent cell some variables are of: their names, and how they fit.

    kernel, recurrent_kernel     a layer of Keras; the gates are counted
    gates/, candidate/           a GRU of TensorFlow 1
    kernel of two axes           in a scope named as a cell, or used in a loop

No checkpoint holds the forget bias that a cell of TensorFlow 1 adds, so most of these
are left to the user.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Optional

from estimator_ckpt.checkpoint.evidence.graph_uses import GraphUse, Uses
from estimator_ckpt.layouts.torch import recurrent_modules, tensor_names
from estimator_ckpt.layouts.torch.module_decisions import (
    EXCLUDE,
    DecidedCell,
    Decision,
    Fact,
    Undecided,
)

_CELL = re.compile(
    r"(?:.*_)?(?:lstm|gru|rnn|ugrnn|nas|lstm_block|lstm_block_fused)_cell(?:_\d+)?"
    r"|cell(?:_\d+)?"
)
_NO_FORGET_BIAS = re.compile(r"cudnn_compatible_lstm_cell(?:_\d+)?")


def decide(
    scope: str, facts: Mapping[str, Fact], uses: Uses
) -> Optional[tuple[Decision, list[str]]]:
    """What the variables of a scope are if they are a cell's, and which these are."""
    at = f"{scope}/"
    if not scope:
        return None
    if f"{at}kernel" in facts and f"{at}recurrent_kernel" in facts:
        names = _there(at, ("kernel", "recurrent_kernel", "bias"), facts)
        return _keras_cell(scope, at, facts), names
    if at.endswith(("/gates/", "/candidate/")) or scope in ("gates", "candidate"):
        return _gru(scope.rpartition("/")[0], facts)
    kernel = facts.get(f"{at}kernel")
    if kernel is None or len(kernel.shape) != 2:
        return None
    is_looped = GraphUse.LOOPED in uses.get(f"{at}kernel", ())
    if not is_looped and not _CELL.fullmatch(scope.rpartition("/")[2]):
        return None
    names = _there(at, _TF1_CELL, facts)
    return _tf1_cell(scope, is_looped, {name[len(at) :] for name in names}), names


#: What a cell of TensorFlow 1 has whose gates are in one kernel.
_TF1_CELL = (
    *("kernel", "bias", "projection/kernel"),
    *("w_i_diag", "w_f_diag", "w_o_diag"),
)


def _there(at: str, words: Iterable[str], facts: Collection[str]) -> list[str]:
    """The variables of a scope that have these names in it, and are there."""
    return [f"{at}{word}" for word in words if f"{at}{word}" in facts]


def _tf1_cell(scope: str, is_looped: bool, words: Collection[str]) -> Decision:
    """What a cell of TensorFlow 1 is: an LSTM, if its forget bias is known.

    Args:
      scope: its scope.
      is_looped: whether a graph uses it in a loop.
      words: which of `_TF1_CELL` it has.
    """
    last, module = scope.rpartition("/")[2], module_of(scope)
    options: dict[str, object] = {}
    if "projection/kernel" in words:
        options["projection"] = True
    if _NO_FORGET_BIAS.fullmatch(last) and "bias" in words:
        evidence = f"named {last}, which adds no forget bias"
        options["forget_bias"] = 0.0
        return DecidedCell("lstm", scope, module, evidence, options)
    why = (
        "used in a loop, as a recurrent cell's" if is_looped else f"in {last!r}, a cell"
    )
    more = "".join(f", {key}: true" for key in options)
    rule = (
        f"{{lstm: {scope}, to: {tensor_names.of_module(module)}, forget_bias: 1.0"
        f"{more}}} if it is an LSTM's with that forget bias (no checkpoint holds it)"
    )
    return Undecided(why, rule)


def _keras_cell(scope: str, at: str, facts: Mapping[str, Fact]) -> Decision:
    """What the cell of a layer of Keras is: by how its two kernels fit together."""
    kernel, state = facts[f"{at}kernel"].shape, facts[f"{at}recurrent_kernel"].shape
    bias = facts.get(f"{at}bias")
    module = module_of(scope)
    name = tensor_names.of_module(module)
    if len(kernel) != 2 or len(state) != 2 or state[1] != kernel[1] or not state[0]:
        return Undecided("a recurrent layer whose kernels are no matrices", EXCLUDE)
    gates, rest = divmod(state[1], state[0])
    word = {1: "keras_rnn", 3: "keras_gru", 4: "keras_lstm"}.get(gates)
    if rest or word is None:
        return Undecided(f"a recurrent layer of {gates} gates", EXCLUDE)
    evidence = f"beside recurrent_kernel, {gates} gate{'s' if gates > 1 else ''}"
    options: dict[str, object] = {} if bias is not None else {"bias": False}
    if word == "keras_gru" and bias is None:
        return Undecided(
            "a GRU without biases, which do not say whether its reset gate comes after "
            "the matrix product",
            f"{{keras_gru: {scope}, to: {name}, bias: false}} if it does "
            f"(reset_after=True)",
        )
    if word == "keras_gru" and bias is not None and len(bias.shape) != 2:
        return Undecided(recurrent_modules.NO_GRU, EXCLUDE)
    return DecidedCell(word, scope, module, evidence, options)


def _gru(scope: str, facts: Mapping[str, Fact]) -> tuple[Decision, list[str]]:
    """What a cell of tf1 with gates and a candidate is."""
    at = f"{scope}/" if scope else ""
    names = [
        name
        for name in facts
        if name.startswith((f"{at}gates/", f"{at}candidate/"))
        and name.rpartition("/")[2] in ("kernel", "bias")
    ]
    if f"{at}candidate/input_projection/kernel" in facts:
        evidence = "beside candidate/input_projection, CudnnCompatibleGRUCell"
        return DecidedCell("cudnn_gru", scope, module_of(scope), evidence), names
    return Undecided(recurrent_modules.NO_GRU, EXCLUDE), names


def module_of(scope: str) -> str:
    """The scope of a cell's layer: `rnn/basic_lstm_cell` -> `rnn`."""
    outer, _, last = scope.rpartition("/")
    return outer if outer and _CELL.fullmatch(last) else scope
