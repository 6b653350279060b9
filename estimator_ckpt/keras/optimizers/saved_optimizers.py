"""The optimizers whose state a checkpoint holds, as its variables' roles tell.

What belongs to one optimizer is told by `checkpoint.roles`; here it is put together:
the slots of each variable, the beta powers, the step counters.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from typing import Optional

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.optimizers import slot_names
from estimator_ckpt.keras.object_sources import Source

#: Where an optimizer puts gradients until their step comes.
_PENDING = frozenset({"accumulated_gradient", "gradient_accumulator"})


@dataclasses.dataclass(frozen=True)
class SavedOptimizer:
    """An optimizer's state in a checkpoint.

    Attributes:
      label: what `roles` calls it; None if nothing tells it from others.
      style: how its slots are named: roles.TF1, LEGACY, KERAS or KERAS_3.
      slots: names of slot variables by what they are called there, then by owner.
      scope: the class that its slots are named after, in lower case: `adamax`; None
        if they are named after none.
      has_pending: whether gradients were accumulated for a step to come.
    """

    label: Optional[str]
    style: str
    slots: Mapping[str, Mapping[str, str]]
    scope: Optional[str] = None
    has_pending: bool = False

    @property
    def owners(self) -> frozenset[str]:
        """The variables that have slots."""
        return frozenset(owner for by in self.slots.values() for owner in by)

    @property
    def names(self) -> list[str]:
        """The names of all slots."""
        return [name for by_owner in self.slots.values() for name in by_owner.values()]


def of(source: Source, owners: Collection[str]) -> list[SavedOptimizer]:
    """The optimizers that have slots for some variables, with the slots of these.

    Args:
      source: the checkpoint.
      owners: the source's names of the variables.
    """
    wanted = set(owners)
    found: dict[tuple[Optional[str], str], dict[str, dict[str, list[str]]]] = {}
    scopes: dict[tuple[Optional[str], str], set[str]] = {}
    for name, slot in source.roles.items():
        if slot.role is not roles.SLOT or slot.owner not in wanted:
            continue
        assert slot.owner is not None
        key = (slot.optimizer, slot.style or roles.TF1)
        by_owner = found.setdefault(key, {}).setdefault(slot.slot or "", {})
        by_owner.setdefault(slot.owner, []).append(name)
        scope = _scope(source.full_name(name))
        if scope is not None:
            scopes.setdefault(key, set()).add(scope)
    return [
        SavedOptimizer(
            label=label,
            style=style,
            slots=_one_each(_in_order(slots) if _is_numbered(slots) else slots),
            scope=next(iter(scopes.get((label, style), ())), None),
            has_pending=not _PENDING.isdisjoint(slots),
        )
        for (label, style), slots in found.items()
    ]


def _one_each(
    slots: Mapping[str, Mapping[str, list[str]]],
) -> dict[str, dict[str, str]]:
    """The slots that there is one of, of a name and a variable.

    Several are slots of the parts of a variable, which nothing puts together.
    """
    return {
        slot: {owner: names[0] for owner, names in by.items() if len(names) == 1}
        for slot, by in slots.items()
        if slot not in _PENDING
    }


def _is_numbered(slots: Collection[str]) -> bool:
    """Whether these are slots of Keras 2.2, which has no names for them."""
    return all(re.fullmatch(r"Variable(_\d+)?", slot) for slot in slots)


def _in_order(
    slots: Mapping[str, Mapping[str, list[str]]],
) -> dict[str, dict[str, list[str]]]:
    """Slots of Keras 2.2 by their places in its lists: `0`, `1`, ..."""
    of_owner: dict[str, list[tuple[int, str]]] = {}
    for slot, by_owner in slots.items():
        number = int(slot.partition("_")[2] or 0)
        for owner, names in by_owner.items():
            of_owner.setdefault(owner, []).extend((number, name) for name in names)
    found: dict[str, dict[str, list[str]]] = {}
    for owner, numbered in of_owner.items():
        for place, (_, name) in enumerate(sorted(numbered)):
            found.setdefault(str(place), {})[owner] = [name]
    return found


def _scope(full_name: str) -> Optional[str]:
    """The class of optimizers that a slot's full name begins with, in lower case.

    `training/Adam_1/dense/kernel/m` begins with that of Adam.
    """
    for step in full_name.split("/")[:-1]:
        name = re.sub(r"_\d+$", "", step).replace("_", "").lower()
        if name in slot_names.CLASSES:
            return name
    return None


def counters(source: Source, labels: Collection[Optional[str]]) -> dict[str, int]:
    """The step counters of optimizers, by name: their values.

    Args:
      source: the checkpoint.
      labels: of which optimizers; where none of these has one, those of all.
    """
    every = {
        name: said.optimizer
        for name, said in source.roles.items()
        if said.role is roles.OPTIMIZER and _is_counter(source, name)
    }
    own = [name for name, label in every.items() if label in labels]
    return {name: int(source.checkpoint.read(name)) for name in own or every}


def _is_counter(source: Source, name: str) -> bool:
    """Whether something that an optimizer keeps once counts its steps."""
    return _last(name) in slot_names.COUNTERS and not source.variables[name].shape


def _last(name: str) -> str:
    """The last part of a name, without the `:0` of a `Saver({v.name: v})`."""
    return name.rpartition("/")[2].removesuffix(":0")


def beta_powers(
    source: Source, labels: Collection[Optional[str]]
) -> dict[str, dict[str, float]]:
    """The beta powers of optimizers: values by name, by `beta1_power`, `beta2_power`.

    Args:
      source: the checkpoint.
      labels: of which optimizers; and those of which nobody knows whose they are.
    """
    found: dict[str, dict[str, float]] = {}
    for name, said in source.roles.items():
        last = _last(name)
        if said.role is not roles.OPTIMIZER or not slot_names.BETA_POWER.fullmatch(
            last
        ):
            continue
        if said.optimizer is None or said.optimizer in labels:
            value = float(source.checkpoint.read(name))
            found.setdefault(last[: len("beta1_power")], {})[name] = value
    return found
