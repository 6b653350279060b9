"""The Keras optimizers of a live object, of every generation, described as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Optional

from estimator_ckpt.checkpoint import messages, roles
from estimator_ckpt.checkpoint.optimizers import keras_classes
from estimator_ckpt.keras.objects.descriptions import (
    Generation,
    LossScale,
    ObjectVariable,
    OptimizerDescription,
    TrackableError,
)
from estimator_ckpt.tf_private import keras_api

_Slots = dict[str, dict[str, ObjectVariable]]


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What is around an optimizer in its object.

    Attributes:
      path: where it is in the object: `optimizer`.
      model: the model's variables, each with its name.
      own: all variables of the optimizer.
      wrapper: the LossScaleOptimizer that it is in, None if it is in none.
      graph_slots: what an object graph says of slots of legacy optimizers: the slot's
        name, the variable's, and the slot variable.
      describe: describes a variable, given its role.
    """

    path: str
    model: Sequence[tuple[Any, str]]
    own: Sequence[Any]
    wrapper: Optional[Any]
    graph_slots: Iterable[tuple[str, str, Any]]
    describe: Callable[[Any, roles.Role], ObjectVariable]


def describe(optimizer: Any, around: Surroundings) -> OptimizerDescription:
    """What an optimizer keeps.

    Args:
      optimizer: the optimizer.
      around: what it trains, and where it is.

    Raises:
      TrackableError: it trains variables that are not in the object.
    """
    known = keras_api.known_class(optimizer, keras_classes.KERAS)
    keras_class = keras_classes.KERAS[known] if known else keras_classes.UNKNOWN
    generation = _generation(optimizer)
    slots: _Slots = {}
    averages: dict[str, ObjectVariable] = {}
    if generation is Generation.LEGACY:
        slots = _legacy_slots(keras_class, around)
    elif keras_api.has_slots(optimizer):
        slots, averages = _listed_slots(optimizer, around)
    counter = around.describe(optimizer.iterations, roles.OPTIMIZER)
    rate = None
    if keras_api.rate_variable(optimizer) is not None:
        rate = around.describe(keras_api.rate_variable(optimizer), roles.OPTIMIZER)
    loss_scale = _loss_scale(around)
    taken = {
        variable.key
        for by_owner in (*slots.values(), averages)
        for variable in by_owner.values()
    }
    taken |= {counter.key, *([rate.key] if rate else [])}
    if loss_scale is not None:
        taken |= {loss_scale.scale.key, loss_scale.good_steps.key}
    own = [around.describe(variable, roles.OPTIMIZER) for variable in around.own]
    return OptimizerDescription(
        called=_called(optimizer, generation),
        path=around.path,
        keras_class=keras_class,
        generation=generation,
        settings=_settings(optimizer) if known else {},
        has_schedule=keras_api.schedule_of(optimizer) is not None,
        learning_rate=lambda iterations: keras_api.learning_rate(optimizer, iterations),
        iterations=counter,
        slots=slots,
        averages=averages,
        rate=rate,
        loss_scale=loss_scale,
        others=tuple(variable for variable in own if variable.key not in taken),
    )


def _loss_scale(around: Surroundings) -> Optional[LossScale]:
    """What a LossScaleOptimizer keeps beside the optimizer."""
    if around.wrapper is None:
        return None
    found = keras_api.loss_scale_of(around.wrapper)
    if found is None:
        return None
    return LossScale(*(around.describe(v, roles.LOSS_SCALE) for v in found))


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


def _legacy_slots(
    keras_class: keras_classes.KerasClass, around: Surroundings
) -> _Slots:
    """Slots by what they are and by owner, as the graph says it."""
    meaning = {name: slot for slot, name in keras_class.legacy.items()}
    slots: _Slots = {}
    for slot, owner, variable in around.graph_slots:
        by_owner = slots.setdefault(meaning.get(slot, slot), {})
        by_owner[owner] = around.describe(variable, roles.SLOT)
    return slots


def _listed_slots(
    optimizer: Any, around: Surroundings
) -> tuple[_Slots, dict[str, ObjectVariable]]:
    """The same of optimizers since 2.11, by the order of their lists; and averages."""
    owners = {
        place: name
        for variable, name in around.model
        if (place := keras_api.place_in(optimizer, variable)) is not None
    }
    trained = keras_api.trained_by(optimizer)
    absent = [name for place, name in enumerate(trained) if place not in owners]
    if absent:
        raise TrackableError(
            f"the optimizer {type(optimizer).__name__} was built for variables that "
            f"the object given does not have: {messages.quoted(absent)}. Give the "
            f"model that it trains along with it, or an optimizer that is not built"
        )

    def by_owner(
        variables: Sequence[Any], role: roles.Role
    ) -> dict[str, ObjectVariable]:
        return {
            owners[place]: around.describe(variable, role)
            for place, variable in enumerate(variables)
        }

    slots = {
        slot: by_owner(variables, roles.SLOT)
        for slot, variables in keras_api.slot_lists(optimizer).items()
    }
    return slots, by_owner(keras_api.averages_of(optimizer), roles.AVERAGE)
