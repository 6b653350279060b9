"""A checkpoint's variables under the keys of a live object, and its optimizer state."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

from estimator_ckpt.checkpoint import object_keys, optimizers, roles
from estimator_ckpt.checkpoint.opening import Checkpoint
from estimator_ckpt.keras import caveats, saved_state
from estimator_ckpt.keras.described import Described, Live, LiveOptimizer
from estimator_ckpt.keras.results import ConversionError, Result
from estimator_ckpt.keras.saved_state import State
from estimator_ckpt.keras.tensor_origins import Recipe
from estimator_ckpt.layouts.layout_rule import LayoutRule, LayoutRuleError
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.plans import Item, Verdict

#: Steps that optimizers took: of the only one, or by their paths in the object.
Iterations = Union[None, int, Mapping[str, int]]


def result(
    described: Described,
    checkpoint: Checkpoint,
    renames: AssignmentMap,
    rules: Sequence[LayoutRule],
    *,
    optimizer_state: bool,
    iterations: Iterations,
) -> Result:
    """What to write for an object, from a checkpoint in any format.

    Raises:
      As `convert_for`, but for variables that are missing or do not fit: these are in
      the result.
    """
    made = Result(checkpoint, described.called, described.graph.SerializeToString())
    renaming = renames.rename(
        dict.fromkeys(checkpoint), source=checkpoint.prefix, among_others=True
    )
    made.warnings += renaming.unused
    steps = steps_by_path(described, iterations)
    found = _by_rules(described, checkpoint, rules)
    old_names = renaming.sources
    for name, live in described.variables.items():
        if name not in found and old_names.get(name) is not None:
            found[name] = Recipe((old_names[name],))
        _add_variable(made, live, found.get(name))
    for live in described.fixed:
        if live.key != object_keys.SAVE_COUNTER_KEY:
            made.add_own(live, roles.MODEL)
    _add_counters(made, described)
    for optimizer in described.optimizers:
        if not optimizer_state:
            for live in optimizer.variables:
                made.add_own(live, roles.OPTIMIZER, "optimizer_state=False")
            continue
        owners = {
            source
            for owner in optimizer.trained
            if owner in found
            for source in found[owner].sources
        }
        if optimizer.trained and not owners:  # of which the result says so already
            _leave_out(made, optimizer)
            continue
        state = saved_state.find(
            checkpoint, optimizer, owners, renaming.sources, steps.get(optimizer.path)
        )
        _add_state(made, optimizer, state, found)
        assert state.steps is not None
        made.warnings += caveats.of(
            state, optimizer, state.steps, described.has_embeddings
        )
    if optimizer_state and described.optimizers:
        made.warnings += [f"{r.text}: {r.caveat}" for r in rules if r.caveat]
    return made


def steps_by_path(described: Described, given: Iterations) -> dict[str, int]:
    """The steps that a user says optimizers took, by their paths."""
    paths = [optimizer.path for optimizer in described.optimizers]
    if given is None:
        return {}
    if isinstance(given, int):
        return dict.fromkeys(paths, given)
    unknown = sorted(set(given) - set(paths))
    if unknown:
        raise ConversionError(
            f"iterations names {', '.join(map(repr, unknown))}: the optimizers of "
            f"{described.called} are {', '.join(map(repr, paths)) or 'none'}"
        )
    return dict(given)


def _by_rules(
    described: Described, checkpoint: Checkpoint, rules: Sequence[LayoutRule]
) -> dict[str, Recipe]:
    """How the variables are made that layout rules are about."""
    found: dict[str, Recipe] = {}
    for rule in rules:
        rule.check(checkpoint)
        require_targets(rule, described)
        given = [checkpoint[name].shape for name in rule.sources]
        wanted = [described.variables[name].shape for name in rule.targets]
        for name, use in zip(rule.targets, rule.uses(given, wanted)):
            found[name] = Recipe(rule.sources, use)
    return found


def require_targets(rule: LayoutRule, described: Described) -> None:
    """Raises LayoutRuleError if an object lacks what a rule is about."""
    absent = [name for name in rule.targets if name not in described.variables]
    if absent:
        raise LayoutRuleError(
            f"{rule.text}: {described.called} has no {', '.join(map(repr, absent))}; "
            f"it has {', '.join(map(repr, sorted(described.variables)))}"
        )


def _add_variable(made: Result, live: Live, recipe: Optional[Recipe]) -> None:
    """A variable of the model, or why it has no value."""
    here = live.as_variable(live.role)
    if recipe is None:
        made.items.append(Item(Verdict.MISSING, here, None, "no such variable"))
    else:
        there = made.source[recipe.sources[0]]
        if there.dtype != here.dtype:
            verdict, why = Verdict.DTYPE_MISMATCH, f"{there} there, {here.dtype} here"
        elif recipe.use is None and there.shape != here.shape:
            verdict, why = Verdict.SHAPE_MISMATCH, f"{there} there, {here} here"
        else:
            made.add(here, recipe)
            return
        made.items.append(Item(verdict, here, there, why))
    made.keep_own(live)


def _add_counters(made: Result, described: Described) -> None:
    """The global step, and as save_counter, so that no earlier file is saved over."""
    checkpoint = made.checkpoint
    name, step = checkpoint.contents.global_step, checkpoint.global_step
    if described.step is not None:
        here = described.step.as_variable(roles.GLOBAL_STEP)
        if name is not None and made.source[name].dtype == here.dtype:
            made.add(here, Recipe((name,)))
        else:
            made.add_counter(described.step, step)
    for live in described.fixed:
        if live.key == object_keys.SAVE_COUNTER_KEY:
            made.add_counter(live, step)


def _add_state(
    made: Result,
    optimizer: LiveOptimizer,
    state: State,
    model: Mapping[str, Recipe],
) -> None:
    """An optimizer's slots and its step counter."""
    checkpoint = made.checkpoint
    if state.steps is None:
        raise ConversionError(
            f"{checkpoint.prefix} says nowhere how many steps {optimizer.name} took: "
            f"say it (iterations=, --iterations)"
        )
    changes = state.changes(optimizer, state.steps)
    anew = set()
    for slot, by_owner in optimizer.slots.items():
        known = state.slots.get(slot, {})
        for owner, live in by_owner.items():
            recipe = _of_slot(model.get(owner), known, changes.get(slot))
            if recipe is None:
                made.add_own(live, roles.OPTIMIZER, "no such slot: it starts anew")
                anew.add(owner)
                continue
            _require_fit(checkpoint, recipe, live)
            made.add(live.as_variable(roles.OPTIMIZER), recipe)
    if anew and state.kind is not optimizers.SGD:
        listed = ", ".join(map(repr, sorted(anew)))
        made.warnings.append(
            f"{optimizer.name}: the source has no slots for {listed}: they start anew"
        )
    for owner, live in optimizer.averages.items():
        _add_average(made, live, model.get(owner))
    for live in optimizer.others:
        made.add_own(live, roles.OPTIMIZER)
    made.add_counter(optimizer.iterations, state.steps)


