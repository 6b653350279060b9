"""What the object graph says of a variable's role.

An object-based checkpoint says which objects hang where, under which attributes, and
which variables are slots. A checkpoint keeps a variable under the shortest of its
paths, so that a key says little: Keras 3 keeps the weights of a Sequential below its
optimizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.evidence import known_names, optimizer_nodes
from estimator_ckpt.checkpoint.evidence.graph_nodes import GraphNodes
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact
from estimator_ckpt.checkpoint.roles import (
    LOSS_SCALE,
    METRIC,
    MODEL,
    NO_VARIABLE,
    TRAINABLE,
    Decision,
)

Found = dict[int, Decision]
_NOT_NUMBERS = frozenset({"string", "variant", "resource"})


def decide(graph: GraphNodes) -> dict[str, Decision]:
    """What an object graph says, by object key; owners are object keys, too."""
    styles = optimizer_nodes.find(graph)
    of_model = graph.reached(0, but=styles) if styles else set()
    decided: Found = _scales(graph)
    # A wrapper's own come after those of the optimizer in it.
    for node in sorted(styles, key=lambda node: -graph.paths.get(node, "").count("/")):
        found = optimizer_nodes.decide(graph, node, styles[node], of_model)
        decided = {**found, **decided}
    decided = {**_metrics(graph), **decided}
    decided = {**_of_layers(graph), **decided}
    by_key = {
        graph.keys[node]: said for node, said in decided.items() if node in graph.keys
    }
    for node, key in graph.keys.items():
        if _is_no_number(graph.facts.get(key)) and node not in graph.names:
            by_key[key] = Decision(NO_VARIABLE, "a string of an object's")
    counter = graph.keys.get(graph.children[0].get(object_keys.SAVE_COUNTER, -1))
    if counter is not None:
        by_key[counter] = Decision(NO_VARIABLE, "the root's save_counter")
    state = Decision(NO_VARIABLE, "an object's state, no variable")
    by_key.update(dict.fromkeys(graph.states, state))
    return by_key


def _is_no_number(fact: Optional[Fact]) -> bool:
    return fact is not None and fact.dtype in _NOT_NUMBERS


def _scales(graph: GraphNodes) -> Found:
    """Loss scales: two variables of one object, in Keras 3 of a wrapper."""
    found: Found = {}
    for children in filter(None, graph.children):  # most nodes are variables
        for pair in known_names.LOSS_SCALES[:2]:
            if any(name not in children for name in pair):
                continue
            if "current_loss_scale" not in pair and "inner_optimizer" not in children:
                continue
            evidence = f"{' and '.join(pair)} of one object"
            found.update((children[n], Decision(LOSS_SCALE, evidence)) for n in pair)
    return found


def _metrics(graph: GraphNodes) -> Found:
    """What hangs in a list of metrics, or in an object with a metric's variables."""
    found: Found = {}
    for children in filter(None, graph.children):  # most nodes are variables
        if "keras_api" in children:
            listed = graph.children[children["keras_api"]].get("metrics")
            for node in () if listed is None else graph.reached(listed):
                found[node] = Decision(METRIC, "in a model's list of metrics")
        if _has_others(graph, children):
            continue
        for names in known_names.METRICS:
            nodes = [children.get(name, -1) for name in names]
            if all(
                node in graph.keys and (graph.is_scalar(node) or name in _VECTORS)
                for name, node in zip(names, nodes)
            ):
                evidence = f"{' and '.join(names)} of one object"
                for node in children.values():
                    found.setdefault(node, Decision(METRIC, evidence))
    return found


def _has_others(graph: GraphNodes, children: Mapping[str, int]) -> bool:
    """Whether an object has other variables than metrics do: a layer may count."""
    return any(
        node in graph.keys and name not in known_names.METRIC_WORDS
        for name, node in children.items()
    )


#: Variables of metrics that are not one number.
_VECTORS = frozenset(
    {"true_positives", "false_positives", "false_negatives", "total_cm"}
)


def _of_layers(graph: GraphNodes) -> Found:
    """What a SavedModel's layers list as trained, and as not."""
    trained: Found = {}
    others: Found = {}
    for node, children in enumerate(graph.children):
        if "regularization_losses" not in children:  # which all Keras layers have
            continue
        for item in graph.listed(node, "trainable_variables").values():
            trained[item] = Decision(TRAINABLE, "in a layer's trainable_variables")
        for item in graph.listed(node, "variables").values():
            evidence = "in a layer's variables, not in trainable_variables"
            others[item] = Decision(MODEL, evidence)
    return {**others, **trained}
