"""Decides what becomes of each variable: the one place that does.

Each is decided alone, given what the source has for it; then beta powers and counters
go where their slots go, and averages that are not carried begin at their variables'
values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Optional

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.optimizers import slot_names
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.choices import NOT_INCLUDED, Choice
from estimator_ckpt.maps.filters import Filter
from estimator_ckpt.maps.plans import Item, Plan, Verdict
from estimator_ckpt.maps.renaming import Renaming


def make(
    source: Mapping[str, Variable],
    target: Mapping[str, Variable],
    choice: Choice,
    *,
    source_name: str,
    target_name: str,
    ambiguous: Mapping[str, tuple[str, ...]] = {},
    renaming: Optional[Renaming] = None,
    matched: Mapping[str, str] = {},
) -> Plan:
    """Decides what becomes of each variable.

    Args:
      source: the source's variables by name.
      target: the target's.
      choice: which are to be carried.
      source_name: what to call the source.
      target_name: what to call the target.
      ambiguous: keys by the name that more than one variable of the source claims.
      renaming: what the choice's map makes of the source, where that is known.
      matched: the source's names of variables of the target that it has under others.

    Raises:
      AssignmentMapError: the map gives two variables one name.
    """
    if renaming is None:
        renaming = choice.assignment_map.rename(
            source, source=source_name, among_others=True, owners=owners_of(source)
        )
    old_names = {**matched, **renaming.sources}
    decided = {
        name: decide(variable, source.get(old_names.get(name, "")), choice, ambiguous)
        for name, variable in target.items()
    }
    _take_counts_with_slots(decided, choice)
    _follow_carried_variables(decided, choice)
    taken = {item.source.name for item in decided.values() if item.source}
    left = [
        Item(Verdict.UNUSED, None, variable, _why_unused(name, renaming))
        for name, variable in source.items()
        if name not in taken
    ]
    unused = (
        *renaming.unused,
        *renaming.lost(target),
        *choice.unused(target),
        *choice.overruling.unused({**source, **target}),
    )
    return Plan(source_name, target_name, (*decided.values(), *left), unused)


def of_checkpoint(checkpoint: Checkpoint) -> dict[str, Variable]:
    """The variables of a checkpoint."""
    return dict(checkpoint.items())


def undecided(
    source: Mapping[str, Variable], target: Mapping[str, Variable]
) -> Optional[str]:
    """One line on what could be an optimizer's on either side, None if nothing."""
    every = (*source.values(), *target.values())
    return roles.remark_on(sorted({v.name for v in every if v.is_undecided}))


def owners_of(variables: Mapping[str, Variable]) -> dict[str, str]:
    """The variable that each slot and each average belongs to, where known."""
    return {
        name: variable.owner
        for name, variable in variables.items()
        if variable.owner is not None
    }


def decide(
    target: Variable,
    source: Optional[Variable],
    choice: Choice,
    ambiguous: Mapping[str, tuple[str, ...]] = {},
) -> Item:
    """What becomes of one variable, given what the source has for it.

    Args:
      target: the variable.
      source: what it would get; None if there is nothing.
      choice: what is to be carried.
      ambiguous: keys by the name that more than one variable of the source claims.
    """
    left_out = choice.leaves_out(target)
    if left_out:
        return Item(Verdict.RESET, target, source, left_out)
    if target.name in ambiguous:
        keys = ", ".join(ambiguous[target.name])
        because = f"several variables have this full name there: {keys}"
        return Item(Verdict.MISSING, target, None, because)
    if source is None and target.role in roles.LEFT_BEHIND:
        because = f"not in the source: {str(target.role).replace('_', ' ')}"
        return Item(Verdict.RESET, target, None, because)
    if source is None:
        return Item(Verdict.MISSING, target, None, "no such variable")
    because = f"from {source.key!r}, {source}"
    if source.dtype != target.dtype:
        if not choice.cast and not source.counts_with(target):
            because = f"{source} there, {target.dtype} here"
            return Item(Verdict.DTYPE_MISMATCH, target, source, because)
        because += f", cast to {target.dtype}"
    if _follows_vocabulary(source, target, choice):
        because += ", its rows after the vocabulary"
    elif target.shape is not None and source.shape != target.shape:
        if not _can_resize(source, target, choice):
            because = f"{source} there, {target} here"
            return Item(Verdict.SHAPE_MISMATCH, target, source, because)
        because += f", what fits of it into {list(target.shape)}"
    renamed = source.name != target.name
    return Item(
        Verdict.RENAMED if renamed else Verdict.CARRIED, target, source, because
    )