def _leave_out(made: Result, optimizer: LiveOptimizer) -> None:
    """An optimizer none of whose variables the source has."""
    for live in optimizer.variables:
        made.add_own(live, roles.OPTIMIZER, "the source lacks the variables it trains")


def _of_slot(
    recipe: Optional[Recipe], slots: Mapping[str, str], change: Any
) -> Optional[Recipe]:
    """How a slot is made, as its variable is; None if the source lacks it."""
    if recipe is None or not all(source in slots for source in recipe.sources):
        return None
    use = recipe.use and dataclasses.replace(recipe.use, is_slot=True)
    return Recipe(tuple(slots[source] for source in recipe.sources), use, change)


def _add_average(made: Result, live: Live, recipe: Optional[Recipe]) -> None:
    """An average of the optimizer's own: TF1's average, or the variable's value."""
    if recipe is None:
        made.add_own(live, roles.MODEL)
        return
    shadows = [f"{source}/ExponentialMovingAverage" for source in recipe.sources]
    if all(shadow in made.checkpoint for shadow in shadows):
        recipe = Recipe(tuple(shadows), recipe.use)
    made.add(live.as_variable(roles.MODEL), recipe)


def _require_fit(checkpoint: Checkpoint, recipe: Recipe, live: Live) -> None:
    """Raises ConversionError for a slot of another shape or dtype than its variable."""
    slot = checkpoint[recipe.sources[0]]
    shape = slot.shape if recipe.use is None else live.shape
    if (slot.dtype, shape) != (live.dtype, live.shape):
        raise ConversionError(
            f"{checkpoint.prefix}: the slot {slot.name!r} is {slot.dtype}"
            f"{list(slot.shape)} there, and {live.dtype}{list(live.shape)} here "
            f"({live.name!r})"
        )
