"""The optimizer state that a checkpoint holds, for a Keras optimizer to go on from."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Optional, Union

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import messages, roles
from estimator_ckpt.checkpoint.optimizers import (
    algorithms,
    keras_classes,
    optimizer_steps,
    slot_changes,
)
from estimator_ckpt.checkpoint.optimizers.algorithms import Algorithm
from estimator_ckpt.checkpoint.optimizers.keras_classes import KerasClass
from estimator_ckpt.checkpoint.optimizers.slot_changes import Change
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import OptimizerDescription
from estimator_ckpt.keras.optimizers import saved_optimizers
from estimator_ckpt.keras.optimizers.saved_optimizers import SavedOptimizer

_ANEW = "optimizer_state=False (--nooptimizer_state) starts it anew"
_UNKNOWN = "an unknown optimizer"
_HINT = (
    "slots get their usual names from an assignment map "
    "(such as {regex: '(.+)/my_adam(_1)?', to: '\\1/Adam\\2'})"
)


class OptimizerStateError(CheckpointError, ValueError):
    """The state of another optimizer than the one given, or of one that is unknown."""


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
            f"are {', '.join(keras_classes.KERAS)}. {_ANEW}"
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
    readings = _readings(source, optimizer, saved)
    if readings:
        algorithm, style = readings[0].algorithm, readings[0].style
        slots = _merged(readings)
    elif algorithms.SGD in optimizer.keras_class.reads:
        algorithm, style, slots = algorithms.SGD, roles.TF1, {}
    else:
        raise _no_slots(source, optimizer)
    _require_same_options(source, optimizer, algorithm, slots, style)
    labels = {reading.saved.label for reading in readings}
    if steps is None and style == roles.TF1 and algorithm is not algorithms.SGD:
        steps = _tf1_steps(source, optimizer, algorithm, labels)
    if steps is None:  # in Keras also plain SGD, which leaves no slots
        steps = _keras_steps(source, optimizer, labels)
    if steps is None:  # an Estimator's Keras optimizer may count in the global step
        steps = source.checkpoint.global_step
    remarks = [remark for reading in readings for remark in reading.remarks]
    return State(
        algorithm, style, slots, steps, source.checkpoint.global_step, tuple(remarks)
    )


@dataclasses.dataclass(frozen=True)
class _Reading:
    """How one saved optimizer can be understood.

    Attributes:
      saved: the saved optimizer.
      algorithm: what it is the state of.
      called: what its slots are called there, by what they are.
      remarks: what is to be said of it.
    """

    saved: SavedOptimizer
    algorithm: Algorithm
    called: Mapping[str, str]
    remarks: tuple[str, ...] = ()

    @property
    def style(self) -> str:
        return self.saved.style

    @property
    def slots(self) -> dict[str, Mapping[str, str]]:
        """Slots by what they are, then by owner."""
        return {slot: self.saved.slots[text] for slot, text in self.called.items()}


def _readings(
    source: Source, optimizer: OptimizerDescription, saved: Sequence[SavedOptimizer]
) -> list[_Reading]:
    """The saved optimizers that are one for this: one algorithm, other variables.

    Raises:
      OptimizerStateError: variables have slots of other optimizers only, or of several
        that would do.
    """
    read: list[_Reading] = []
    wrong: list[tuple[str, SavedOptimizer]] = []
    for each in saved:
        reading = _read(source, optimizer, each)
        if isinstance(reading, str):
            wrong.append((reading, each))
        else:
            read.append(reading)
    covered: set[str] = set()
    for reading in read:
        twice = covered & reading.saved.owners
        if twice or (reading.algorithm, reading.style) != (
            read[0].algorithm,
            read[0].style,
        ):
            raise OptimizerStateError(
                f"{source.prefix} has the state of several optimizers that "
                f"{optimizer.called} could go on from: {_listed_state(read)}: leave "
                f"out one (convert --exclude), or rename its slots by an assignment map"
            )
        covered |= reading.saved.owners
    left = [(called, each) for called, each in wrong if not each.owners <= covered]
    if left:
        is_known = all(called != _UNKNOWN for called, _ in left)
        hint = "" if is_known else f"; {_HINT}"
        listed = "; ".join(
            f"{called}: {messages.quoted(each.names)}" for called, each in left
        )
        raise OptimizerStateError(
            f"{source.prefix} has slots of {listed}. {optimizer.called} goes on from "
            f"{_expected(optimizer)}: give the optimizer that they are of; "
            f"{_ANEW}{hint}"
        )
    return read


def _listed_state(readings: Sequence[_Reading]) -> str:
    return ", ".join(
        f"{each.saved.label or each.algorithm.name} ({each.saved.names[0]!r}, ...)"
        for each in readings
    )


def _read(
    source: Source, optimizer: OptimizerDescription, saved: SavedOptimizer
) -> Union[_Reading, str]:
    """How a saved optimizer can be understood; what to call it if it cannot."""
    if saved.style == roles.TF1:
        return _read_tf1(source, optimizer, saved)
    keras_class = optimizer.keras_class
    names = _keras_names(keras_class, saved)
    is_another = _is_another_class(source, keras_class, saved)
    if is_another or set(saved.slots) - set(names.values()):
        return f"an optimizer that keeps {', '.join(sorted(saved.slots))}"
    called = {slot: name for slot, name in names.items() if name in saved.slots}
    algorithm = keras_class.read_as(called)
    assert algorithm is not None  # its slots are all among its class's
    remarks: tuple[str, ...] = ()
    if saved.has_pending:
        remarks = (
            f"{optimizer.called}: the gradients that were accumulated for its next "
            f"step are left out",
        )
    return _Reading(saved, algorithm, called, remarks)


def _keras_names(keras_class: KerasClass, saved: SavedOptimizer) -> Mapping[str, str]:
    """What slots are called in a generation of Keras, by what they are."""
    if all(slot.isdigit() for slot in saved.slots):  # Keras 2.2 has lists of them
        return {slot: str(place) for place, slot in enumerate(keras_class.legacy)}
    by_style = {
        roles.LEGACY: keras_class.legacy,
        roles.KERAS: keras_class.names,
        roles.KERAS_3: keras_class.keras_3,
    }
    return by_style[saved.style]


def _is_another_class(
    source: Source, keras_class: KerasClass, saved: SavedOptimizer
) -> bool:
    """Whether slots are those of another class, whatever they are called.

    Adam's and AdaMax's have the same names in `legacy`, those of Adam and RMSprop in
    Keras 3. There it is what their names begin with that tells, and in Keras 3 the
    order: an Adam has both slots of a variable side by side, RMSprop first all of one.
    """
    if saved.scope is not None:
        classes = {name.lower(): known for name, known in keras_classes.KERAS.items()}
        found = classes.get(saved.scope)
        return found is not None and found is not keras_class
    if set(saved.slots) != {"momentum", "velocity"} or saved.style != roles.KERAS_3:
        return False
    first = {
        slot: min(source.places(by_owner.values()), default=None)
        for slot, by_owner in saved.slots.items()
    }
    momentum, velocity = first["momentum"], first["velocity"]
    if momentum is None or velocity is None:
        return False
    is_adam = momentum < velocity
    return is_adam != (keras_class is keras_classes.KERAS["Adam"])


def _read_tf1(
    source: Source, optimizer: OptimizerDescription, saved: SavedOptimizer
) -> Union[_Reading, str]:
    powers = saved_optimizers.beta_powers(source, {saved.label})
    possible = algorithms.algorithms_of(saved.slots, powers)
    mine = [
        algorithm for algorithm in possible if algorithm in optimizer.keras_class.reads
    ]
    if len(mine) != 1:
        (algorithm,) = possible if len(possible) == 1 else (None,)
        return algorithm.name if algorithm else _UNKNOWN
    algorithm = mine[0]
    texts = sorted(saved.slots, key=_number)
    usual = sorted(algorithm.slots.items(), key=lambda item: _number(item[1]))
    if set(texts) == set(algorithm.slots.values()):
        return _Reading(saved, algorithm, dict(algorithm.slots))
    called = {slot: text for (slot, _), text in zip(usual, texts)}
    remarks: tuple[str, ...] = ()
    if len(possible) > 1:
        remarks = (
            f"{optimizer.called}: the slots {messages.quoted(texts)} are taken for "
            f"those of {algorithm.name}, as the optimizer given says; "
            f"{' or '.join(p.name for p in possible if p is not algorithm)} has "
            f"as many",
        )
    return _Reading(saved, algorithm, called, remarks)


def _number(slot: str) -> int:
    """The number at the end of `Adam_1`, 0 of `Adam`."""
    digits = slot.rpartition("_")[2]
    return int(digits) if digits.isdigit() and "_" in slot else 0


def _merged(readings: Sequence[_Reading]) -> dict[str, Mapping[str, str]]:
    """The slots of several optimizers over other variables."""
    found: dict[str, dict[str, str]] = {}
    for reading in readings:
        for slot, by_owner in reading.slots.items():
            found.setdefault(slot, {}).update(by_owner)
    return dict(found)


def _no_slots(source: Source, optimizer: OptimizerDescription) -> OptimizerStateError:
    others = sorted(
        name for name, said in source.roles.items() if said.role in roles.OF_OPTIMIZER
    )
    has = f" (it has {messages.quoted(others)})" if others else ""
    return OptimizerStateError(
        f"{source.prefix} has no slots of {_expected(optimizer)} for the variables "
        f"that {optimizer.called} trains{has}. {_ANEW}; {_HINT}"
    )


def _expected(optimizer: OptimizerDescription) -> str:
    return " or ".join(algorithm.name for algorithm in optimizer.keras_class.reads)


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
            f"optimizer with the same options (amsgrad, centered, momentum); {_ANEW}"
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
            f"{_ANEW}"
        )


def _keras_steps(
    source: Source,
    optimizer: OptimizerDescription,
    labels: Collection[Optional[str]],
) -> Optional[int]:
    """The value of the step counter of a Keras optimizer in a checkpoint."""
    values = saved_optimizers.counters(source, labels)
    if len(set(values.values())) > 1:
        listed = ", ".join(f"{name!r} {steps}" for name, steps in values.items())
        raise OptimizerStateError(
            f"{source.prefix} has several step counters, of different steps "
            f"({listed}): say how many steps {_said(optimizer)}"
        )
    return next(iter(values.values()), None)


def _tf1_steps(
    source: Source,
    optimizer: OptimizerDescription,
    algorithm: Algorithm,
    labels: Collection[Optional[str]],
) -> Optional[int]:
    """How many steps a tf1 optimizer took."""
    global_step = source.checkpoint.global_step
    if algorithm is algorithms.BERT:
        if optimizer.has_schedule:
            raise OptimizerStateError(
                f"{optimizer.called}: AdamWeightDecay corrects no bias. Keras's Adam "
                f"does not either once its iterations count "
                f"{optimizer_steps.UNCORRECTED:,} more, but a learning rate schedule "
                f"must then subtract these: say what they are to be (iterations=, "
                f"--iterations)"
            )
        return optimizer_steps.UNCORRECTED + (global_step or 0)
    if not algorithm.powers:
        return global_step
    powers: dict[str, float] = {}
    for power, by_name in saved_optimizers.beta_powers(source, labels).items():
        values = set(by_name.values())
        if len(values) > 1:
            raise OptimizerStateError(
                f"{source.prefix} has beta powers of several optimizers, of "
                f"different steps ({_steps_of(power, values, optimizer)}): say how "
                f"many steps {_said(optimizer)}"
            )
        powers[power] = values.pop()
    try:
        return optimizer_steps.steps_taken(powers, optimizer.betas, global_step)
    except ValueError as error:
        raise OptimizerStateError(
            f"{source.prefix}: {error}: give {optimizer.called} the betas that it "
            f"had, or say how many steps {_said(optimizer)}"
        ) from None


def _steps_of(
    power: str, values: Collection[float], optimizer: OptimizerDescription
) -> str:
    """The steps after which a beta power has each of some values, for a message."""
    found = []
    for value in sorted(values, reverse=True):
        try:
            steps = optimizer_steps.steps_taken({power: value}, optimizer.betas, None)
            found.append("too many to tell" if steps is None else str(steps))
        except ValueError:
            found.append(f"{power} {value:.6g}")
    return ", ".join(found)


def _said(optimizer: OptimizerDescription) -> str:
    """Which optimizer it is whose steps are to be said, and how."""
    return f"{optimizer.called} ({optimizer.path!r}) took (iterations=, --iterations)"
