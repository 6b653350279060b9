"""Slots under the names of Keras that are no families of `slot_families`.

<P>/<V>_<X>          Keras 3, V's `/` being `_` (`adam/dense_kernel_momentum`)
<P>/Variable_<N>     Keras 2.2 (`training/SGD/Variable_3`)
<P>/_variables/<N>   paths of objects (`optimizer/_variables/3`), as
                     `names=path` gives them
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.evidence import known_names
from estimator_ckpt.checkpoint.evidence.name_sorting import (
    Scene,
    Sorted,
    last_of,
    number_of,
)
from estimator_ckpt.checkpoint.roles import (
    AVERAGE,
    KERAS,
    KERAS_3,
    LEGACY,
    LOSS_SCALE,
    OPTIMIZER,
    SLOT,
    TRAINABLE,
    Decision,
)

Found = dict[str, Decision]
_SLOT_STEP = f"/{object_keys.OPTIMIZER_SLOT}/"
_TRAINED = "_trainable_variables"


def decide_slot_paths(names: Sorted) -> Found:
    """What `<V>/.OPTIMIZER_SLOT/<P>/<X>` is: the path of a slot."""
    found: Found = {}
    for name in names.open:
        if _SLOT_STEP in name:
            owner, _, rest = name.partition(_SLOT_STEP)
            label, _, slot = rest.rpartition("/")
            evidence = f"a slot of the object {label!r}, by its path"
            found[name] = Decision(SLOT, evidence, owner, slot, LEGACY, label)
    return found


def decide_below(scene: Scene, names: Sorted) -> Found:
    """What is below the path of an optimizer: all is its own, but for what it trains.

    Keras 3 lists that there, too.
    """
    found: Found = {}
    scopes = _with_iterations(names)
    scopes.sort(key=len, reverse=True)  # a LossScaleOptimizer has another in it
    for name in names.open if scopes else ():
        scope = next((s for s in scopes if name.startswith(f"{s}/")), None)
        if scope is None:
            continue
        rest = name[len(scope) + 1 :]
        evidence = f"below {scope!r}, which has _iterations"
        if rest.startswith(f"{_TRAINED}/"):
            found[name] = Decision(TRAINABLE, f"{scope!r} lists what it trains")
        elif last_of(name) in known_names.LOSS_SCALE_WORDS:
            found[name] = Decision(LOSS_SCALE, evidence, optimizer=scope)
        elif scene.facts[name].is_scalar:
            found[name] = Decision(OPTIMIZER, evidence, optimizer=scope)
        else:
            found[name] = Decision(SLOT, evidence, None, rest, KERAS, scope)
    return found


def _with_iterations(names: Sorted) -> list[str]:
    """Paths that have `_iterations`, and something else that only optimizers have."""
    scopes = {scope for scope in names.counters if names.is_path(scope)}
    if not scopes:
        return []
    kept = {
        scope
        for scope in scopes
        for name in names.settings.get(scope, ())
        if last_of(name) in ("_learning_rate", "_current_learning_rate")
    }
    for name in names.open:
        for list_name in ("/_variables/", f"/{_TRAINED}/"):
            kept.update({name.partition(list_name)[0]} & scopes)
    kept.update(prefix for prefix, _ in (*names.suffixes, *names.infixes))
    return sorted(kept & scopes)


def decide_flat(scene: Scene, names: Sorted, decided: Mapping[str, Decision]) -> Found:
    """What `<P>/<V>_<X>` is in scopes of optimizers."""
    scopes = {
        scope: [name for name in children if name not in decided]
        for scope, children in _children(names).items()
        if names.is_optimizer_scope(scope)
    }
    if not any(scopes.values()):
        return {}
    flat: dict[str, list[str]] = {}
    for name in scene.facts:
        flat.setdefault(name.replace("/", "_"), []).append(name)
    found: Found = {}
    for scope, children in scopes.items():
        own = {*names.counters.get(scope, ()), *names.settings.get(scope, ())}
        owners = {
            name: _read_flat(scene, name, flat) for name in children if name not in own
        }
        if any(owners.values()):
            found.update(_of_keras_3(scene, scope, owners))
    return found


def _of_keras_3(scene: Scene, scope: str, owners: Mapping[str, Optional[str]]) -> Found:
    """What is in the scope of a Keras 3 optimizer, by its variable if that is known."""
    found: Found = {}
    trained = set(owners.values())  # a layer can be called as an optimizer is
    for name, owner in owners.items():
        if name in trained:
            continue
        slot = last_of(name)[len(owner) + 1 :] if owner else ""
        if owner and known_names.is_average(slot):
            evidence = f"named as the average of {owner}"
            found[name] = Decision(AVERAGE, evidence, owner, slot, KERAS_3, scope)
        elif owner or not scene.facts[name].is_scalar:
            evidence = f"in the scope {scope}, a Keras 3 optimizer's"
            found[name] = Decision(SLOT, evidence, owner, slot, KERAS_3, scope)
    return found


def decide_own_lists(
    scene: Scene, names: Sorted, decided: Mapping[str, Decision]
) -> Found:
    """What `<P>/<X>/<V>` is where no X is known: an optimizer of one's own since 2.11.

    Beside a step counter and a rate that are in no scope, as these have them, if all
    that is in the scope P has the shapes of variables that can be trained.
    """
    at_top = {*names.counters.get("", ()), *names.settings.get("", ())}
    has_rate = not at_top.isdisjoint({"learning_rate", "current_learning_rate"})
    if "iteration" not in at_top or not has_rate:
        return {}
    if any(said.style == KERAS for said in decided.values()):
        return {}
    inside: dict[str, list[str]] = {}
    for name in scene.facts:
        scope, slash, _ = name.partition("/")
        if slash:
            inside.setdefault(scope, []).append(name)
    found: Found = {}
    for scope, members in inside.items():
        owners = {name: name.split("/", 2)[-1] for name in members}
        if len(members) < 2 or not decided.keys().isdisjoint(members):
            continue
        if all(_can_be_slot(scene, names, *pair) for pair in owners.items()):
            evidence = (
                "P/X/V for all in the scope P, beside what Keras keeps at the top"
            )
            for name, owner in owners.items():
                slot = name.split("/")[1]
                found[name] = Decision(SLOT, evidence, owner, slot, KERAS, scope)
    return found


def _can_be_slot(scene: Scene, names: Sorted, name: str, owner: str) -> bool:
    """Whether `<P>/<X>/<V>` can be a slot of V: a variable in its shape."""
    return (
        owner in scene.facts
        and owner not in names.decisions
        and scene.is_same(name, owner)
        and name.count("/") >= 2
    )


def _children(names: Sorted) -> dict[str, list[str]]:
    """The open names directly in each scope that has a counter or a setting.

    Below a LossScaleOptimizer's they are those of the scope of the same last name:
    `loss_scale_optimizer/adam/dense_kernel_momentum` and `adam/iteration`.
    """
    children: dict[str, list[str]] = {
        scope: [] for scope in (*names.counters, *names.settings) if scope
    }
    for name in names.open if children else ():
        scope = name.rpartition("/")[0]
        if scope not in children and last_of(scope) in names.counters:
            scope = last_of(scope)
        if scope in children:
            children[scope].append(name)
    return children


def _read_flat(
    scene: Scene, name: str, flat: Mapping[str, Sequence[str]]
) -> Optional[str]:
    """The variable that a slot of Keras 3 is named after."""
    last = last_of(name)
    position = last.rfind("_")
    while position > 0:
        owners = flat.get(last[:position], ())
        fitting = [owner for owner in owners if scene.is_same(name, owner)]
        if len(fitting) == 1:
            return fitting[0]
        position = last.rfind("_", 0, position)
    return None


def decide_numbered(scene: Scene, names: Sorted) -> Found:
    """What `<P>/Variable_<N>` is beside `<class>/iterations`."""
    found: Found = {}
    for scope, children in names.numbered.items():
        counters = (names.counters.get(s, ()) for s in (scope, last_of(scope)))
        counter = next(
            (n for of in counters for n in of if last_of(n) == "iterations"), None
        )
        if counter is None:
            continue
        slots = sorted(children, key=lambda name: number_of(last_of(name)))
        owners = _owners_in_order(scene, names, slots)
        evidence = f"beside {counter!r}, as Keras 2.2 names its slots"
        label = counter.rpartition("/")[0]
        for name in slots:
            owner = owners.get(name)
            found[name] = Decision(SLOT, evidence, owner, last_of(name), LEGACY, label)
    return found


def _owners_in_order(
    scene: Scene, names: Sorted, slots: Sequence[str]
) -> dict[str, str]:
    """Whose slots these are: they come in the order of the trained variables.

    Empty if no order is known, or the shapes are others.
    """
    own = {*slots, *names.decisions}
    for of_scope in (names.counters, names.settings):
        own.update(*of_scope.values())
    trained = [
        name
        for name in scene.order
        if name in scene.facts
        and name not in own
        and scene.trainable.get(name) is not False
    ]
    if not trained or len(slots) % len(trained):
        return {}
    found = {name: trained[number % len(trained)] for number, name in enumerate(slots)}
    fits = all(
        scene.is_same(name, owner)
        or scene.facts[name].shape == (1,)  # of Adam, where amsgrad has no vhat
        for name, owner in found.items()
    )
    return found if fits else {}