def _follows_vocabulary(source: Variable, target: Variable, choice: Choice) -> bool:
    """Whether two shapes differ at most along the axis of a vocabulary."""
    axis = choice.vocabularies.get(target.name)
    if axis is None or source.shape is None or target.shape is None:
        return False
    return len(source.shape) == len(target.shape) and all(
        a == b for i, (a, b) in enumerate(zip(source.shape, target.shape)) if i != axis
    )


def _can_resize(source: Variable, target: Variable, choice: Choice) -> bool:
    if source.shape is None or target.shape is None:
        return False
    return len(source.shape) == len(target.shape) and choice.resize.includes(
        target.name
    )


def _take_counts_with_slots(decided: dict[str, Item], choice: Choice) -> None:
    """Beta powers and step counters go where the slots of their optimizer go.

    Either without the other would scale the first steps wrongly.
    """
    slots = [
        (item.target.optimizer, item.verdict.is_carried)
        for item in decided.values()
        if item.target is not None and item.target.role is roles.SLOT
    ]
    every = {optimizer for optimizer, _ in slots}
    carried = {optimizer for optimizer, is_carried in slots if is_carried}
    whatever_included = dataclasses.replace(choice, names=Filter(None, None))
    for name, item in decided.items():
        if item.target is None:
            continue
        goes = _goes_with_slots(name, item.target, every, carried)
        if goes and item.because == NOT_INCLUDED:
            decided[name] = decide(item.target, item.source, whatever_included, {})
        elif goes is False and item.verdict.is_carried:
            decided[name] = dataclasses.replace(
                item, verdict=Verdict.RESET, because="no slots carried"
            )


def _goes_with_slots(
    name: str,
    variable: Variable,
    every: Collection[Optional[str]],
    carried: Collection[Optional[str]],
) -> Optional[bool]:
    """Whether a count of steps is carried as slots are; None if slots say nothing.

    Where nobody knows whose a beta power is, slots of any optimizer count.

    Args:
      name: the variable's name.
      variable: the variable.
      every: the optimizers that have slots.
      carried: those of which slots are carried.
    """
    if variable.role is not roles.OPTIMIZER or not slot_names.counts_steps(name):
        return None
    if variable.optimizer in every:
        return variable.optimizer in carried
    return bool(carried) if slot_names.is_beta_power(name) else None


def _follow_carried_variables(decided: dict[str, Item], choice: Choice) -> None:
    """An average that is not carried itself begins at its variable's carried value."""
    if choice.carry is None:
        return
    for name, item in decided.items():
        if choice.names.excludes(name) or choice.reset.includes(name):
            continue
        begins_at = _carried_owner(item, decided)
        if begins_at is not None:
            because = f"as its variable, from {begins_at.key!r}"
            decided[name] = Item(Verdict.CARRIED, item.target, begins_at, because)


def _carried_owner(item: Item, decided: Mapping[str, Item]) -> Optional[Variable]:
    """What an average that is not carried begins at: its variable's source, if any."""
    average = item.target
    if average is None or average.role is not roles.AVERAGE or item.verdict.is_carried:
        return None
    owner = decided.get(average.owner or "")
    if owner is None or owner.target is None or not owner.verdict.is_carried:
        return None
    return owner.source if owner.target.shape == average.shape else None


def _why_unused(name: str, renaming: Renaming) -> str:
    if name in renaming.replaced:
        return "another variable takes its name"
    new = renaming.targets.get(name, (name,))
    if new != (name,):
        return f"there is no {' or '.join(map(repr, new))} in the target"
    return "not in the target"
