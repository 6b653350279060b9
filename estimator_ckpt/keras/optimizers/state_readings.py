"""How the optimizers that a checkpoint holds can be understood by a Keras optimizer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Union

from estimator_ckpt.checkpoint import messages, roles
from estimator_ckpt.checkpoint.optimizers import (
    algorithms,
    keras_classes,
)
from estimator_ckpt.checkpoint.optimizers.algorithms import Algorithm
from estimator_ckpt.checkpoint.optimizers.keras_classes import KerasClass
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import OptimizerDescription
from estimator_ckpt.keras.optimizers import saved_optimizers
from estimator_ckpt.keras.optimizers.saved_optimizers import SavedOptimizer
from estimator_ckpt.keras.optimizers.state_errors import (
    ANEW,
    HINT,
    OptimizerStateError,
    expected,
)

_UNKNOWN = "an unknown optimizer"


@dataclasses.dataclass(frozen=True)
class Reading:
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


def of(
    source: Source, optimizer: OptimizerDescription, saved: Sequence[SavedOptimizer]
) -> list[Reading]:
    """The saved optimizers that are one for this: one algorithm, other variables.

    Raises:
      OptimizerStateError: variables have slots of other optimizers only, or of several
        that would do.
    """
    read: list[Reading] = []
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
        hint = "" if is_known else f"; {HINT}"
        listed = "; ".join(
            f"{called}: {messages.quoted(each.names)}" for called, each in left
        )
        raise OptimizerStateError(
            f"{source.prefix} has slots of {listed}. {optimizer.called} goes on from "
            f"{expected(optimizer)}: give the optimizer that they are of; "
            f"{ANEW}{hint}"
        )
    return read


def slots_of(readings: Sequence[Reading]) -> dict[str, Mapping[str, str]]:
    """The slots of several optimizers over other variables."""
    found: dict[str, dict[str, str]] = {}
    for reading in readings:
        for slot, by_owner in reading.slots.items():
            found.setdefault(slot, {}).update(by_owner)
    return dict(found)


def _listed_state(readings: Sequence[Reading]) -> str:
    return ", ".join(
        f"{each.saved.label or each.algorithm.name} ({each.saved.names[0]!r}, ...)"
        for each in readings
    )


def _read(
    source: Source, optimizer: OptimizerDescription, saved: SavedOptimizer
) -> Union[Reading, str]:
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
    return Reading(saved, algorithm, called, remarks)


def _keras_names(keras_class: KerasClass, saved: SavedOptimizer) -> Mapping[str, str]:
    """What slots are called in a generation of Keras, by what they are."""
    if all(slot.isdigit() for slot in saved.slots):  # Keras 2.2 has lists of them
        return {slot: str(place) for place, slot in enumerate(keras_class.legacy)}
    by_style = {
        roles.LEGACY: keras_class.legacy,
        roles.KERAS: keras_class.names,
        roles.KERAS_3: keras_class.keras_3,
    }
    names = by_style[saved.style]
    if saved.style == roles.KERAS and set(saved.slots) - set(names.values()):
        # By paths, names do not tell Keras 3 from the generation before it.
        return keras_class.keras_3
    return names


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
) -> Union[Reading, str]:
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
        return Reading(saved, algorithm, dict(algorithm.slots))
    called = {slot: text for (slot, _), text in zip(usual, texts)}
    remarks: tuple[str, ...] = ()
    if len(possible) > 1:
        remarks = (
            f"{optimizer.called}: the slots {messages.quoted(texts)} are taken for "
            f"those of {algorithm.name}, as the optimizer given says; "
            f"{' or '.join(p.name for p in possible if p is not algorithm)} has "
            f"as many",
        )
    return Reading(saved, algorithm, called, remarks)


def _number(slot: str) -> int:
    """The number at the end of `Adam_1`, 0 of `Adam`."""
    digits = slot.rpartition("_")[2]
    return int(digits) if digits.isdigit() and "_" in slot else 0
