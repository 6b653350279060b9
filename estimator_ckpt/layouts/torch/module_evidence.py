"""What says which of PyTorch's modules a variable is a tensor of.

In this order: the graph (what the variable is multiplied with, or looked up in); what
stands beside it (a bias, a recurrent kernel, moving statistics); the last part of its
name, in the source or in the object graph. A shape alone decides nothing. What stays
undecided is left to the user, with the rules that could be given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Optional, Union

from estimator_ckpt.checkpoint.evidence.graph_uses import GraphUse, Uses
from estimator_ckpt.layouts.torch import recurrent_modules, tensor_names

Shape = tuple[int, ...]

#: What TensorFlow's layers call their weights, and PyTorch's theirs.
_SAME_ORDER = {
    "bias": "bias",
    "biases": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_KERNELS = frozenset({"kernel", "weights"})
_DEPTHWISE = frozenset({"depthwise_kernel", "depthwise_weights"})
_POINTWISE = frozenset({"pointwise_kernel", "pointwise_weights"})
#: What Keras's MultiHeadAttention has, and how many axes of each are inputs.
_ATTENTION = {"query": 1, "key": 1, "value": 1, "attention_output": 2}
_EINSUM = re.compile(r"einsum|atten|attn|query|key|value", re.IGNORECASE)
#: What other libraries and people call a kernel that has a bias beside it.
_OTHER_KERNELS = frozenset({"w", "W", "weight"})
_BIASES = ("bias", "biases", "b", "B")
_TABLE = re.compile(r"(?:.*_)?embeddings?(?:_table|_weights|_matrix)?")
_CELL = re.compile(
    r"(?:.*_)?(?:lstm|gru|rnn|ugrnn|nas|lstm_block|lstm_block_fused)_cell(?:_\d+)?"
    r"|cell(?:_\d+)?"
)
_NO_FORGET_BIAS = re.compile(r"cudnn_compatible_lstm_cell(?:_\d+)?")
_DECONVOLUTION = re.compile(r"transpose|deconv", re.IGNORECASE)


class Fact(NamedTuple):
    """What is known of a variable.

    Attributes:
      shape: its shape.
      attribute: what the object graph's object calls it; None if there is none.
    """

    shape: Shape
    attribute: Optional[str] = None


class Decided(NamedTuple):
    """What one variable is.

    Attributes:
      word: the word of its rule.
      ending: what its tensor's name ends with.
      drops_last: whether the last part of the variable's name goes for that.
      evidence: a phrase for people.
      options: those of the rule.
    """

    word: str
    ending: tuple[str, ...]
    drops_last: bool
    evidence: str
    options: Mapping[str, object] = {}


class DecidedCell(NamedTuple):
    """What the variables of a recurrent cell are, which one rule takes.

    Attributes:
      word: the word of its rule.
      scope: their scope.
      module: the scope of the module.
      evidence: a phrase for people.
      options: those of the rule.
    """

    word: str
    scope: str
    module: str
    evidence: str
    options: Mapping[str, object] = {}


class Undecided(NamedTuple):
    """A variable that nothing decides, or that cannot be had.

    Attributes:
      why: a phrase.
      rules: the rules that could be given, as text.
    """

    why: str
    rules: str


Decision = Union[Decided, DecidedCell, Undecided]


def decide(facts: Mapping[str, Fact], uses: Uses) -> dict[str, Decision]:
    """What each variable is; those of one cell have one decision.

    Args:
      facts: the variables by name.
      uses: how a graph uses them.
    """
    found: dict[str, Decision] = {}
    for scope in dict.fromkeys(name.rpartition("/")[0] for name in facts):
        cell = _cell(scope, facts, uses)
        if cell is not None:
            decision, names = cell
            found.update(dict.fromkeys(names, decision))
    for name, fact in facts.items():
        if name not in found:
            found[name] = _one(name, fact, facts, uses.get(name, frozenset()))
    return found


# Recurrent cells.


def _cell(
    scope: str, facts: Mapping[str, Fact], uses: Uses
) -> Optional[tuple[Decision, list[str]]]:
    """What the variables of a scope are if they are a cell's, and which these are."""
    if not scope:
        return None
    at = f"{scope}/"

    def there(*names: str) -> bool:
        return all(f"{at}{name}" in facts for name in names)

    def named(*names: str) -> list[str]:
        return [f"{at}{name}" for name in names if f"{at}{name}" in facts]

    if there("kernel", "recurrent_kernel"):
        decision = _keras_cell(scope, at, facts)
        return decision, named("kernel", "recurrent_kernel", "bias")
    if scope.endswith(("/gates", "/candidate")) or scope in ("gates", "candidate"):
        return _gru(scope.rpartition("/")[0], facts)
    last = scope.rpartition("/")[2]
    kernel = facts.get(f"{at}kernel")
    if kernel is None or len(kernel.shape) != 2:
        return None
    is_looped = GraphUse.LOOPED in uses.get(f"{at}kernel", ())
    if not _CELL.fullmatch(last) and not is_looped:
        return None
    names = named(
        "kernel", "bias", "projection/kernel", *(f"w_{gate}_diag" for gate in "ifo")
    )
    module = module_of(scope)
    options: dict[str, object] = (
        {"projection": True} if there("projection/kernel") else {}
    )
    if _NO_FORGET_BIAS.fullmatch(last) and there("bias"):
        evidence = f"named {last}, which adds no forget bias"
        options["forget_bias"] = 0.0
        return DecidedCell("lstm", scope, module, evidence, options), names
    why = (
        "used in a loop, as a recurrent cell's" if is_looped else f"in {last!r}, a cell"
    )
    more = "".join(f", {key}: true" for key in options)
    rule = (
        f"{{lstm: {scope}, to: {tensor_names.of_module(module)}, forget_bias: 1.0"
        f"{more}}} if it is an LSTM's with that forget bias (no checkpoint holds it)"
    )
    return Undecided(why, rule), names


