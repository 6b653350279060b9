"""The Keras optimizers of a live object, of every generation, described as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from estimator_ckpt.checkpoint import messages, optimizers, roles
from estimator_ckpt.keras.descriptions import (
    Generation,
    ObjectVariable,
    OptimizerDescription,
    TrackableError,
)
from estimator_ckpt.keras.tracked_graph import TrackedGraph
from estimator_ckpt.tf_private import keras_api


def find(tracked: TrackedGraph) -> dict[int, Any]:
    """The optimizers among the objects of a graph, by node.

    tf.keras's LossScaleOptimizer stands in the graph for the one in it; Keras 3's has
    a node of its own, and no slots.
    """
    every = {n: v for n, v in enumerate(tracked.objects) if keras_api.is_optimizer(v)}
    present = {id(value) for value in tracked.objects}
    found = {}
    for number, value in every.items():
        inner = getattr(value, "inner_optimizer", value)
        if inner is value or id(inner) not in present:
            found[number] = inner
    return found


def build(tracked: TrackedGraph) -> bool:
    """Makes the slots of optimizers that have none; returns whether there were any.

    Raises:
      TrackableError: which variables one of them trains cannot be known.
    """
    every = list(find(tracked).values())
    new = [optimizer for optimizer in every if not keras_api.has_slots(optimizer)]
    for optimizer in new:
        if len(every) > 1:
            raise TrackableError(
                f"the optimizer {type(optimizer).__name__} is not built, and with "
                f"{len(every)} of them nobody can tell which variables it trains: "
                f"build each (optimizer.build(...))"
            )
        keras_api.build_slots(optimizer, _trained(optimizer, tracked))
    return bool(new)


def _trained(optimizer: Any, tracked: TrackedGraph) -> list[Any]:
    """The variables that an object's only optimizer trains."""
    models = tracked.models
    if models:
        top = [m for m in models if not any(keras_api.has_layer(x, m) for x in models)]
        found = [v for model in top for v in model.trainable_variables]
        return list({id(variable): variable for variable in found}.values())
    if not keras_api.is_legacy_optimizer(optimizer):
        raise TrackableError(
            f"the optimizer {type(optimizer).__name__} is not built, and its slots "
            f"stand in the order of the variables it trains: call "
            f"optimizer.build(variables) first"
        )
    return [v for v in tracked.objects if isinstance(v, tf.Variable) and v.trainable]


def describe(
    tracked: TrackedGraph, number: int, optimizer: Any, names: Mapping[int, str]
) -> OptimizerDescription:
    """What an optimizer keeps.

    Args:
      tracked: the graph that it is in.
      number: its node.
      optimizer: the optimizer itself.
      names: the names of the model's variables, by node.

    Raises:
      TrackableError: it trains variables that are not among these.
    """
    known = keras_api.known_class(optimizer, optimizers.KERAS)
    kind = optimizers.KERAS[known] if known else optimizers.UNKNOWN
    generation = _generation(optimizer)
    averages: dict[str, ObjectVariable] = {}
    if generation is Generation.LEGACY:
        slots = _legacy_slots(tracked, number, kind, names)
    else:
        slots, averages = _listed_slots(tracked, optimizer, names)
    counter = tracked.numbers[id(optimizer.iterations)]
    rate = tracked.numbers.get(id(keras_api.rate_variable(optimizer)))
    by_owner = [*slots.values(), averages]
    taken = {variable.key for found in by_owner for variable in found.values()}
    return OptimizerDescription(
        called=_called(optimizer, generation),
        path=tracked.path(number),
        keras_kind=kind,
        generation=generation,
        settings=_settings(optimizer) if known else {},
        has_schedule=keras_api.schedule_of(optimizer) is not None,
        learning_rate=lambda iterations: _learning_rate(optimizer, iterations),
        iterations=tracked.variable(counter, roles.OPTIMIZER),
        slots=slots,
        averages=averages,
        rate=None if rate is None else tracked.variable(rate, roles.OPTIMIZER),
        others=tuple(
            tracked.variable(n, roles.OPTIMIZER)
            for n in sorted(tracked.below(number) - {counter, rate})
            if tracked.keys[n] not in taken
        ),
    )


def _generation(optimizer: Any) -> Generation:
    if keras_api.is_legacy_optimizer(optimizer):
        return Generation.LEGACY
    if keras_api.is_keras_3(optimizer):
        return Generation.KERAS_3
    return Generation.SINCE_2_11


def _called(optimizer: Any, generation: Generation) -> str:
    name = type(optimizer).__name__
    return f"legacy.{name}" if generation is Generation.LEGACY else name


def _settings(optimizer: Any) -> dict[str, float]:
    """An optimizer's hyperparameters that are numbers."""
    return {
        name: float(value)
        for name, value in optimizer.get_config().items()
        if isinstance(value, (bool, int, float)) or hasattr(value, "__float__")
    }


def _learning_rate(optimizer: Any, iterations: int) -> float:
    """The rate of the step after so many."""
    schedule = keras_api.schedule_of(optimizer)
    if schedule is not None:
        return float(schedule(tf.constant(iterations, tf.int64)))
    return float(tf.convert_to_tensor(optimizer.learning_rate))


_Slots = dict[str, dict[str, ObjectVariable]]


def _legacy_slots(
    tracked: TrackedGraph,
    number: int,
    kind: optimizers.KerasKind,
    names: Mapping[int, str],
) -> _Slots:
    """Slots by what they are and by owner, as the graph says it."""
    meaning = {name: slot for slot, name in kind.legacy.items()}
    slots: _Slots = {}
    for slot in tracked.message.nodes[number].slot_variables:
        by_owner = slots.setdefault(meaning.get(slot.slot_name, slot.slot_name), {})
        owner = names[slot.original_variable_node_id]
        by_owner[owner] = tracked.variable(slot.slot_variable_node_id, roles.OPTIMIZER)
    return slots


def _listed_slots(
    tracked: TrackedGraph, optimizer: Any, names: Mapping[int, str]
) -> tuple[_Slots, dict[str, ObjectVariable]]:
    """The same of optimizers since 2.11, by the order of their lists; and averages."""
    owners = {
        place: name
        for n, name in names.items()
        if (place := keras_api.place_in(optimizer, tracked.objects[n])) is not None
    }
    _require_owners(optimizer, owners)

    def by_owner(
        variables: Sequence[Any], role: roles.Role
    ) -> dict[str, ObjectVariable]:
        return {
            owners[i]: tracked.variable(tracked.numbers[id(v)], role)
            for i, v in enumerate(variables)
        }

    slots = {
        slot: by_owner(variables, roles.OPTIMIZER)
        for slot, variables in keras_api.slot_lists(optimizer).items()
    }
    return slots, by_owner(keras_api.averages_of(optimizer), roles.MODEL)


def _require_owners(optimizer: Any, owners: Mapping[int, str]) -> None:
    trained = keras_api.trained_by(optimizer)
    absent = [name for place, name in enumerate(trained) if place not in owners]
    if absent:
        raise TrackableError(
            f"the optimizer {type(optimizer).__name__} was built for variables that "
            f"the object given does not have: {messages.quoted(absent)}. Give the "
            f"model that it trains along with it, or an optimizer that is not built"
        )
