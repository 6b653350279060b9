"""What becomes of the variables of a Keras optimizer: slots, counter, averages.

A slot is made as its variable is: of the source's slots of the same variables, by the
same layout rule, its numbers changed where Keras means others by them
(`checkpoint.optimizers.slot_changes`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Optional

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.optimizers import algorithms
from estimator_ckpt.checkpoint.optimizers.slot_changes import Change
from estimator_ckpt.keras import object_plans
from estimator_ckpt.keras.object_plans import ConversionError, NewVariable
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import (
    ObjectVariable,
    OptimizerDescription,
)
from estimator_ckpt.keras.optimizers import caveats, loss_scales, optimizer_state
from estimator_ckpt.keras.optimizers.optimizer_state import State
from estimator_ckpt.keras.tensor_origins import FromSource


def of(
    optimizer: OptimizerDescription,
    source: Source,
    model: Mapping[str, NewVariable],
    given_steps: Optional[int],
    has_embeddings: bool,
) -> tuple[list[NewVariable], list[str]]:
    """What becomes of an optimizer's variables, and what is to be said of it.

    Args:
      optimizer: the optimizer.
      source: the source.
      model: what becomes of the model's variables, by name.
      given_steps: how many steps it took, if the user says so.
      has_embeddings: whether a layer's gradients are sparse.

    Raises:
      OptimizerStateError: the source has the state of another optimizer, or none.
      ConversionError: nothing says how many steps it took.
    """
    owners = {
        name
        for owner in optimizer.trained
        if (origin := _origin(model, owner)) is not None
        for name in origin.names
    }
    if optimizer.trained and not owners:  # of which the plan says so already
        return kept(optimizer, "the source lacks the variables it trains"), []
    state = optimizer_state.find(source, optimizer, owners, given_steps)
    if state.steps is None:
        raise ConversionError(
            f"{source.prefix} says nowhere how many steps {optimizer.called} took: "
            f"say it (iterations=, --iterations)"
        )
    said = [
        *state.remarks,
        *_slots_anew(optimizer, state, model),
        *caveats.of(state, optimizer, state.steps, has_embeddings),
    ]
    return _carried(optimizer, state, state.steps, model, source), said


def kept(optimizer: OptimizerDescription, because: str) -> list[NewVariable]:
    """An optimizer that keeps all of its values."""
    return [object_plans.kept(variable, because) for variable in optimizer.variables]


def _carried(
    optimizer: OptimizerDescription,
    state: State,
    steps: int,
    model: Mapping[str, NewVariable],
    source: Source,
) -> list[NewVariable]:
    """An optimizer's step counter, slots and averages, and what it keeps as it is."""
    changes = state.changes(optimizer, steps)
    found = [object_plans.counted(optimizer.iterations, steps)]
    for slot, by_owner in optimizer.slots.items():
        for owner, variable in by_owner.items():
            found.append(
                _slot(
                    variable,
                    _origin(model, owner),
                    state.slots.get(slot, {}),
                    changes.get(slot),
                    source,
                )
            )
    for owner, variable in optimizer.averages.items():
        found.append(_average(variable, _origin(model, owner), source))
    if optimizer.loss_scale is not None:
        found += loss_scales.carried(optimizer.loss_scale, source)
    own = [*optimizer.others, *filter(None, [optimizer.rate])]
    return [*found, *map(object_plans.kept, own)]


def _slot(
    variable: ObjectVariable,
    owner: Optional[FromSource],
    slots: Mapping[str, str],
    change: Optional[Change],
    source: Source,
) -> NewVariable:
    """A slot, which is made as its variable is.

    Args:
      variable: the slot.
      owner: what of the source its variable is made of; None if of nothing.
      slots: the source's slots of this sort, by their variable's name there.
      change: what becomes of its numbers.
      source: the source.
    """
    if owner is None:
        return object_plans.kept(variable, "its variable keeps its own value")
    if not all(name in slots for name in owner.names):
        return object_plans.kept(variable, "no such slot: it starts anew")
    use = owner.use and dataclasses.replace(owner.use, is_slot=True)
    origin = FromSource(tuple(slots[name] for name in owner.names), use, change)
    made = object_plans.decided(variable, origin, source)
    if made.item.verdict.is_problem:
        there = origin.variable(source.variables)
        because = (
            f"the slot {there.name!r} is {there} there, and {variable.variable} here"
        )
        return dataclasses.replace(made, item=made.item._replace(because=because))
    return made


def _average(
    variable: ObjectVariable, owner: Optional[FromSource], source: Source
) -> NewVariable:
    """An average of the optimizer's own: the source's, or its variable's value."""
    if owner is None:
        return object_plans.kept(variable, "its variable keeps its own value")
    averages = [source.average_of(name) for name in owner.names]
    if None not in averages:
        owner = FromSource(tuple(filter(None, averages)), owner.use)
    return object_plans.decided(variable, owner, source)


def _slots_anew(
    optimizer: OptimizerDescription, state: State, model: Mapping[str, NewVariable]
) -> list[str]:
    """A warning if the source has no slots for some variables that it has."""
    if state.algorithm is algorithms.SGD:
        return []
    anew = {
        owner
        for slot, by_owner in optimizer.slots.items()
        for owner in by_owner
        if (origin := _origin(model, owner)) is not None
        and not all(name in state.slots.get(slot, {}) for name in origin.names)
    }
    if not anew:
        return []
    listed = messages.quoted(sorted(anew))
    return [
        f"{optimizer.called}: the source has no slots for {listed}: they start anew"
    ]


def _origin(model: Mapping[str, NewVariable], name: str) -> Optional[FromSource]:
    """What of the source a variable of the model is made of, None if of nothing."""
    return model[name].from_source if name in model else None
