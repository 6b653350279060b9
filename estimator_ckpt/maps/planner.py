"""Decides what becomes of each variable: the one place that does.

Each is decided alone, given what the source has for it; then beta powers and counters
go where their slots go, and averages that are not carried begin at their variables'
values.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Optional

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.optimizers import slot_names
from estimator_ckpt.checkpoint.roles import Role
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.choices import NOT_INCLUDED, Choice
from estimator_ckpt.maps.filters import Filter
from estimator_ckpt.maps.plans import Item, Plan, Verdict

if TYPE_CHECKING:
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
      renaming: what the choice's map makes of the source, where that is known; without
        a map every variable keeps its name.
      matched: the source's names of variables of the target that it has under others.

    Raises:
      AssignmentMapError: the map gives two variables one name.
    """
    if renaming is None and choice.assignment_map:
        renaming = choice.assignment_map.rename(
            source, source=source_name, among_others=True, owners=owners_of(source)
        )
    moved = None if renaming is None else renaming.sources
    decided = {}
    for name, variable in target.items():
        there = source.get(name) if moved is None else source.get(moved.get(name, ""))
        if there is None and name in matched:
            there = source.get(matched[name])
        decided[name] = decide(variable, there, choice, ambiguous)
    _take_counts_with_slots(decided, choice)
    _follow_carried_variables(decided, choice)
    taken = {item.source.name for item in decided.values() if item.source}
    left = [
        Item(Verdict.UNUSED, None, variable, _why_unused(name, renaming))
        for name, variable in source.items()
        if name not in taken
    ]
    unused = [*renaming.unused, *renaming.lost(target)] if renaming else []
    unused += choice.unused(target)
    if choice.overruling:
        unused += choice.overruling.unused({**source, **target})
    return Plan(source_name, target_name, (*decided.values(), *left), tuple(unused))


def of_checkpoint(checkpoint: Checkpoint) -> dict[str, Variable]:
    """The variables of a checkpoint."""
    return dict(checkpoint.items())


def undecided(
    source: Mapping[str, Variable], target: Mapping[str, Variable]
) -> Optional[str]:
    """One line on what could be an optimizer's on either side, None if nothing."""
    sides = source.values(), target.values()
    found = {v.name for variables in sides for v in variables if v.is_undecided}
    return roles.remark_on(sorted(found))


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
    because = f"from {source.key!r}, {_of_type(source.dtype, source.shape)}"
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


@functools.lru_cache(maxsize=1024)
def _of_type(dtype: str, shape: Optional[tuple[int, ...]]) -> str:
    """What a variable of this dtype and shape says of itself; most have few."""
    return str(Variable("", dtype, shape))


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
    counts = _of_role(decided, roles.OPTIMIZER)
    if not counts:
        return
    slots = {
        (target.optimizer, decided[name].verdict.is_carried)
        for name, target in _of_role(decided, roles.SLOT).items()
    }
    every = {optimizer for optimizer, _ in slots}
    carried = {optimizer for optimizer, is_carried in slots if is_carried}
    whatever_included = choice._replace(names=Filter(None, None))
    for name, target in counts.items():
        item, goes = decided[name], _goes_with_slots(name, target, every, carried)
        if goes and item.because == NOT_INCLUDED:
            decided[name] = decide(target, item.source, whatever_included, {})
        elif goes is False and item.verdict.is_carried:
            decided[name] = item._replace(
                verdict=Verdict.RESET, because="no slots carried"
            )


def _of_role(decided: Mapping[str, Item], role: Role) -> dict[str, Variable]:
    """The target's variables of a role."""
    return {
        name: item.target
        for name, item in decided.items()
        if item.target is not None and item.target.role is role
    }


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
    for name, average in _of_role(decided, roles.AVERAGE).items():
        if choice.names.excludes(name) or choice.reset.includes(name):
            continue
        begins_at = _carried_owner(average, decided)
        if begins_at is not None and not decided[name].verdict.is_carried:
            because = f"as its variable, from {begins_at.key!r}"
            decided[name] = Item(Verdict.CARRIED, average, begins_at, because)


def _carried_owner(
    average: Variable, decided: Mapping[str, Item]
) -> Optional[Variable]:
    """What an average that is not carried begins at: its variable's source, if any."""
    owner = decided.get(average.owner or "")
    if owner is None or owner.target is None or not owner.verdict.is_carried:
        return None
    return owner.source if owner.target.shape == average.shape else None


def _why_unused(name: str, renaming: Optional[Renaming]) -> str:
    if renaming is None:
        return "not in the target"
    if name in renaming.replaced:
        return "another variable takes its name"
    new = renaming.targets.get(name, (name,))
    if new != (name,):
        return f"there is no {' or '.join(map(repr, new))} in the target"
    return "not in the target"
