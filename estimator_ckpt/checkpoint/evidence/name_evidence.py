"""What names, shapes and siblings say of a variable's role.

An optimizer names its variables after those that it trains, and gives them the same
shapes, so its state stands in families; one in a scope of its own has a step counter,
settings or beta powers there. What a collection says is trained is no optimizer's,
whatever it is called.
"""

from __future__ import annotations

from collections.abc import Mapping

from estimator_ckpt.checkpoint.evidence import (
    keras_naming,
    optimizer_scopes,
    slot_families,
)
from estimator_ckpt.checkpoint.evidence.name_sorting import (
    Scene,
    Sorted,
    last_of,
    sort,
)
from estimator_ckpt.checkpoint.optimizers import algorithms, slot_names
from estimator_ckpt.checkpoint.roles import OPTIMIZER, SLOT, TF1, Decision

#: The evidence for what a user says is optimizer state.
FORCED = "optimizer_state says so"
#: Settings whose names models use for their own.
_DOUBTFUL = slot_names.SETTINGS - {"Variable", "variable", "ratio", "epsilon"}


def decide(scene: Scene) -> dict[str, Decision]:
    """What is said by name; nothing of the names that it leaves open."""
    names = sort(scene)
    decided = names.decisions
    for found in (
        keras_naming.decide_slot_paths(names),
        keras_naming.decide_numbered(scene, names),
        slot_families.decide(scene, names),
        keras_naming.decide_below(scene, names),
    ):
        decided = _first(decided, found)
    decided = _first(decided, keras_naming.decide_flat(scene, names, decided))
    decided = _first(decided, keras_naming.decide_own_lists(scene, names, decided))
    decided = _first(decided, optimizer_scopes.decide_settings(names, decided))
    decided = _first(decided, optimizer_scopes.decide_scalars(scene, names, decided))
    decided = _first(optimizer_scopes.decide_powers(scene, names, decided), decided)
    decided = _first(decided, _forced(scene, names, decided))
    return _first(decided, _doubtful(scene, names, decided))


def _first(
    found: dict[str, Decision], other: dict[str, Decision]
) -> dict[str, Decision]:
    """Both, where one name is in both the first's. Most find nothing."""
    return {**other, **found} if found and other else found or other


def _forced(
    scene: Scene, names: Sorted, decided: Mapping[str, Decision]
) -> dict[str, Decision]:
    """What a user says is optimizer state; whose it is if anything tells."""
    found = {
        name: Decision(OPTIMIZER, FORCED)
        for name in sorted(scene.forced)
        if name not in decided
    }
    for families in (names.suffixes, names.infixes) if found else ():
        for members in families.values():
            for name, owner in members:
                if name in found:
                    slot = last_of(name)
                    found[name] = Decision(SLOT, FORCED, owner, slot, TF1)
    return found


def _doubtful(
    scene: Scene, names: Sorted, decided: Mapping[str, Decision]
) -> dict[str, Decision]:
    """What is named or placed as an optimizer's, and nothing else says that it is."""
    found = slot_families.doubtful(scene, names, decided)
    # What has slots is a weight.
    trained = {said.owner for said in decided.values() if said.role is SLOT}
    why = "named as an optimizer's, in no optimizer's scope"
    for of_scope in (*names.settings.values(), *names.counters.values()):
        for name in of_scope:
            is_doubtful = last_of(name) in _DOUBTFUL | slot_names.COUNTERS
            if is_doubtful and name not in decided and name not in trained:
                found[name] = slot_families.undecided(why)
    why = "named as a slot, but its variable is not there"
    for name in names.open:
        if name in decided or name in found or "/" not in name:
            continue
        if names.bases[last_of(name)] in algorithms.TF1_SLOTS:
            found[name] = slot_families.undecided(why)
    return found
