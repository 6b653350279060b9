"""What says which of PyTorch's modules a variable is a tensor of.

In this order: the graph (what the variable is multiplied with, or looked up in); what
stands beside it (a bias, a recurrent kernel, moving statistics); the last part of its
name, in the source or in the object graph. A shape alone decides nothing. What stays
undecided is left to the user, with the rules that could be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from estimator_ckpt.checkpoint.evidence.graph_uses import Uses
from estimator_ckpt.layouts.torch import cell_evidence, kernel_evidence
from estimator_ckpt.layouts.torch.layer_weights import (
    DROPPED,
    OTHER_KERNELS,
    OUTPUT_WEIGHTS,
    POINTWISE,
    SAME_ORDER,
    TABLE,
    Weight,
)
from estimator_ckpt.layouts.torch.module_decisions import Decided, Decision, Fact


def decide(facts: Mapping[str, Fact], uses: Uses) -> dict[str, Decision]:
    """What each variable is; those of one cell have one decision.

    Args:
      facts: the variables by name.
      uses: how a graph uses them.
    """
    found: dict[str, Decision] = {}
    for scope in dict.fromkeys(name.rpartition("/")[0] for name in facts):
        cell = cell_evidence.decide(scope, facts, uses)
        if cell is not None:
            decision, names = cell
            found.update(dict.fromkeys(names, decision))
    for name, fact in facts.items():
        if name not in found:
            weight = Weight(name, fact, facts, uses.get(name, frozenset()))
            found[name] = _of_weight(weight)
    return found


def _of_weight(weight: Weight) -> Decision:
    """What a variable is that is no cell's: the first evidence that says something."""
    for evidence in _EVIDENCE:
        decision = evidence(weight)
        if decision is not None:
            return decision
    return kernel_evidence.undecided(weight)


def _of_one_axis(weight: Weight) -> Optional[Decision]:
    """What layers have of one axis: its numbers stay, its name changes."""
    if weight.called not in SAME_ORDER or len(weight.shape) > 1:
        return None
    ending: tuple[str, ...] = (SAME_ORDER[weight.called],)
    evidence = weight.evidence
    if weight.called in ("bias", "biases") and weight.is_beside(POINTWISE):
        ending, evidence = ("pointwise", "bias"), f"{evidence}, beside pointwise_kernel"
    if weight.called in ("gamma", "beta"):
        words = (w for w in ("moving_mean", "gamma", "beta") if w != weight.called)
        beside = [word for word in words if weight.beside(word) is not None]
        evidence = ", beside ".join([evidence, *beside[:1]])
    return Decided("as_is", ending, True, evidence)


def _of_bias(weight: Weight) -> Optional[Decision]:
    """What other libraries call a bias, of which a kernel is the evidence."""
    if weight.called not in ("b", "B") or not weight.is_beside(OTHER_KERNELS):
        return None
    return Decided("as_is", ("bias",), True, f"{weight.evidence}, beside a kernel")


def _of_nothing_to_move(weight: Weight) -> Optional[Decision]:
    if len(weight.shape) > 1:
        return None
    return Decided("as_is", (), False, "one axis or none: nothing to move")


def _of_table(weight: Weight) -> Optional[Decision]:
    """What is named as a table that is looked up in, or multiplied by its transpose."""
    if TABLE.fullmatch(weight.called):
        drops_last = weight.called in DROPPED
        return Decided("embedding", ("weight",), drops_last, weight.evidence)
    if weight.called != OUTPUT_WEIGHTS:
        return None
    evidence = (
        f"named {OUTPUT_WEIGHTS}, as BERT's heads call what they multiply by the "
        f"transpose of"
    )
    return Decided("embedding", ("weight",), True, evidence)


#: What is asked, one after the other.
_EVIDENCE = (
    _of_one_axis,
    _of_bias,
    _of_nothing_to_move,
    kernel_evidence.by_graph,
    kernel_evidence.of_einsum,
    kernel_evidence.of_depthwise,
    kernel_evidence.of_pointwise,
    _of_table,
    kernel_evidence.of_kernel,
)