def _keras_cell(scope: str, at: str, facts: Mapping[str, Fact]) -> Decision:
    """What the cell of a layer of Keras is: by how its two kernels fit together."""
    kernel, state = facts[f"{at}kernel"].shape, facts[f"{at}recurrent_kernel"].shape
    bias = facts.get(f"{at}bias")
    module = module_of(scope)
    name = tensor_names.of_module(module)
    if len(kernel) != 2 or len(state) != 2 or state[1] != kernel[1] or not state[0]:
        return Undecided("a recurrent layer whose kernels are no matrices", _EXCLUDE)
    gates, rest = divmod(state[1], state[0])
    word = {1: "keras_rnn", 3: "keras_gru", 4: "keras_lstm"}.get(gates)
    if rest or word is None:
        return Undecided(f"a recurrent layer of {gates} gates", _EXCLUDE)
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
        return Undecided(recurrent_modules.NO_GRU, _EXCLUDE)
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
    return Undecided(recurrent_modules.NO_GRU, _EXCLUDE), names


def module_of(scope: str) -> str:
    """The scope of a cell's layer: `rnn/basic_lstm_cell` -> `rnn`."""
    outer, _, last = scope.rpartition("/")
    return outer if outer and _CELL.fullmatch(last) else scope


_EXCLUDE = "exclude it (exclude, --exclude), or {as_is: ...} keeps it as it is"


# Single variables.


def _one(
    name: str, fact: Fact, facts: Mapping[str, Fact], uses: frozenset[GraphUse]
) -> Decision:
    scope, _, last = tensor_names.bare(name).rpartition("/")
    words = [last] if fact.attribute in (None, last) else [last, str(fact.attribute)]
    known = next((w for w in words if w in _WORDS or _TABLE.fullmatch(w)), last)
    where = "named" if known == last else "the object graph calls it"
    if known in _SAME_ORDER and len(fact.shape) < 2:
        return _of_one_axis(scope, known, f"{where} {known}", facts, name)
    if known in ("b", "B") and any(
        _beside(scope, word, facts, name) for word in _OTHER_KERNELS
    ):
        return Decided("as_is", ("bias",), True, f"{where} {known}, beside a kernel")
    if len(fact.shape) < 2:
        return Decided("as_is", (), False, "one axis or none: nothing to move")
    by_graph = _by_graph(fact, uses, scope, known, facts)
    if by_graph is not None:
        return by_graph
    if known in ("kernel", "bias"):
        einsum = _einsum_dense(scope, known, fact, facts, name)
        if einsum is not None:
            return einsum
    if known in _DEPTHWISE:
        return _depthwise(scope, f"{where} {known}", fact, facts)
    if known in _POINTWISE:
        return Decided("conv", ("pointwise", "weight"), True, f"{where} {known}")
    if _TABLE.fullmatch(known):
        ending, drops = (
            (("weight",), True) if known in _DROPPED else (("weight",), False)
        )
        return Decided("embedding", ending, drops, f"{where} {known}")
    if known == "output_weights":
        return Decided(
            "embedding",
            ("weight",),
            True,
            "named output_weights, as BERT's heads call "
            "what they multiply by the transpose of",
        )
    if known in _KERNELS or known in _OTHER_KERNELS:
        return _kernel(name, known, f"{where} {known}", fact, facts)
    return _undecided(name, fact)


