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
from estimator_ckpt.checkpoint.evidence import known_names
from estimator_ckpt.checkpoint.evidence.graph_nodes import (
    TRAINED,
    GraphNodes,
    SlotVariable,
)
from estimator_ckpt.checkpoint.evidence.name_sorting import base_of, number_of
from estimator_ckpt.checkpoint.optimizers import keras_classes, slot_names
from estimator_ckpt.checkpoint.optimizers.keras_classes import KerasClass
from estimator_ckpt.checkpoint.roles import (
    AVERAGE,
    KERAS,
    KERAS_3,
    LEGACY,
    OPTIMIZER,
    SLOT,
    TF1,
    TRAINABLE,
    Decision,
)

#: Lists of an optimizer since 2.11 that are not lists of slots.
_NO_SLOTS = frozenset({"_variables", TRAINED, "_trainable_variables_indices"})
_AVERAGES = "_model_variables_moving_average"
#: All lists of slots that the table of optimizers knows.
_LISTS = frozenset(
    name for each in keras_classes.KERAS.values() for name in each.attributes.values()
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
        found[slot.node] = _slot(graph, slot.owner, name, style, label, evidence)
    if style in (KERAS, KERAS_3):
        found.update(_of_lists(graph, node, style, label))
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
            found.setdefault(item, _slot(graph, None, "", style, label, evidence))
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


def _slot(
    graph: GraphNodes,
    owner: Optional[int],
    slot: str,
    style: str,
    label: str,
    evidence: str,
) -> Decision:
    key = None if owner is None else graph.keys.get(owner)
    if known_names.is_average(slot) or slot == _AVERAGES:
        return Decision(AVERAGE, evidence, key, "average", style, label)
    return Decision(SLOT, evidence, key, slot, style, label)


def _of_lists(graph: GraphNodes, node: int, style: str, label: str) -> Found:
    """Slots of Keras since 2.11: item i of a list is of the i-th variable trained."""
    lists = {
        name: items
        for name in graph.children[node]
        if name not in _NO_SLOTS and (items := graph.listed(node, name))
    }
    trained = graph.listed(node, TRAINED) or _owners_by_name(graph, lists)
    names = _slot_names(graph, lists, style)
    found: Found = {}
    for name, items in lists.items():
        for place, item in items.items():
            owner = trained.get(place)
            evidence = f"in the list {name} of {label!r}"
            found[item] = _slot(graph, owner, names[name], style, label, evidence)
    if style == KERAS_3:
        found.update(_unlisted(graph, node, trained, found, label))
    return found


def _slot_names(
    graph: GraphNodes, lists: Mapping[str, Mapping[int, int]], style: str
) -> dict[str, str]:
    """What the slots in an optimizer's lists are called in its generation."""
    found = {
        name: name if name == _AVERAGES else name.lstrip("_").rstrip("s")
        for name in lists
    }
    found.update(
        {name: name.lstrip("_") for name in ("_r", "_c", "_v") if name in found}
    )
    chosen = _class_with(graph, lists, style)
    if chosen is not None:
        names = chosen.keras_3 if style == KERAS_3 else chosen.names
        for slot, attribute in chosen.attributes.items():
            if attribute in found:
                found[attribute] = names[slot]
    return found


def _class_with(
    graph: GraphNodes, lists: Mapping[str, Mapping[int, int]], style: str
) -> Optional[KerasClass]:
    """The class of Keras's that has such lists; of several the one that slots name."""
    known = _LISTS.intersection(lists)
    classes = [
        each
        for each in keras_classes.KERAS.values()
        if known and known <= set(each.attributes.values())
    ]
    if style == KERAS:  # Adam and RMSprop have lists of the same names
        classes.sort(key=lambda each: not _are_named(graph, lists, each))
    return classes[0] if classes else None


def _are_named(
    graph: GraphNodes, lists: Mapping[str, Mapping[int, int]], each: KerasClass
) -> bool:
    """Whether slots have a class's words in their names: `RMSprop/velocity/<V>`."""
    return all(
        f"/{each.names[slot]}/" in f"/{graph.full_names.get(item, '')}"
        for slot, attribute in each.attributes.items()
        for item in lists.get(attribute, {}).values()
    )


def _owners_by_name(
    graph: GraphNodes, lists: Mapping[str, Mapping[int, int]]
) -> dict[int, int]:
    """Which variable each place in the lists is for, by full names (`Adam/m/<V>`)."""
    places = sorted({place for items in lists.values() for place in items})
    fitting = {place: _named_alike(graph, lists, place) for place in places}
    found = {place: owners[0] for place, owners in fitting.items() if len(owners) == 1}
    tops = {graph.paths.get(owner, "").partition("/")[0] for owner in found.values()}
    for place, owners in fitting.items():
        if len(owners) > 1:  # variables of one name: the one beside the others
            beside = [
                owner
                for owner in owners
                if graph.paths.get(owner, "").partition("/")[0] in tops
            ]
            if len(beside) == 1:
                found[place] = beside[0]
    return found


def _named_alike(
    graph: GraphNodes, lists: Mapping[str, Mapping[int, int]], place: int
) -> Sequence[int]:
    """The variables that a slot at this place is named after, and has the shape of."""
    for items in lists.values():
        item = items.get(place, -1)
        _, *endings = object_keys.endings(graph.full_names.get(item, ""))
        for rest in endings:
            owners = [
                owner
                for owner in graph.by_full_name.get(rest, ())
                if owner != item and graph.shape(owner) == graph.shape(item)
            ]
            if owners:
                return owners
    return ()


def _unlisted(
    graph: GraphNodes,
    node: int,
    trained: Mapping[int, int],
    listed: Collection[int],
    label: str,
) -> Found:
    """Slots that stand in `_variables` alone: in turn, for each variable trained.

    Adafactor of Keras 3 tracks no lists of them.
    """
    direct = graph.children[node].values()
    rest = [
        item
        for _, item in sorted(graph.listed(node, "_variables").items())
        if item not in listed and item not in direct
    ]
    named = _named_flat(graph, rest, trained, label)
    if len(named) == len(rest) or not trained or len(rest) % len(trained):
        return named
    each = len(rest) // len(trained)
    evidence = f"in _variables of {label!r}, in the order of what it trains"
    found: Found = {}
    for place, item in enumerate(rest):
        slot = graph.full_names.get(item, "").rpartition("_")[2]
        if slot not in slot_names.KERAS_3_SLOTS:
            slot = ("r", "c")[place % each] if each == 3 and place % each < 2 else ""
        owner = trained.get(place // each)
        found[item] = _slot(graph, owner, slot, KERAS_3, label, evidence)
    return found


def _named_flat(
    graph: GraphNodes, items: Sequence[int], trained: Mapping[int, int], label: str
) -> Found:
    """Slots by their full names: `muon/dense_kernel_momentum` is of `dense/kernel`.

    Muon keeps other slots for some variables than for others.
    """
    flat: dict[str, set[int]] = {}
    for owner in trained.values():
        for ending in object_keys.endings(graph.full_names.get(owner, "")):
            flat.setdefault(ending.replace("/", "_"), set()).add(owner)
    evidence = f"in _variables of {label!r}, by its name"
    found: Found = {}
    for item in items:
        last = graph.full_names.get(item, "").rpartition("/")[2]
        position = last.rfind("_")
        while position > 0:
            owners = flat.get(last[:position], set())
            fitting = [o for o in owners if graph.shape(o) == graph.shape(item)]
            if len(fitting) == 1:
                slot = last[position + 1 :]
                found[item] = _slot(graph, fitting[0], slot, KERAS_3, label, evidence)
                break
            position = last.rfind("_", 0, position)
    return found
