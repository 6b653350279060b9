"""What says what the kernel of a layer is: its graph, its bias, its axes.

Each function decides for one way to tell, and gives None where that says nothing.
"""

from __future__ import annotations

import re
from typing import Optional

from estimator_ckpt.checkpoint.evidence.graph_uses import GraphUse
from estimator_ckpt.layouts.torch.layer_weights import (
    BIASES,
    DEPTHWISE,
    KERNELS,
    OTHER_KERNELS,
    POINTWISE,
    Weight,
)
from estimator_ckpt.layouts.torch.module_decisions import (
    EXCLUDE,
    Decided,
    Decision,
    Undecided,
)

#: What Keras's MultiHeadAttention has, and how many axes of each are inputs.
_ATTENTION = {"query": 1, "key": 1, "value": 1, "attention_output": 2}
_EINSUM = re.compile(r"einsum|atten|attn|query|key|value", re.IGNORECASE)
_DECONVOLUTION = re.compile(r"transpose|deconv", re.IGNORECASE)
_WEIGHT = ("weight",)
#: What each use says of a kernel: the word, whether it is a matrix, the evidence.
_BY_USE = {
    GraphUse.MULTIPLIED: ("dense", True, "multiplied from the right (MatMul)"),
    GraphUse.TRANSPOSED: ("embedding", True, "multiplied by its transpose (MatMul)"),
    GraphUse.CONVOLVED: ("conv", False, "convolved with (Conv)"),
    GraphUse.DECONVOLVED: ("conv", False, "convolved with, transposed (Conv)"),
    GraphUse.DEPTHWISE: ("depthwise", False, "convolved with by channel"),
}


def by_graph(weight: Weight) -> Optional[Decision]:
    """What the graph says, if it says one thing."""
    if GraphUse.LOOKED_UP in weight.uses:
        evidence = "looked up in (Gather)"
        return Decided("embedding", _WEIGHT, weight.drops_last, evidence)
    found = [_BY_USE[use] for use in weight.uses if use in _BY_USE]
    if len(weight.uses) != 1 or not found:
        return None
    ((word, is_matrix, evidence),) = found
    if is_matrix != (len(weight.shape) == 2):
        return None
    if word == "depthwise":
        decision = _depthwise(weight, evidence)
        if isinstance(decision, Decided):
            return decision._replace(drops_last=weight.drops_last)
        return decision
    ending: tuple[str, ...] = _WEIGHT
    if GraphUse.CONVOLVED in weight.uses and weight.called in POINTWISE:
        ending = ("pointwise", *_WEIGHT)
    return Decided(word, ending, weight.drops_last, evidence)


def of_einsum(weight: Weight) -> Optional[Decision]:
    """What a kernel or a bias of Keras's EinsumDense is, by what stands beside it."""
    kernel = weight.beside("kernel")
    if weight.called not in ("kernel", "bias"):
        return None
    if kernel is None or len(kernel.shape) < 3:
        return None
    told = _inputs_by_bias(weight, kernel.shape)
    if told is None and len(kernel.shape) == 3:
        told = _inputs_by_siblings(weight)
    if told is None:
        return None
    inputs, evidence = told
    options: dict[str, object] = {"variable": list(weight.shape)}
    if weight.called == "bias":
        return Decided("flat", ("bias",), True, evidence, options)
    return Decided("dense", _WEIGHT, True, evidence, {**options, "inputs": inputs})


def _inputs_by_bias(
    weight: Weight, kernel: tuple[int, ...]
) -> Optional[tuple[int, str]]:
    """How many axes of an EinsumDense's kernel are inputs: a bias has the others."""
    bias = weight.beside("bias")
    heads = () if bias is None else bias.shape
    if not 1 < len(heads) < len(kernel) or kernel[-len(heads) :] != heads:
        return None
    other = "bias" if weight.called == "kernel" else "kernel"
    return len(kernel) - len(heads), f"beside a {other} of heads"


def _inputs_by_siblings(weight: Weight) -> Optional[tuple[int, str]]:
    """The same of a MultiHeadAttention, whose four layers stand side by side."""
    outer = weight.scope.rpartition("/")[0]
    if weight.layer not in _ATTENTION:
        return None
    for layer in _ATTENTION:
        kernel = weight.beside("kernel", f"{outer}/{layer}".strip("/"))
        if kernel is None or len(kernel.shape) != 3:
            return None
    return _ATTENTION[weight.layer], f"the {weight.layer} of a MultiHeadAttention"