def _of_one_axis(
    scope: str, known: str, evidence: str, facts: Mapping[str, Fact], name: str
) -> Decision:
    ending: tuple[str, ...] = (_SAME_ORDER[known],)
    if known in ("bias", "biases") and any(
        _beside(scope, word, facts, name) for word in _POINTWISE
    ):
        ending, evidence = ("pointwise", "bias"), f"{evidence}, beside pointwise_kernel"
    if known in ("gamma", "beta"):
        for word in ("moving_mean", "gamma", "beta"):
            if word != known and _beside(scope, word, facts, name):
                evidence = f"{evidence}, beside {word}"
                break
    return Decided("as_is", ending, True, evidence)


def _einsum_dense(
    scope: str, known: str, fact: Fact, facts: Mapping[str, Fact], name: str
) -> Optional[Decision]:
    """What a kernel or a bias of Keras's EinsumDense is, by what stands beside it."""
    kernel, bias = (_beside(scope, word, facts, name) for word in ("kernel", "bias"))
    if kernel is None or len(kernel.shape) < 3:
        return None
    inputs = None
    heads = () if bias is None else bias.shape
    if 1 < len(heads) < len(kernel.shape) and kernel.shape[-len(heads) :] == heads:
        inputs = len(kernel.shape) - len(heads)
        evidence = f"beside a {'bias' if known == 'kernel' else 'kernel'} of heads"
    outer, _, layer = scope.rpartition("/")
    if inputs is None and layer in _ATTENTION and len(kernel.shape) == 3:
        beside = (
            _beside(f"{outer}/{word}".strip("/"), "kernel", facts, name)
            for word in _ATTENTION
        )
        if all(other is not None and len(other.shape) == 3 for other in beside):
            inputs = _ATTENTION[layer]
            evidence = f"the {layer} of a MultiHeadAttention"
    if inputs is None:
        return None
    options: dict[str, object] = {"variable": list(fact.shape)}
    if known == "bias":
        return Decided("flat", ("bias",), True, evidence, options)
    options["inputs"] = inputs
    return Decided("dense", ("weight",), True, evidence, options)


def _depthwise(
    scope: str, evidence: str, fact: Fact, facts: Mapping[str, Fact]
) -> Decision:
    ending: tuple[str, ...] = ("weight",)
    if any(_beside(scope, word, facts) for word in _POINTWISE):
        ending, evidence = ("depthwise", "weight"), f"{evidence}, beside pointwise"
    if len(fact.shape) < 3:
        return Undecided(f"{evidence}, but of two axes", _EXCLUDE)
    options = {"multiplier": fact.shape[-1]}
    return Decided("depthwise", ending, True, evidence, options)


def _by_graph(
    fact: Fact,
    uses: frozenset[GraphUse],
    scope: str,
    known: str,
    facts: Mapping[str, Fact],
) -> Optional[Decision]:
    """What the graph says, if it says one thing."""
    drops = known in _WORDS or known in _DROPPED or known == "output_weights"
    weight = ("weight",)
    if GraphUse.LOOKED_UP in uses:
        return Decided("embedding", weight, drops, "looked up in (Gather)")
    if len(uses) != 1:
        return None
    (use,) = uses
    axes = len(fact.shape)
    if use is GraphUse.MULTIPLIED and axes == 2:
        return Decided("dense", weight, drops, "multiplied from the right (MatMul)")
    if use is GraphUse.TRANSPOSED and axes == 2:
        evidence = "multiplied by its transpose (MatMul)"
        return Decided("embedding", weight, drops, evidence)
    if use is GraphUse.CONVOLVED and axes > 2:
        ending = weight if known not in _POINTWISE else ("pointwise", "weight")
        return Decided("conv", ending, drops, "convolved with (Conv)")
    if use is GraphUse.DECONVOLVED and axes > 2:
        return Decided("conv", weight, drops, "convolved with, transposed (Conv)")
    if use is GraphUse.DEPTHWISE and axes > 2:
        decided = _depthwise(scope, "convolved with by channel", fact, facts)
        return (
            decided._replace(drops_last=drops)
            if isinstance(decided, Decided)
            else decided
        )
    return None


