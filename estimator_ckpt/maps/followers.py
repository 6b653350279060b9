"""Slots and averages, which follow the variable that they belong to.

`dense/kernel/Adam` becomes `head/kernel/Adam` where `dense/kernel` becomes
`head/kernel`, unless a rule is about the slot itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Optional

from estimator_ckpt.maps.rules_by_subject import Move, Named


def renamed_owner(
    name: str, owners: Mapping[str, str], named: Mapping[str, Named]
) -> str:
    """The variable with a rule that `name` is a slot or an average of; `` if none.

    Of a slot of an average that is the averaged variable.
    """
    seen = {name}
    while True:
        of = owners.get(name)
        if of is None or of in seen or of not in named:
            return ""
        if named[of].moves:
            return of
        name = of
        seen.add(of)


def comes_too_late(found: Named, owner: Optional[Named]) -> bool:
    """Whether a rule for a scope comes after that of the variable it belongs to."""
    if owner is None or owner.place is None or found.place is None:
        return False
    return found.is_scope and owner.place < found.place


def following(name: str, owner: str, named: Mapping[str, Named]) -> list[Move]:
    """The new names of a slot or an average: one for each of its variable's."""
    if not owner:
        return [Move(name, name)]
    return [Move(name, _after(name, owner, move.new)) for move in named[owner].moves]


def _after(name: str, owner: str, new: str) -> str:
    """A slot's or an average's name, once its variable is called otherwise.

    Unchanged if it does not say which variable it belongs to (`Variable_3`).
    """
    if name.endswith(":0") and owner.endswith(":0"):  # as Saver({v.name: v}) has it
        return f"{_after(name[:-2], owner[:-2], re.sub(':0$', '', new))}:0"
    before, found, after = f"/{name}/".rpartition(f"/{owner}/")
    if found:
        return f"{before}/{new}/{after}".strip("/")
    if name.startswith(f"{owner}_"):  # of Mesh-TensorFlow: kernel_slot_v
        return f"{new}{name[len(owner) :]}"
    scope, slash, last = name.rpartition("/")
    flat = owner.replace("/", "_")
    if last.startswith(f"{flat}_"):  # of Keras 3: adam/dense_kernel_momentum
        return f"{scope}{slash}{new.replace('/', '_')}{last[len(flat) :]}"
    return name
