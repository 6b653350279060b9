"""The Keras optimizers of a live object, of every generation: what each keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from estimator_ckpt.checkpoint import optimizers
from estimator_ckpt.keras.described import Live, LiveOptimizer, TrackableError
from estimator_ckpt.keras.saved_objects import View
from estimator_ckpt.tf_private import keras_api


def find(view: View) -> dict[int, Any]:
    """The optimizers among the objects of a graph, by node.

    tf.keras's LossScaleOptimizer stands in the graph for the one in it; Keras 3's has
    a node of its own, and no slots.
    """
    found = {n: v for n, v in enumerate(view.objects) if keras_api.is_optimizer(v)}
    present = {id(value) for value in view.objects}
    return {
        n: _unwrapped(value)
        for n, value in found.items()
        if _unwrapped(value) is value or id(_unwrapped(value)) not in present
    }


def _unwrapped(value: Any) -> Any:
    """What an optimizer stands for: a LossScaleOptimizer has another in it."""
    return getattr(value, "inner_optimizer", value)


def build(view: View) -> bool:
    """Makes the slots of optimizers that have none; returns whether there were any.

    Raises:
      TrackableError: which variables one of them trains cannot be known.
    """
    every = list(find(view).values())
    new = [optimizer for optimizer in every if not keras_api.has_slots(optimizer)]
    for optimizer in new:
        if len(every) > 1:
            raise TrackableError(
                f"the optimizer {type(optimizer).__name__} is not built, and with "
                f"{len(every)} of them nobody can tell which variables it trains: "
                f"build each (optimizer.build(...))"
            )
        keras_api.build_slots(optimizer, _trained(optimizer, view))
    return bool(new)


def _trained(optimizer: Any, view: View) -> list[Any]:
    """The variables that an object's only optimizer trains."""
    models = view.models
    if models:
        top = [m for m in models if not any(_holds(other, m) for other in models)]
        found = [v for model in top for v in model.trainable_variables]
        return list({id(variable): variable for variable in found}.values())
    if not keras_api.is_legacy_optimizer(optimizer):
        raise TrackableError(
            f"the optimizer {type(optimizer).__name__} is not built, and its slots "
            f"stand in the order of the variables it trains: call "
            f"optimizer.build(variables) first"
        )
    return [v for v in view.objects if isinstance(v, tf.Variable) and v.trainable]


def _holds(model: Any, other: Any) -> bool:
    if model is other:
        return False
    return other in getattr(model, "_flatten_layers", list)()


def describe(
    view: View, number: int, optimizer: Any, called: Mapping[int, str]
) -> LiveOptimizer:
    """What an optimizer keeps.

    Args:
      view: the graph that it is in.
      number: its node.
      optimizer: the optimizer itself.
      called: the names of the model's variables, by node.

    Raises:
      TrackableError: it trains variables that are not among these.
    """
    kinds = (optimizers.KERAS.get(base.__name__) for base in type(optimizer).__mro__)
    kind = next(filter(None, kinds), optimizers.UNKNOWN)
    mine = sorted(view.below(number))
    if keras_api.is_legacy_optimizer(optimizer):
        slots, averages = _legacy_slots(view, number, kind, called), {}
    else:
        slots, averages = _slots(view, mine, optimizer, kind, called)
    counter = next(n for n in mine if view.objects[n] is optimizer.iterations)
    of_variables = [*slots.values(), averages]
    taken = {id(s.variable) for by_owner in of_variables for s in by_owner.values()}
    return LiveOptimizer(
        optimizer=optimizer,
        path=view.path(number),
        kind=kind,
        iterations=view.live(counter),
        slots=slots,
        averages=averages,
        others=tuple(
            view.live(n)
            for n in mine
            if n != counter and id(view.objects[n]) not in taken
        ),
    )


_Slots = dict[str, dict[str, Live]]


def _legacy_slots(
    view: View, number: int, kind: optimizers.KerasKind, called: Mapping[int, str]
) -> _Slots:
    """Slots by what they are and by owner, as the graph says it."""
    what = {name: slot for slot, name in kind.legacy.items()}
    slots: _Slots = {}
    for slot in view.graph.nodes[number].slot_variables:
        of_owner = slots.setdefault(what.get(slot.slot_name, slot.slot_name), {})
        owner = called[slot.original_variable_node_id]
        of_owner[owner] = view.live(slot.slot_variable_node_id)
    return slots


def _slots(
    view: View,
    mine: Sequence[int],
    optimizer: Any,
    kind: optimizers.KerasKind,
    called: Mapping[int, str],
) -> tuple[_Slots, dict[str, Live]]:
    """The same of optimizers since 2.11, by the order of their lists; and averages."""
    owners = {
        place: name
        for n, name in called.items()
        if (place := keras_api.place_in(optimizer, view.objects[n])) is not None
    }
    _require_owners(optimizer, owners)
    numbers = {id(view.objects[n]): n for n in mine}

    def by_owner(variables: Sequence[Any]) -> dict[str, Live]:
        return {owners[i]: view.live(numbers[id(v)]) for i, v in enumerate(variables)}

    lists = {slot: getattr(optimizer, a, ()) for slot, a in kind.attributes.items()}
    slots = {slot: by_owner(variables) for slot, variables in lists.items()}
    slots = {slot: found for slot, found in slots.items() if found}
    return slots, by_owner(keras_api.averages_of(optimizer))


def _require_owners(optimizer: Any, owners: Mapping[int, str]) -> None:
    trained = keras_api.trained_by(optimizer)
    absent = [name for place, name in enumerate(trained) if place not in owners]
    if absent:
        listed = ", ".join(map(repr, absent[:6]))
        more = f" and {len(absent) - 6} more" if len(absent) > 6 else ""
        raise TrackableError(
            f"the optimizer {type(optimizer).__name__} was built for variables that "
            f"the object given does not have: {listed}{more}. Give the model that it "
            f"trains along with it, or an optimizer that is not built"
        )
