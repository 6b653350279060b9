"""What tf1 calls the variables and the slots of an object, and what each is made of.

dense/kernel                              a variable of the model
dense/kernel/Adam, dense/kernel/Adam_1    slots, by the suffixes of the algorithm
dense/kernel/ExponentialMovingAverage     the average that an optimizer keeps
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

from estimator_ckpt.checkpoint import messages, roles
from estimator_ckpt.checkpoint.optimizers import algorithms, optimizer_steps
from estimator_ckpt.checkpoint.optimizers.algorithms import Algorithm
from estimator_ckpt.checkpoint.optimizers.slot_changes import Change
from estimator_ckpt.keras.objects.descriptions import (
    ObjectVariable,
    OptimizerDescription,
)
from estimator_ckpt.keras.optimizers import loss_scales, optimizer_state
from estimator_ckpt.keras.optimizers.beta_powers import Taken
from estimator_ckpt.keras.optimizers.state_errors import OptimizerStateError
from estimator_ckpt.keras.tensor_origins import FromSource
from estimator_ckpt.keras.to_objects import require_targets, shape_of
from estimator_ckpt.keras.written_objects import WrittenObject
from estimator_ckpt.layouts.layout_rule import LayoutRule

#: What TensorFlow 1 calls the average of a variable, below it.
_AVERAGE = "ExponentialMovingAverage"


@dataclasses.dataclass(frozen=True)
class Tf1Tensor:
    """A variable of the result, by its tf1 name before an assignment map renames it."""

    name: str
    role: roles.Role
    origin: FromSource


def of_model(
    written: WrittenObject, rules: Sequence[LayoutRule]
) -> Iterator[Tf1Tensor]:
    """The model's variables, those of another layout by rules."""
    description = written.description
    for rule in rules:
        require_targets(rule, description)
        yield from _by_rule(rule, description.variables, written)
    for name, held in description.variables.items():
        if not _is_of_rule(name, rules):
            origin = FromSource((written.path(held),))
            yield Tf1Tensor(name, held.variable.role, origin)


def of_optimizer(
    taken: Taken, written: WrittenObject, rules: Sequence[LayoutRule]
) -> Iterator[Tf1Tensor]:
    """An optimizer's slots, averages and loss scale under tf1's names.

    Slot values change where tf1 keeps other numbers than Keras; the formulas are in
    `checkpoint.optimizers.slot_changes`, inverted here.

    Raises:
      OptimizerStateError: it keeps slots that tf1's algorithm has not, or they cannot
        be converted with a learning rate of 0.
    """
    optimizer, algorithm = taken.optimizer, taken.algorithm
    lost = sorted(set(optimizer.slots) - set(algorithm.slots))
    if lost and algorithm is not algorithms.SGD:
        raise OptimizerStateError(
            f"{optimizer.called} keeps {', '.join(lost)}, which {algorithm.name} of "
            f"tf1 has not: give the optimizer without (amsgrad), or "
            f"optimizer_state=False (--nooptimizer_state)"
        )
    rate = written.learning_rate(optimizer, taken.steps)
    changes = optimizer_state.keras_changes(algorithm, optimizer, rate)
    for slot, suffix in algorithm.slots.items():
        by_owner, change = optimizer.slots.get(slot), changes.get(slot)
        if by_owner is None:  # RMSProp's momentum, which tf1 keeps in any case
            by_owner = next(iter(optimizer.slots.values()))
            change = Change(factor=0.0)
        elif change is not None:
            change = change.inverse
        yield from _beside(by_owner, suffix, written, rules, change)
    yield from _beside(optimizer.averages, _AVERAGE, written, rules)
    if optimizer.loss_scale is not None:
        kept = (optimizer.loss_scale.scale, optimizer.loss_scale.good_steps)
        for name, held in zip(loss_scales.TF1_NAMES, kept):
            yield Tf1Tensor(name, held.variable.role, FromSource((written.path(held),)))


def algorithm_of(optimizer: OptimizerDescription, steps: int) -> Algorithm:
    """The algorithm of tf1 that goes on from a Keras optimizer's state."""
    optimizer_state.require_known(optimizer)
    algorithm = optimizer.keras_class.read_as(optimizer.slots)
    algorithm = algorithm or optimizer.keras_class.reads[0]
    if algorithm is algorithms.MOMENTUM and not optimizer.setting("momentum"):
        return algorithms.SGD
    if algorithm is algorithms.ADAM and steps >= optimizer_steps.UNCORRECTED:
        return algorithms.BERT
    return algorithm


def require_one_owner(named: Sequence[Tf1Tensor]) -> None:
    """Raises OptimizerStateError if two optimizers keep one slot of a variable."""
    counts = collections.Counter(new.name for new in named)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise OptimizerStateError(
            f"two optimizers would have one name in tf1 for what they keep, as where "
            f"both train one variable: {messages.quoted(twice)}. Give the object with "
            f"one of them, or optimizer_state=False (--nooptimizer_state)"
        )


def _by_rule(
    rule: LayoutRule,
    found: Mapping[str, ObjectVariable],
    written: WrittenObject,
    slot: str = "",
    change: Optional[Change] = None,
) -> Iterator[Tf1Tensor]:
    """The tf1 variables of a rule, or their slots."""
    held = [found[name] for name in rule.targets]
    uses = rule.uses_back([shape_of(variable) for variable in held])
    names = tuple(map(written.path, held))
    for name, use in zip(rule.sources, uses):
        use = dataclasses.replace(use, is_slot=bool(slot))
        role = held[0].variable.role
        yield Tf1Tensor(f"{name}{slot}", role, FromSource(names, use, change))


def _beside(
    by_owner: Mapping[str, ObjectVariable],
    suffix: str,
    written: WrittenObject,
    rules: Sequence[LayoutRule],
    change: Optional[Change] = None,
) -> Iterator[Tf1Tensor]:
    """What stands under `<V>/<suffix>` for each variable V."""
    for owner, held in by_owner.items():
        if not _is_of_rule(owner, rules):
            origin = FromSource((written.path(held),), change=change)
            yield Tf1Tensor(f"{owner}/{suffix}", held.variable.role, origin)
    for rule in rules:
        if by_owner and all(name in by_owner for name in rule.targets):
            yield from _by_rule(rule, by_owner, written, f"/{suffix}", change)


def _is_of_rule(name: str, rules: Sequence[LayoutRule]) -> bool:
    return any(name in rule.targets for rule in rules)