def of_depthwise(weight: Weight) -> Optional[Decision]:
    """What is named as a depthwise kernel."""
    if weight.called not in DEPTHWISE:
        return None
    return _depthwise(weight, weight.evidence)


def of_pointwise(weight: Weight) -> Optional[Decision]:
    """What is named as a pointwise kernel."""
    if weight.called not in POINTWISE:
        return None
    return Decided("conv", ("pointwise", *_WEIGHT), True, weight.evidence)


def _depthwise(weight: Weight, evidence: str) -> Decision:
    ending: tuple[str, ...] = _WEIGHT
    if weight.is_beside(POINTWISE):
        ending, evidence = ("depthwise", *_WEIGHT), f"{evidence}, beside pointwise"
    if len(weight.shape) < 3:
        return Undecided(f"{evidence}, but of two axes", EXCLUDE)
    options = {"multiplier": weight.shape[-1]}
    return Decided("depthwise", ending, True, evidence, options)


def of_kernel(weight: Weight) -> Optional[Decision]:
    """What is named as a kernel: by its layer's name, its bias, or its axes."""
    if weight.called not in KERNELS and weight.called not in OTHER_KERNELS:
        return None
    shape, layer, evidence = weight.shape, weight.layer, weight.evidence
    if len(shape) == 3 and _EINSUM.search(layer) and "conv" not in layer.lower():
        return undecided(weight, f"{evidence}, in {layer}, of three axes")
    name, bias = _bias(weight)
    if "depthwise" in layer.lower() and len(shape) > 2:  # as Keras 3 has it
        outputs = (shape[-1] * shape[-2],)
        if bias is None or (bias == outputs and bias != shape[-1:]):
            return _depthwise(weight, f"{evidence}, in {layer}")
    if bias is not None:
        return _by_bias(weight, bias, f"{evidence}, beside {name}")
    return _by_axes(weight)


def _bias(weight: Weight) -> tuple[str, Optional[tuple[int, ...]]]:
    """The name and the shape of the bias beside a kernel; None if there is none."""
    for word in BIASES:
        found = weight.beside(word)
        if found is not None:
            return word, found.shape
    return "", None


def _by_bias(weight: Weight, bias: tuple[int, ...], beside: str) -> Decision:
    """What a kernel is by the shape of its bias, `[out]`: its last axis, or not."""
    shape = weight.shape
    is_either = weight.called == "weight" and shape[0] == shape[-1]
    if bias == shape[-1:] and not is_either:
        word = "dense" if len(shape) == 2 else "conv"
        return Decided(word, _WEIGHT, True, beside)
    if bias == shape[-2:-1] and len(shape) > 2 and shape[-1] != 1:
        evidence = f"{beside} of a transposed conv's size"
        return Decided("conv", _WEIGHT, True, evidence)
    if bias == shape[-2:-1] and _DECONVOLUTION.search(weight.scope):
        return Decided("conv", _WEIGHT, True, f"{beside}, in {weight.scope}")
    return undecided(weight, f"{beside} of shape {list(bias)}")


def _by_axes(weight: Weight) -> Decision:
    """What a kernel without a bias is."""
    shape, called = weight.shape, weight.called
    # As slim's layers without a bias have it.
    norm = f"{weight.scope}/BatchNorm/"
    has_norm = any(other.startswith(norm) for other in weight.facts)
    if len(shape) == 2 and (called == "kernel" or (has_norm and called == "weights")):
        return Decided("dense", _WEIGHT, True, weight.evidence)
    may_be_depthwise = shape[-1] == 1 and shape[-2:-1] != (1,)
    is_conv = "conv" in weight.layer.lower() or has_norm
    is_conv = is_conv or (len(shape) > 3 and not may_be_depthwise)
    if len(shape) > 2 and called in KERNELS and is_conv:
        evidence = f"{weight.evidence}, of {len(shape)} axes"
        return Decided("conv", _WEIGHT, True, evidence)
    return undecided(weight, weight.evidence)


def undecided(weight: Weight, why: str = "nothing says what it is") -> Undecided:
    """A variable that nothing decides, with the rules that could be given."""
    name = weight.name
    texts = [f"{{conv: {name}}}", f"{{depthwise: {name}}}"]
    if len(weight.shape) == 2:
        texts = [f"{{dense: {name}}}", f"{{embedding: {name}}}"]
    elif len(weight.shape) == 3:
        texts[1] = f"{{dense: {name}, inputs: 1}} (or 2)"
    return Undecided(why, f"{', '.join(texts)} or {{as_is: {name}}}")