def _kernel(
    name: str, known: str, evidence: str, fact: Fact, facts: Mapping[str, Fact]
) -> Decision:
    """What a kernel is, by its bias and its axes."""
    scope = tensor_names.bare(name).rpartition("/")[0]
    bias = next(
        (
            (word, found.shape)
            for word in _BIASES
            if (found := _beside(scope, word, facts, name)) is not None
        ),
        None,
    )
    shape, weight = fact.shape, ("weight",)
    layer = scope.rpartition("/")[2]
    if len(shape) == 3 and _EINSUM.search(layer) and "conv" not in layer.lower():
        return _undecided(name, fact, f"{evidence}, in {layer}, of three axes")
    if "depthwise" in layer.lower() and len(shape) > 2:  # as Keras 3 has it
        outputs = (shape[-1] * shape[-2],)
        if bias is None or (bias[1] == outputs and bias[1] != shape[-1:]):
            return _depthwise(scope, f"{evidence}, in {layer}", fact, facts)
    if bias is not None:
        beside = f"{evidence}, beside {bias[0]}"
        if bias[1] == shape[-1:] and not (known == "weight" and shape[0] == shape[-1]):
            word = "dense" if len(shape) == 2 else "conv"
            return Decided(word, weight, True, beside)
        if bias[1] == shape[-2:-1] and len(shape) > 2 and shape[-1] != 1:
            return Decided(
                "conv", weight, True, f"{beside} of a transposed conv's size"
            )
        if bias[1] == shape[-2:-1] and _DECONVOLUTION.search(scope):
            return Decided("conv", weight, True, f"{beside}, in {scope}")
        return _undecided(name, fact, f"{beside} of shape {list(bias[1])}")
    has_norm = any(
        other.startswith(f"{scope}/BatchNorm/") for other in facts
    )  # as slim's layers without a bias have it
    if len(shape) == 2 and (known == "kernel" or (has_norm and known == "weights")):
        return Decided("dense", weight, True, evidence)
    may_be_depthwise = shape[-1] == 1 and shape[-2:-1] != (1,)
    is_conv = "conv" in layer.lower() or has_norm
    is_conv = is_conv or (len(shape) > 3 and not may_be_depthwise)
    if len(shape) > 2 and known in _KERNELS and is_conv:
        return Decided("conv", weight, True, f"{evidence}, of {len(shape)} axes")
    return _undecided(name, fact, evidence)


def _beside(
    scope: str, word: str, facts: Mapping[str, Fact], name: str = ""
) -> Optional[Fact]:
    """A variable of a scope by the last part of its name, or None."""
    end = ":0" if name.endswith(":0") else ""
    return facts.get(f"{scope}/{word}{end}" if scope else f"{word}{end}")


def _undecided(name: str, fact: Fact, why: str = "") -> Undecided:
    texts = [f"{{conv: {name}}}", f"{{depthwise: {name}}}"]
    if len(fact.shape) == 2:
        texts = [f"{{dense: {name}}}", f"{{embedding: {name}}}"]
    elif len(fact.shape) == 3:
        texts[1] = f"{{dense: {name}, inputs: 1}} (or 2)"
    choices = ", ".join(texts)
    return Undecided(
        why or "nothing says what it is", f"{choices} or {{as_is: {name}}}"
    )


#: Tables whose own name goes for `weight`.
_DROPPED = frozenset({"embeddings", "embedding_weights"})
#: Last parts of names that go for `weight`.
KERNEL_NAMES = frozenset((*_KERNELS, *_DEPTHWISE, *_POINTWISE, *_OTHER_KERNELS)) | {
    *_DROPPED,
    "output_weights",
}
_WORDS = (
    frozenset(_SAME_ORDER) | _KERNELS | _DEPTHWISE | _POINTWISE | _OTHER_KERNELS
) | {"output_weights"}
