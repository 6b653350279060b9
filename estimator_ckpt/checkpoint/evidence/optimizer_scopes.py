"""What optimizers keep once: counters and settings, and whose each beta power is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Optional

from estimator_ckpt.checkpoint.evidence.name_sorting import (
    Scene,
    Sorted,
    class_of,
    last_of,
)
from estimator_ckpt.checkpoint.optimizers import algorithms, slot_names
from estimator_ckpt.checkpoint.roles import (
    KERAS,
    LEGACY,
    OPTIMIZER,
    SLOT,
    TF1,
    Decision,
)

Found = dict[str, Decision]


def decide_settings(names: Sorted, decided: Mapping[str, Decision]) -> Found:
    """Which counters and settings are an optimizer's: those in the scope of one."""
    found: Found = {}
    styles = _styles(decided)
    new = next((label for label, style in styles.items() if style == KERAS), None)
    for scope in {*names.counters, *names.settings}:
        settings = names.settings.get(scope, ())
        kept = [*names.counters.get(scope, ()), *settings]
        label: Optional[str] = scope
        if scope and _is_optimizers(names, scope, kept, styles):
            evidence = f"in the scope {scope}, an optimizer's"
        elif not scope and new is not None:
            evidence = "named as Keras names it, beside slots of its optimizer"
            kept, label = _called(_AT_TOP, kept), new
        elif scope in {of for of, _ in names.powers}:
            evidence = "named as a learning rate, beside beta powers"
            kept, label = _called(_RATES, settings), _only_label(decided, scope)
        else:
            continue
        for name in kept:
            found[name] = Decision(OPTIMIZER, evidence, optimizer=label)
    return found


def _called(words: Collection[str], names: Iterable[str]) -> list[str]:
    return [name for name in names if last_of(name) in words]


def _styles(decided: Mapping[str, Decision]) -> dict[str, Optional[str]]:
    """The optimizers that have slots, each with how these are named."""
    return {
        said.optimizer: said.style
        for said in decided.values()
        if said.role is SLOT and said.optimizer is not None
    }


def _is_optimizers(
    names: Sorted, scope: str, kept: list[str], styles: Mapping[str, Optional[str]]
) -> bool:
    """Whether a scope is an optimizer's: by its slots, its name or what it keeps."""
    has_slots = styles.get(scope, TF1) != TF1
    return has_slots or _is_keras(scope, kept) or _is_legacy(names, scope)


def decide_scalars(
    scene: Scene, names: Sorted, decided: Mapping[str, Decision]
) -> Found:
    """Settings of names of their own, in scopes of Keras optimizers."""
    scopes = {
        said.optimizer
        for said in decided.values()
        if said.role is SLOT and said.style in (LEGACY, KERAS) and said.optimizer
    }
    scopes &= {*names.counters}
    found: Found = {}
    for name in names.open if scopes else ():
        scope = name.rpartition("/")[0]
        if scope in scopes and scene.facts[name].shape == () and name not in decided:
            evidence = f"in the scope {scope}, an optimizer's"
            found[name] = Decision(OPTIMIZER, evidence, optimizer=scope)
    return found


def _is_legacy(names: Sorted, scope: str) -> bool:
    """Whether a scope keeps what a legacy Keras optimizer does, and nothing else."""
    kept = {*names.counters.get(scope, ()), *names.settings.get(scope, ())}
    if not {"iter", "decay", "learning_rate"} <= {last_of(name) for name in kept}:
        return False
    return all(name in kept for name in names.open if name.startswith(f"{scope}/"))


#: What Keras optimizers since 2.11 keep in no scope.
_AT_TOP = frozenset({"iteration", "learning_rate", "current_learning_rate"})
_RATES = frozenset({"learning_rate", "lr"})


def _is_keras(scope: str, kept: list[str]) -> bool:
    """Whether a scope is called as an optimizer, and keeps what one keeps.

    What Keras on TensorFlow 1 puts around a tf1 optimizer keeps nothing but a counter.
    """
    called = class_of(scope)
    return called == "tfoptimizer" or (called in slot_names.CLASSES and len(kept) > 1)


def decide_powers(
    scene: Scene, names: Sorted, decided: Mapping[str, Decision]
) -> Found:
    """Whose each beta power is, where that is known; and slots told apart by it."""
    found: Found = {}
    blocks = _blocks(scene, names, decided)
    labels = [decided[slots[0]].optimizer for slots in blocks.values()]
    for key, powers in names.powers.items():
        slots = blocks.get(key, ())
        label = decided[slots[0]].optimizer if slots else None
        if labels.count(label) > 1:  # two optimizers of one name
            label = f"{label} ({powers[0]})"
            for name in slots:
                found[name] = decided[name]._replace(optimizer=label)
        if label is None:
            label = _power_label(key, names, decided)
        for name in powers:
            found[name] = Decision(OPTIMIZER, "named beta power", optimizer=label)
    return found


def _blocks(
    scene: Scene, names: Sorted, decided: Mapping[str, Decision]
) -> dict[tuple[str, int], list[str]]:
    """The slots that a graph made next after each power, those of one name.

    An optimizer makes its powers first, then its slots. So where several optimizers
    have one name, the order in which a graph made them tells them apart.
    """
    blocks: dict[tuple[str, int], list[str]] = {}
    if len(names.powers) < 2:
        return blocks
    key_of = {name: key for key, powers in names.powers.items() for name in powers}
    current: Optional[tuple[str, int]] = None
    for name in scene.order:
        if name in key_of:
            current = key_of[name]
            continue
        said = decided.get(name)
        if current is None or said is None or (said.role, said.style) != (SLOT, TF1):
            continue
        block = blocks.setdefault(current, [])
        if not block or decided[block[0]].optimizer == said.optimizer:
            block.append(name)
    return blocks


def _power_label(
    key: tuple[str, int], names: Sorted, decided: Mapping[str, Decision]
) -> Optional[str]:
    """The only optimizer that a power can belong to, None if there are several."""
    scope, _ = key
    if sum(other == scope for other, _ in names.powers) == 1:
        label = _only_label(decided, scope)
        if label is not None:
            return label
    return _only_label(decided, None) if len(names.powers) == 1 else None


def _only_label(decided: Mapping[str, Decision], scope: Optional[str]) -> Optional[str]:
    """The only optimizer of tf1 with powers in a scope (None: in any), by its slots."""
    labels = {
        said.optimizer
        for said in decided.values()
        if said.role is SLOT
        and said.style == TF1
        and said.optimizer is not None
        and last_of(said.optimizer) not in algorithms.WITHOUT_POWERS
        and (scope is None or said.optimizer.rpartition("/")[0] == scope)
    }
    return labels.pop() if len(labels) == 1 else None
