"""The optimizer state that a checkpoint holds, for a Keras optimizer to go on from."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Optional

from estimator_ckpt.checkpoint import messages, roles
from estimator_ckpt.checkpoint.optimizers import (
    algorithms,
    keras_classes,
    slot_changes,
)
from estimator_ckpt.checkpoint.optimizers.algorithms import Algorithm
from estimator_ckpt.checkpoint.optimizers.slot_changes import Change
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import OptimizerDescription
from estimator_ckpt.keras.optimizers import (
    saved_optimizers,
    state_readings,
    taken_steps,
)
from estimator_ckpt.keras.optimizers.state_errors import (
    ANEW,
    HINT,
    OptimizerStateError,
    expected,
)


@dataclasses.dataclass(frozen=True)
class State:
    """Optimizer state in a checkpoint, for some Keras optimizer.

    Attributes:
      algorithm: whose state it is.
      style: how its slots are named: roles.TF1, LEGACY, KERAS or KERAS_3.
      slots: names of slot variables by what they are, then by their variable's name.
      steps: how many steps were taken; None if nothing says so.
      global_step: the checkpoint's global step.
      remarks: what is to be said of it, a sentence each.
    """

    algorithm: Algorithm
    style: str
    slots: Mapping[str, Mapping[str, str]]
    steps: Optional[int]
    global_step: Optional[int]
    remarks: tuple[str, ...] = ()

    def changes(self, optimizer: OptimizerDescription, steps: int) -> dict[str, Change]:
        """What becomes of the numbers in slots that mean something else there.

        Raises:
          OptimizerStateError: they cannot be converted with a learning rate of 0.
        """
        if self.style != roles.TF1:  # legacy and new optimizers keep the same
            return {}
        return keras_changes(self.algorithm, optimizer, optimizer.learning_rate(steps))


def keras_changes(
    algorithm: Algorithm, optimizer: OptimizerDescription, learning_rate: float
) -> dict[str, Change]:
    """What becomes of tf1's slots in a Keras optimizer, by what they are.

    Raises:
      OptimizerStateError: they cannot be converted with a learning rate of 0.
    """
    if algorithm is algorithms.MOMENTUM and not learning_rate:
        raise OptimizerStateError(
            f"{optimizer.called}: Keras keeps the momentum times the learning rate, "
            f"which is 0 here: give the optimizer the rate of the next step"
        )
    return slot_changes.to_keras(
        algorithm,
        is_legacy=optimizer.is_legacy,
        learning_rate=learning_rate,
        epsilon=optimizer.setting("epsilon"),
    )


def require_known(optimizer: OptimizerDescription) -> None:
    """Raises OptimizerStateError for an optimizer of which nothing is known."""
    if not optimizer.keras_class.reads:
        raise OptimizerStateError(
            f"{optimizer.called} is an optimizer of which nothing is known here; there "
            f"are {', '.join(keras_classes.KERAS)}. {ANEW}"
        )


def find(
    source: Source,
    optimizer: OptimizerDescription,
    owners: Collection[str],
    steps: Optional[int],
) -> State:
    """The state that a checkpoint holds for the variables of an optimizer.

    Args:
      source: the checkpoint.
      optimizer: the Keras optimizer that is to go on.
      owners: the source's names of the variables that it trains.
      steps: how many steps were taken, if the user says so.

    Raises:
      OptimizerStateError: there is none, it is of another or an unknown optimizer, or
        the optimizer wants slots that this algorithm does not keep; lists the slots.
    """
    require_known(optimizer)
    saved = saved_optimizers.of(source, owners)
    readings = state_readings.of(source, optimizer, saved)
    if readings:
        algorithm, style = readings[0].algorithm, readings[0].style
        slots = state_readings.slots_of(readings)
    elif algorithms.SGD in optimizer.keras_class.reads:
        algorithm, style, slots = algorithms.SGD, roles.TF1, {}
    else:
        raise _no_slots(source, optimizer)
    _require_same_options(source, optimizer, algorithm, slots, style)
    labels = {reading.saved.label for reading in readings}
    if steps is None and style == roles.TF1 and algorithm is not algorithms.SGD:
        steps = taken_steps.of_tf1(source, optimizer, algorithm, labels)
    if steps is None:  # in Keras also plain SGD, which leaves no slots
        steps = taken_steps.of_keras(source, optimizer, labels)
    if steps is None:  # an Estimator's Keras optimizer may count in the global step
        steps = source.checkpoint.global_step
    remarks = [remark for reading in readings for remark in reading.remarks]
    return State(
        algorithm, style, slots, steps, source.checkpoint.global_step, tuple(remarks)
    )


def _no_slots(source: Source, optimizer: OptimizerDescription) -> OptimizerStateError:
    others = sorted(
        name for name, said in source.roles.items() if said.role in roles.OF_OPTIMIZER
    )
    has = f" (it has {messages.quoted(others)})" if others else ""
    return OptimizerStateError(
        f"{source.prefix} has no slots of {expected(optimizer)} for the variables "
        f"that {optimizer.called} trains{has}. {ANEW}; {HINT}"
    )


def _require_same_options(
    source: Source,
    optimizer: OptimizerDescription,
    algorithm: Algorithm,
    slots: Collection[str],
    style: str,
) -> None:
    """Raises OptimizerStateError if an optimizer and the state keep other things."""
    wanted = set(optimizer.slots) - set(slots)
    if wanted and algorithm is not algorithms.SGD:
        raise OptimizerStateError(
            f"{source.prefix} has the state of {algorithm.name}, without what "
            f"{optimizer.called} keeps as {', '.join(sorted(wanted))}: give an "
            f"optimizer with the same options (amsgrad, centered, momentum); {ANEW}"
        )
    if algorithm is algorithms.CENTERED and "mg" not in optimizer.slots:
        raise OptimizerStateError(
            f"{source.prefix} has the state of a centered RMSProp: give "
            f"{optimizer.called} with centered=True"
        )
    more = set(slots) - set(optimizer.slots)
    if more and style != roles.TF1:  # tf1's RMSProp always has a slot of momentum
        raise OptimizerStateError(
            f"{source.prefix} has the state of {algorithm.name} with "
            f"{', '.join(sorted(more))}, which {optimizer.called} does not keep: "
            f"give an optimizer with the same options (amsgrad, centered, momentum); "
            f"{ANEW}"
        )
