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

from estimator_ckpt.checkpoint import messages
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
#: What is called after a recurrent layer, and is no layer behind one (`lstm_output`).
_RECURRENT = re.compile(
    r"(?:.*_)?(?:lstm|gru|rnn)(?:_(?:block|fused|cell|layer|fw|bw|forward|backward|\d+))*",
    re.IGNORECASE,
)
_NO_FORGET_BIAS = re.compile(r"cudnn_compatible_lstm_cell(?:_\d+)?")
#: What stands beside the kernel of a cell that is no nn.LSTM, and what that lacks.
_NO_LSTM = {
    **{f"w_{gate}_diag": recurrent_modules.NO_PEEPHOLES for gate in "ifo"},
    "forget/gamma": "nn.LSTM does not normalize its gates",
}


def decide(
    scope: str, facts: Mapping[str, Fact], uses: Uses
) -> Optional[tuple[Decision, list[str]]]:
    """What the variables of a scope are if they are a cell's, and which these are."""
    at = f"{scope}/"
    if not scope:
        return None
    if f"{at}kernel" in facts and f"{at}recurrent_kernel" in facts:
        names = _there(at, ("kernel", "recurrent_kernel", "bias"), facts)
        clipped = GraphUse.CLIPPED in uses.get(f"{at}recurrent_kernel", ())
        return _keras_cell(scope, at, facts, clipped), names
    if at.endswith(("/gates/", "/candidate/")) or scope in ("gates", "candidate"):
        return _gru(scope.rpartition("/")[0], facts)
    is_looped = GraphUse.LOOPED in uses.get(f"{at}kernel", ())
    if not _is_tf1_cell(scope, is_looped, facts):
        return None
    names = _there(at, _TF1_CELL, facts)
    for sibling, lacks in _NO_LSTM.items():
        if f"{at}{sibling}" in facts:
            return Undecided(f"beside {sibling}: {lacks}", EXCLUDE), names
    return _tf1_cell(scope, is_looped, {name[len(at) :] for name in names}), names


def _is_tf1_cell(scope: str, is_looped: bool, facts: Mapping[str, Fact]) -> bool:
    """Whether a scope has the kernel of a cell, by its name or by its use."""
    kernel = facts.get(f"{scope}/kernel")
    if kernel is None or len(kernel.shape) != 2 or _is_projection(scope, facts):
        return False
    return is_looped or _is_named(scope)


def _is_named(scope: str) -> bool:
    last = scope.rpartition("/")[2]
    return bool(_CELL.fullmatch(last) or _RECURRENT.fullmatch(last))


def _is_projection(scope: str, facts: Mapping[str, Fact]) -> bool:
    """Whether a scope is the projection of an LSTMCell, which is decided with it."""
    outer, _, last = scope.rpartition("/")
    return last == "projection" and f"{outer}/kernel" in facts


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


#: Keras's recurrent layers, as rules are called for them, by their gates.
_KERAS_CELLS = {1: "keras_rnn", 3: "keras_gru", 4: "keras_lstm"}


def _keras_cell(
    scope: str, at: str, facts: Mapping[str, Fact], is_clipped: bool
) -> Decision:
    """What the cell of a layer of Keras is: by how its two kernels fit together."""
    kernel, state = facts[f"{at}kernel"].shape, facts[f"{at}recurrent_kernel"].shape
    bias = facts[f"{at}bias"].shape if f"{at}bias" in facts else None
    module = module_of(scope)
    name = tensor_names.of_module(module)
    if len(kernel) != 2 or len(state) != 2 or state[1] != kernel[1] or not state[0]:
        return Undecided("a recurrent layer whose kernels are no matrices", EXCLUDE)
    gates, rest = divmod(state[1], state[0])
    word = _KERAS_CELLS.get(gates)
    if rest or word is None:
        return Undecided(f"a recurrent layer of {gates} gates", EXCLUDE)
    evidence = f"beside recurrent_kernel, {messages.counted(gates, 'gate')}"
    options: dict[str, object] = {} if bias is not None else {"bias": False}
    refused = _no_module(word, kernel, bias)
    if refused:
        return Undecided(refused, EXCLUDE)
    rule = f"{{{word}: {scope}, to: {name}"
    if word == "keras_gru" and bias is None:
        return Undecided(
            "a GRU without biases, which do not say whether its reset gate comes after "
            "the matrix product",
            f"{rule}, bias: false}} if it does (reset_after=True)",
        )
    if is_clipped:
        return Undecided(
            "its gates are clipped (hard_sigmoid, the default of TensorFlow 1's "
            "Keras), PyTorch's are a sigmoid",
            f"{rule}}} takes the weights all the same, for a module with such gates",
        )
    return DecidedCell(word, scope, module, evidence, options)


def _no_module(
    word: str, kernel: tuple[int, ...], bias: Optional[tuple[int, ...]]
) -> Optional[str]:
    """Why the bias of a layer of Keras is none of PyTorch's, if it is none."""
    if bias is None or (len(bias) == 2 and word == "keras_gru"):
        return None
    if bias != kernel[1:]:
        return (
            f"a bias of {list(bias)} beside a kernel of {list(kernel)}, as "
            f"CuDNNLSTM's, which is two biases in one"
        )
    return recurrent_modules.NO_GRU if word == "keras_gru" else None


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
