"""The slots of Keras optimizers since 2.11, and whose each is.

They stand in lists (`_momentums`), in the order of what is trained; Keras 3 lists that,
too. TensorFlow 2.21 leaves the lists out of the graph where an optimizer of tf-keras
was saved or restored before its first step: then names say it.

Source: the object graphs that TensorFlow 2.15.1 and 2.21.0 with tf-keras and Keras 3
write; `tests/testdata/roles`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.evidence import known_names
from estimator_ckpt.checkpoint.evidence.graph_nodes import TRAINED, GraphNodes
from estimator_ckpt.checkpoint.optimizers import keras_classes, slot_names
from estimator_ckpt.checkpoint.optimizers.keras_classes import KerasClass
from estimator_ckpt.checkpoint.roles import AVERAGE, KERAS, KERAS_3, SLOT, Decision

#: Lists of an optimizer since 2.11 that are not lists of slots.
_NO_SLOTS = frozenset({"_variables", TRAINED, "_trainable_variables_indices"})
_AVERAGES = "_model_variables_moving_average"
#: All lists of slots that the table of optimizers knows.
_LISTS = frozenset(
    name for each in keras_classes.KERAS.values() for name in each.attributes.values()
)
Found = dict[int, Decision]


def slot_of(
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


def decide(graph: GraphNodes, node: int, style: str, label: str) -> Found:
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
            found[item] = slot_of(graph, owner, names[name], style, label, evidence)
    direct = graph.children[node].values()
    unlisted = [
        item
        for _, item in sorted(graph.listed(node, "_variables").items())
        if item not in found and item not in direct
    ]
    if style == KERAS_3:
        found.update(_unlisted(graph, unlisted, trained, label))
    else:
        found.update(_named_after(graph, unlisted, label))
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


def _named_after(graph: GraphNodes, items: Sequence[int], label: str) -> Found:
    """Slots by their full names: `m/dense/kernel`, `Adam/m/dense/kernel`."""
    known = {*slot_names.KERAS_SLOTS, "average"}
    evidence = f"in _variables of {label!r}, by its name"
    found: Found = {}
    for item in items:
        name = graph.full_names.get(item, "")
        _, *endings = object_keys.endings(name)
        for rest in endings:
            slot = name[: -len(rest) - 1].rpartition("/")[2]
            owners = [
                owner
                for owner in graph.by_full_name.get(rest, ())
                if slot in known and owner not in items
                # Adafactor's rows and columns have shapes of their own.
                if slot in ("r", "c") or graph.shape(owner) == graph.shape(item)
            ]
            if len(owners) == 1:
                found[item] = slot_of(graph, owners[0], slot, KERAS, label, evidence)
                break
    return found


def _unlisted(
    graph: GraphNodes, items: Sequence[int], trained: Mapping[int, int], label: str
) -> Found:
    """Slots that stand in `_variables` alone: in turn, for each variable trained.

    Adafactor of Keras 3 tracks no lists of them.
    """
    named = _named_flat(graph, items, trained, label)
    if len(named) == len(items) or not trained or len(items) % len(trained):
        return named
    each = len(items) // len(trained)
    evidence = f"in _variables of {label!r}, in the order of what it trains"
    found: Found = {}
    for place, item in enumerate(items):
        slot = graph.full_names.get(item, "").rpartition("_")[2]
        if slot not in slot_names.KERAS_3_SLOTS:
            slot = ("r", "c")[place % each] if each == 3 and place % each < 2 else ""
        owner = trained.get(place // each)
        found[item] = slot_of(graph, owner, slot, KERAS_3, label, evidence)
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
                found[item] = slot_of(graph, fitting[0], slot, KERAS_3, label, evidence)
                break
            position = last.rfind("_", 0, position)
    return found
