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

from collections.abc import Collection, Mapping
from typing import Optional

from estimator_ckpt.checkpoint import contents, formats, object_keys
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
    wanted = {}
    for name, said in roles.items():
        new = object_keys.GLOBAL_STEP if said.role is GLOBAL_STEP else _name(said)
        if new is not None and name in meaning.keys:
            wanted[meaning.keys[name]] = new
    return _with_names(meaning, wanted)


def after_unnamed(
    meaning: Contents, roles: Roles, full_names: Mapping[str, str]
) -> Contents:
    """The same contents, slots of variables that nobody named being called after these.

    Such variables are called by their paths. Their slots have full names that say
    nothing of whose they are, and that several can have: `Variable/Adam_2`,
    `Adam/m/Variable`. As they are called here, names tell: `w/Adam`, `Adam/m/w`.

    Args:
      meaning: what the keys mean by full names.
      roles: the roles of the variables, those that share a name by their paths.
      full_names: the full names by key.
    """
    paths = {
        object_keys.path_of(key) or key: key
        for shared in meaning.ambiguous.values()
        for key in shared
    }
    wanted = {}
    for name, said in roles.items():
        key = meaning.keys.get(name) or paths.get(name)
        if said.role is not SLOT or key is None or said.owner not in meaning.unnamed:
            continue
        owner_key = meaning.keys.get(said.owner or "")
        if owner_key is not None:
            new = _after_unnamed(
                said, full_names.get(key, ""), full_names.get(owner_key)
            )
            if new is not None:
                wanted[key] = new
    return _with_names(meaning, wanted)


def _after_unnamed(
    said: Decision, full_name: str, made_up: Optional[str]
) -> Optional[str]:
    """What a slot of a variable that nobody named is to be called; None for nothing.

    Args:
      said: what is decided of it.
      full_name: its full name.
      made_up: that of its variable, which TensorFlow made up.
    """
    if said.style == TF1 and said.slot:
        return f"{said.owner}/{said.slot}"
    steps = full_name.split("/")
    if not made_up or made_up not in steps:
        return None
    steps[steps.index(made_up)] = said.owner or ""
    return "/".join(steps)


def _with_names(meaning: Contents, wanted: Mapping[str, str]) -> Contents:
    """The same contents with new names, by key; those that are taken stay as they are.

    What a `dual` checkpoint has by such a name besides is an alias then.
    """
    by_name = {name for name, key in meaning.keys.items() if name == key}
    new_names = _not_taken(wanted, meaning, by_name)
    if not new_names:
        return meaning
    joined = by_name & set(new_names.values())
    called = {key: name for name, key in meaning.keys.items() if name not in joined}
    keys = {new_names.get(key, name): key for key, name in called.items()}
    ambiguous = _still_shared(meaning, new_names, keys)
    renamed = {called[key]: new for key, new in new_names.items() if key in called}
    aliases = {renamed.get(name, name): key for name, key in meaning.aliases.items()}
    aliases.update((name, name) for name in joined)
    has_name_keys = meaning.format.has_name_keys or contents.are_aliased(keys, aliases)
    return meaning._replace(
        format=formats.having(name_keys=has_name_keys, object_keys=True),
        keys=keys,
        aliases=aliases,
        slots=frozenset(renamed.get(name, name) for name in meaning.slots),
        global_step=renamed.get(meaning.global_step or "", meaning.global_step),
        ambiguous=ambiguous,
    )


def _not_taken(
    wanted: Mapping[str, str], meaning: Contents, by_name: Collection[str]
) -> dict[str, str]:
    """The new names, by key, that no other variable has; the first of two wins.

    Args:
      wanted: new names by key.
      meaning: what the keys mean.
      by_name: the variables that stand under their names, which may be joined.
    """
    taken = set(meaning.keys).difference(by_name)
    found: dict[str, str] = {}
    for key, new in wanted.items():
        if new not in taken and key not in by_name:
            taken.add(new)
            found[key] = new
    return found


def _still_shared(
    meaning: Contents, new_names: Mapping[str, str], keys: dict[str, str]
) -> dict[str, tuple[str, ...]]:
    """The names that several keys still claim; others go into `keys`."""
    found = {}
    for name, shared in meaning.ambiguous.items():
        left = tuple(key for key in shared if key not in new_names)
        keys.update((new_names[key], key) for key in shared if key in new_names)
        if len(left) == 1 and name not in keys:
            keys[name] = left[0]
        elif left:
            found[name] = left
    return found


def _name(said: Decision) -> Optional[str]:
    """What a slot or an average is to be called; None for what keeps its path."""
    if said.role not in (SLOT, AVERAGE) or said.owner is None or not said.slot:
        return None
    if said.style == TF1:
        return f"{said.owner}/{said.slot}"
    if said.style == LEGACY or not said.optimizer:
        return None
    return f"{said.optimizer}/{said.owner}/{said.slot}"
