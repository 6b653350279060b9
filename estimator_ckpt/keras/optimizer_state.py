"""The optimizer state that a checkpoint holds, for a Keras optimizer to go on from."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import messages, optimizers, roles
from estimator_ckpt.checkpoint.opening import Checkpoint
from estimator_ckpt.checkpoint.optimizers import Change, Kind
from estimator_ckpt.keras.descriptions import OptimizerDescription

_ANEW = "optimizer_state=False (--nooptimizer_state) starts it anew"


class OptimizerStateError(CheckpointError, ValueError):
    """The state of another optimizer than the one given, or of one that is unknown."""


@dataclasses.dataclass(frozen=True)
class State:
    """Optimizer state in a checkpoint.

    Attributes:
      kind: of which kind it is.
      style: how its slots are named: roles.TF1, LEGACY or KERAS.
      slots: names of slot variables by what they are, then by their variable's name.
      steps: how many steps were taken; None if nothing says so.
      global_step: the checkpoint's global step.
    """

    kind: Kind
    style: str
    slots: Mapping[str, Mapping[str, str]]
    steps: Optional[int]
    global_step: Optional[int]

    def changes(self, optimizer: OptimizerDescription, steps: int) -> dict[str, Change]:
        """What becomes of the numbers in slots that mean something else there.

        Raises:
          OptimizerStateError: they cannot be converted with a learning rate of 0.
        """
        if self.style != roles.TF1:  # legacy and new optimizers keep the same
            return {}
        return keras_changes(self.kind, optimizer, optimizer.learning_rate(steps))


def keras_changes(
    kind: Kind, optimizer: OptimizerDescription, learning_rate: float
) -> dict[str, Change]:
    """What becomes of tf1's slots in a Keras optimizer, by what they are.

    Raises:
      OptimizerStateError: they cannot be converted with a learning rate of 0.
    """
    if kind is optimizers.MOMENTUM and not learning_rate:
        raise OptimizerStateError(
            f"{optimizer.called}: Keras keeps the momentum times the learning rate, "
            f"which is 0 here: give the optimizer the rate of the next step"
        )
    return optimizers.to_keras(
        kind,
        is_legacy=optimizer.is_legacy,
        learning_rate=learning_rate,
        epsilon=optimizer.setting("epsilon"),
    )


def require_known(optimizer: OptimizerDescription) -> None:
    """Raises OptimizerStateError for an optimizer of which nothing is known."""
    if not optimizer.keras_kind.reads:
        raise OptimizerStateError(
            f"{optimizer.called} is an optimizer of which nothing is known here; there "
            f"are {', '.join(optimizers.KERAS)}. {_ANEW}"
        )


def find(
    checkpoint: Checkpoint,
    optimizer: OptimizerDescription,
    owners: Collection[str],
    old_names: Mapping[str, str],
    steps: Optional[int],
) -> State:
    """The state that a checkpoint holds for the variables of an optimizer.

    Args:
      checkpoint: the source.
      optimizer: the Keras optimizer that is to go on.
      owners: the source's names of the variables that it trains.
      old_names: the source's names by those that an assignment map gives them;
        slots are recognised by the latter.
      steps: how many steps were taken, if the user says so.

    Raises:
      OptimizerStateError: there is none, it is of another or an unknown optimizer, or
        the optimizer wants slots that this kind does not have; lists the slots.
    """
    require_known(optimizer)
    by_owner = {
        old_names[owner]: {slot: old_names[name] for slot, name in found.items()}
        for owner, found in optimizers.slots_by_owner(old_names).items()
        if old_names[owner] in owners
    }
    styles = {slot.style for found in by_owner.values() for slot in found}
    style = next(iter(styles)) if len(styles) == 1 else roles.TF1
    step = checkpoint.global_step
    if style == roles.TF1:
        kind = _tf1_kind(checkpoint, optimizer, by_owner)
        called = dict(kind.slots)
    else:
        called = _keras_slots(optimizer, by_owner, style, checkpoint)
        read_as = optimizer.keras_kind.read_as(called)
        assert read_as is not None  # as _keras_slots has seen to
        kind = read_as
    _require_same_options(checkpoint, optimizer, kind, called, style)
    slots = {
        slot: {
            owner: old
            for owner, found in by_owner.items()
            for name, old in found.items()
            if name.slot == text
        }
        for slot, text in called.items()
    }
    if steps is None and style == roles.TF1:
        steps = _tf1_steps(checkpoint, optimizer, kind, step)
    if steps is None:  # in Keras also plain SGD, which leaves no slots
        steps = _keras_steps(checkpoint, optimizer)
    if steps is None:  # an Estimator's Keras optimizer may count in the global step
        steps = step
    return State(kind, style, slots, steps, step)


_ByOwner = Mapping[str, Mapping[roles.NamedSlot, str]]


def _tf1_kind(
    checkpoint: Checkpoint, optimizer: OptimizerDescription, by_owner: _ByOwner
) -> Kind:
    """The kind of tf1 optimizer that slots are the state of."""
    kinds: dict[Optional[Kind], list[str]] = {}
    for found in by_owner.values():
        kind = optimizers.kind_of({slot.slot for slot in found})
        kinds.setdefault(kind, []).extend(found.values())
    if not kinds:
        if optimizers.SGD in optimizer.keras_kind.reads:
            return optimizers.SGD
        raise _no_slots(checkpoint, optimizer)
    wrong = [kind for kind in kinds if kind not in optimizer.keras_kind.reads]
    if wrong or len(kinds) > 1:
        listed = "; ".join(
            f"{kind.name if kind else 'an unknown optimizer'}: {messages.quoted(slots)}"
            for kind, slots in kinds.items()
        )
        raise _other_slots(checkpoint, optimizer, listed)
    (kind,) = kinds
    assert kind is not None
    return kind


def _keras_slots(
    optimizer: OptimizerDescription,
    by_owner: _ByOwner,
    style: str,
    checkpoint: Checkpoint,
) -> dict[str, str]:
    """What slots that Keras named are called, by what they are for an optimizer."""
    names = (
        optimizer.keras_kind.legacy
        if style == roles.LEGACY
        else optimizer.keras_kind.names
    )
    found = {slot.slot for slots in by_owner.values() for slot in slots}
    if found - set(names.values()):
        every = [name for slots in by_owner.values() for name in slots.values()]
        keeps = ", ".join(sorted(found))
        listed = f"an optimizer that keeps {keeps}: {messages.quoted(every)}"
        raise _other_slots(checkpoint, optimizer, listed)
    return {slot: name for slot, name in names.items() if name in found}


def _no_slots(
    checkpoint: Checkpoint, optimizer: OptimizerDescription
) -> OptimizerStateError:
    others = sorted(
        n for n in checkpoint if roles.is_optimizer_state(n, checkpoint.contents.keys)
    )
    has = f" (it has {messages.quoted(others)})" if others else ""
    return OptimizerStateError(
        f"{checkpoint.prefix} has no slots of {_expected(optimizer)} for the variables "
        f"that {optimizer.called} trains{has}. {_ANEW}; slots of an "
        f"optimizer with a name of its own get their usual ones from an assignment map "
        f"(such as {{regex: '(.+)/my_adam(_1)?', to: '\\1/Adam\\2'}})"
    )


def _other_slots(
    checkpoint: Checkpoint, optimizer: OptimizerDescription, listed: str
) -> OptimizerStateError:
    return OptimizerStateError(
        f"{checkpoint.prefix} has slots of {listed}. {optimizer.called} goes on from "
        f"{_expected(optimizer)}: give the optimizer that they are of; {_ANEW}"
    )


def _expected(optimizer: OptimizerDescription) -> str:
    return " or ".join(kind.name for kind in optimizer.keras_kind.reads)


def _require_same_options(
    checkpoint: Checkpoint,
    optimizer: OptimizerDescription,
    kind: Kind,
    called: Mapping[str, str],
    style: str,
) -> None:
    """Raises OptimizerStateError if an optimizer and the state keep other things."""
    wanted = set(optimizer.slots) - set(called)
    if wanted and kind is not optimizers.SGD:
        raise OptimizerStateError(
            f"{checkpoint.prefix} has the state of {kind.name}, without what "
            f"{optimizer.called} keeps as {', '.join(sorted(wanted))}: give an "
            f"optimizer with the same options (amsgrad, centered, momentum); {_ANEW}"
        )
    if kind is optimizers.CENTERED and "mg" not in optimizer.slots:
        raise OptimizerStateError(
            f"{checkpoint.prefix} has the state of a centered RMSProp: give "
            f"{optimizer.called} with centered=True"
        )
    more = set(called) - set(optimizer.slots)
    if more and style != roles.TF1:  # tf1's RMSProp always has a slot of momentum
        raise OptimizerStateError(
            f"{checkpoint.prefix} has the state of {kind.name} with "
            f"{', '.join(sorted(more))}, which {optimizer.called} does not keep: "
            f"give an optimizer with the same options (amsgrad, centered, momentum); "
            f"{_ANEW}"
        )


def _keras_steps(
    checkpoint: Checkpoint, optimizer: OptimizerDescription
) -> Optional[int]:
    """The value of the step counter of a Keras optimizer in a checkpoint."""
    counters = [name for name in checkpoint if roles.is_step_counter(name)]
    values = {int(checkpoint.read(name)) for name in counters}
    if len(values) > 1:
        raise OptimizerStateError(
            f"{checkpoint.prefix} has several step counters "
            f"({messages.quoted(counters)}): say how many steps {_said(optimizer)}"
        )
    return values.pop() if values else None


def _tf1_steps(
    checkpoint: Checkpoint,
    optimizer: OptimizerDescription,
    kind: Kind,
    global_step: Optional[int],
) -> Optional[int]:
    """How many steps a tf1 optimizer took."""
    if kind is optimizers.BERT:
        if optimizer.has_schedule:
            raise OptimizerStateError(
                f"{optimizer.called}: AdamWeightDecay corrects no bias. Keras's Adam "
                f"does not either once its iterations count "
                f"{optimizers.UNCORRECTED:,} more, but a learning rate schedule must "
                f"then subtract these: say what they are to be (iterations=, "
                f"--iterations)"
            )
        return optimizers.UNCORRECTED + (global_step or 0)
    if not kind.powers:
        return global_step
    powers: dict[str, float] = {}
    for power in kind.powers:
        found = {
            float(checkpoint.read(name))
            for name in checkpoint
            if roles.is_beta_power(name) and power in name
        }
        if len(found) > 1:
            raise OptimizerStateError(
                f"{checkpoint.prefix} has beta powers of several optimizers, of "
                f"different steps ({_steps_of(power, found, optimizer)}): say how "
                f"many steps {_said(optimizer)}"
            )
        powers.update((power, value) for value in found)
    try:
        return optimizers.steps_taken(powers, optimizer.betas, global_step)
    except ValueError as error:
        raise OptimizerStateError(
            f"{checkpoint.prefix}: {error}: give {optimizer.called} the betas that it "
            f"had, or say how many steps {_said(optimizer)}"
        ) from None


def _steps_of(
    power: str, values: Collection[float], optimizer: OptimizerDescription
) -> str:
    """The steps after which a beta power has each of some values, for a message."""
    found = []
    for value in sorted(values, reverse=True):
        try:
            steps = optimizers.steps_taken({power: value}, optimizer.betas, None)
            found.append("too many to tell" if steps is None else str(steps))
        except ValueError:
            found.append(f"{power} {value:.6g}")
    return ", ".join(found)


def _said(optimizer: OptimizerDescription) -> str:
    """Which optimizer it is whose steps are to be said, and how."""
    return f"{optimizer.called} ({optimizer.path!r}) took (iterations=, --iterations)"
