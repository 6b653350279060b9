"""The optimizers in an object graph, their slots, and whose these are.

Optimizers are told by what they have:

    slot_variables                tf1 optimizers, and Keras's legacy ones
    iter, decay, scalars only     a legacy one without slots
    _iterations, _variables       Keras since 2.11, and Keras 3

All below an optimizer is its own, but for what the model reaches without it.

Source: the object graphs that TensorFlow 1.15.5, 2.15.1 and 2.21.0 with Keras 3 write;
`tests/testdata/roles`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Optional

from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.evidence import slot_lists
from estimator_ckpt.checkpoint.evidence.graph_nodes import (
    TRAINED,
    GraphNodes,
    SlotVariable,
)
from estimator_ckpt.checkpoint.evidence.name_sorting import base_of, number_of
from estimator_ckpt.checkpoint.evidence.slot_lists import slot_of
from estimator_ckpt.checkpoint.optimizers import slot_names
from estimator_ckpt.checkpoint.roles import (
    KERAS,
    KERAS_3,
    LEGACY,
    OPTIMIZER,
    TF1,
    TRAINABLE,
    Decision,
)

#: What legacy Keras optimizers keep once, and tf1's do not.
_OF_LEGACY = frozenset({"iter", "decay", "learning_rate"})
Found = dict[int, Decision]


def find(graph: GraphNodes) -> dict[int, str]:
    """How the optimizers name their slots, by their nodes."""
    styles = {
        node: _style(graph, node, children)
        for node, children in enumerate(graph.children)
    }
    return {node: style for node, style in styles.items() if style is not None}


def _style(graph: GraphNodes, node: int, children: Mapping[str, int]) -> Optional[str]:
    if graph.slots[node]:
        # A legacy one whose steps are the global step has no `iter`, but settings.
        is_legacy = not _OF_LEGACY.isdisjoint(children) or _are_called_as_slots(
            graph, node
        )
        return LEGACY if is_legacy and "beta1_power" not in children else TF1
    if "_iterations" in children and not {"_variables", "_learning_rate"}.isdisjoint(
        children
    ):
        return KERAS_3 if TRAINED in children else KERAS
    if "iter" in children and "decay" in children:
        variables = [child for child in children.values() if child in graph.keys]
        return LEGACY if all(map(graph.is_scalar, variables)) else None
    return None


def _are_called_as_slots(graph: GraphNodes, node: int) -> bool:
    """Whether names of slots end in what they are: `w/rms`, and not `w/RMSProp`.

    So Keras calls them; one that was resumed before its first step has nothing else.
    """
    return all(
        slot.slot in slot_names.LEGACY_SLOTS
        and graph.full_names.get(slot.node, "").rpartition("/")[2] == slot.slot
        for slot in graph.slots[node]
    )


def decide(
    graph: GraphNodes, node: int, style: str, of_model: Collection[int]
) -> Found:
    """What an optimizer's variables are for, and that it trains others.

    Args:
      graph: the object graph.
      node: the optimizer.
      style: how it names its slots.
      of_model: what is reached without optimizers.
    """
    label = graph.paths.get(node, "")
    found: Found = {}
    tf1_names = _tf1_names(graph, graph.slots[node]) if style == TF1 else {}
    for slot in graph.slots[node]:
        evidence = f"slot_variables of {label or 'the root'!r}"
        name = tf1_names.get(slot.node, slot.slot)
        found[slot.node] = slot_of(graph, slot.owner, name, style, label, evidence)
    if style in (KERAS, KERAS_3):
        found.update(slot_lists.decide(graph, node, style, label))
    owned = {slot.owner for slot in graph.slots[node]}
    owned.update(graph.listed(node, TRAINED).values())
    for owner in owned:
        found.setdefault(owner, Decision(TRAINABLE, f"{label!r} trains it"))
    direct = {*graph.listed(node, "_variables").values()}
    direct.update(graph.children[node].values())
    for item in graph.reached(node):
        if item in graph.trained or (item in of_model and item not in direct):
            continue
        evidence = f"below {label!r}, an optimizer"
        if graph.is_scalar(item):
            found.setdefault(item, Decision(OPTIMIZER, evidence, optimizer=label))
        else:
            found.setdefault(item, slot_of(graph, None, "", style, label, evidence))
    return found


def _tf1_names(graph: GraphNodes, slots: Sequence[SlotVariable]) -> dict[int, str]:
    """What tf1 calls slots: `w/Adam_1` is w's `Adam_1`, and its slot `v`.

    Where nobody named the variables, all slots stand under `Variable`, numbered
    through: `Variable/Adam_3` can be the second of its variable, so `Adam_1`.
    """
    found: dict[int, str] = {}
    unnamed: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for slot in slots:
        owner, _, last = graph.full_names.get(slot.node, "").rpartition("/")
        owner_name = graph.full_names.get(slot.owner, "")
        if not owner.endswith(owner_name):
            continue
        if object_keys.says_nothing(owner_name):
            same = unnamed.setdefault((slot.owner, base_of(last)), [])
            same.append((number_of(last), slot.node))
        else:
            found[slot.node] = last
    for (_, base), numbered in unnamed.items():
        for place, (_, node) in enumerate(sorted(numbered)):
            found[node] = f"{base}_{place}" if place else base
    return found
