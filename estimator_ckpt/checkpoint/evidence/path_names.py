"""Names by paths that still say whose slots and averages are.

The path of a slot is often a number (`optimizer/_variables/3`), and that of an average
whatever holds it. A checkpoint by names has no object graph to tell, so where variables
are called by their paths (`names=path`), these are called after their variable:

    w/Adam_1                    where TensorFlow 1 has a name for it
    w/ExponentialMovingAverage
    optimizer/w/velocity        all others, by the path of their optimizer

Slots with a path of their own (`w/.OPTIMIZER_SLOT/optimizer/m`) keep it; the global
step gets the one name that TensorFlow 1 looks for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Optional

from estimator_ckpt.checkpoint import formats, object_keys
from estimator_ckpt.checkpoint.contents import Contents
from estimator_ckpt.checkpoint.roles import (
    AVERAGE,
    GLOBAL_STEP,
    LEGACY,
    SLOT,
    TF1,
    Decision,
    Roles,
)


def after_owners(meaning: Contents, roles: Roles) -> Contents:
    """The same contents, slots and averages being called after their variables."""
    new_names: dict[str, str] = {}
    # A `dual` checkpoint has the name that is given here as a key of its own.
    by_name = {name for name, key in meaning.keys.items() if name == key}
    taken = set(meaning.keys) - by_name
    for name, said in roles.items():
        new = object_keys.GLOBAL_STEP if said.role is GLOBAL_STEP else _name(said)
        if new is not None and new not in taken and name not in by_name:
            taken.add(new)
            new_names[name] = new
    if not new_names:
        return meaning
    joined = by_name & set(new_names.values())
    keys = _renamed(
        {name: key for name, key in meaning.keys.items() if name not in joined},
        new_names,
    )
    aliases = {**_renamed(meaning.aliases, new_names), **{n: n for n in joined}}
    is_dual = bool(keys) and set(keys) == set(aliases)
    return dataclasses.replace(
        meaning,
        format=formats.having(
            name_keys=meaning.format.has_name_keys or is_dual, object_keys=True
        ),
        keys=keys,
        aliases=aliases,
        slots=frozenset(new_names.get(name, name) for name in meaning.slots),
        global_step=new_names.get(meaning.global_step or "", meaning.global_step),
    )


def _name(said: Decision) -> Optional[str]:
    """What a slot or an average is to be called; None for what keeps its path."""
    if said.role not in (SLOT, AVERAGE) or said.owner is None or not said.slot:
        return None
    if said.style == TF1:
        return f"{said.owner}/{said.slot}"
    if said.style == LEGACY or not said.optimizer:
        return None
    return f"{said.optimizer}/{said.owner}/{said.slot}"


def _renamed(keys: Mapping[str, str], new_names: Mapping[str, str]) -> dict[str, str]:
    return {new_names.get(name, name): key for name, key in keys.items()}
