"""A checkpoint's variables under the keys of a live object, and its optimizer state."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Optional

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.optimizers import algorithms
from estimator_ckpt.checkpoint.optimizers.slot_changes import Change
from estimator_ckpt.keras import matching_names, object_plans
from estimator_ckpt.keras.object_plans import ConversionError, NewVariable, ObjectPlan
from estimator_ckpt.keras.object_requests import Iterations, Request
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import (
    ObjectDescription,
    ObjectVariable,
    OptimizerDescription,
)
from estimator_ckpt.keras.optimizers import caveats, loss_scales, optimizer_state
from estimator_ckpt.keras.optimizers.optimizer_state import State
from estimator_ckpt.keras.tensor_origins import FromSource
from estimator_ckpt.layouts.layout_rule import LayoutRule, LayoutRuleError


def plan(
    description: ObjectDescription, checkpoint: Checkpoint, request: Request
) -> ObjectPlan:
    """What to write for an object, from a checkpoint in any format.

    Raises:
      As `convert_for`.
    """
    source = Source.of(checkpoint, request.renames, request.names_by)
    steps = steps_by_path(description, request.iterations)
    model = _model_variables(description, source, request.rules)
    if request.strict:
        object_plans.require_complete(model.values(), source, description.called)
    found = [
        *model.values(),
        *map(object_plans.kept, description.fixed),
        *_counters(description, source),
    ]
    warnings = [*source.renaming.unused, *source.roles.remarks()]
    for optimizer in description.optimizers:
        if not request.optimizer_state:
            found += _as_it_is(optimizer, "optimizer_state=False")
            continue
        owners = {
            name
            for owner in optimizer.trained
            if (origin := _origin(model, owner)) is not None
            for name in origin.names
        }
        if optimizer.trained and not owners:  # of which the plan says so already
            found += _as_it_is(optimizer, "the source lacks the variables it trains")
            continue
        state = optimizer_state.find(
            source, optimizer, owners, steps.get(optimizer.path)
        )
        if state.steps is None:
            raise ConversionError(
                f"{source.prefix} says nowhere how many steps {optimizer.called} "
                f"took: say it (iterations=, --iterations)"
            )
        found += _optimizer_variables(optimizer, state, state.steps, model, source)
        warnings += [*state.remarks, *_slots_anew(optimizer, state, model)]
        warnings += caveats.of(
            state, optimizer, state.steps, description.has_embeddings
        )
    if request.optimizer_state:
        warnings += loss_scales.remarks(description, source)
    if request.optimizer_state and description.optimizers:
        warnings += [f"{r.text}: {r.caveat}" for r in request.rules if r.caveat]
    if request.strict:  # slots of a variable that fits, which do not
        object_plans.require_complete(found, source, description.called)
    return ObjectPlan(
        source, description.called, description.graph, tuple(found), tuple(warnings)
    )


def steps_by_path(description: ObjectDescription, given: Iterations) -> dict[str, int]:
    """The steps that a user says optimizers took, by their paths."""
    paths = [optimizer.path for optimizer in description.optimizers]
    if given is None:
        return {}
    if isinstance(given, int):
        return dict.fromkeys(paths, given)
    unknown = sorted(set(given) - set(paths))
    if unknown:
        raise ConversionError(
            f"iterations names {messages.quoted(unknown)}: the optimizers of "
            f"{description.called} are {messages.quoted(paths) or 'none'}"
        )
    return dict(given)


def _model_variables(
    description: ObjectDescription, source: Source, rules: Sequence[LayoutRule]
) -> dict[str, NewVariable]:
    """What becomes of the variables of the model, by name."""
    by_name = matching_names.matches(description, source)
    origins = {name: FromSource((old,)) for name, old in by_name.items()}
    origins.update(_by_rules(description, source.checkpoint, rules))
    return {
        name: object_plans.decided(variable, origins.get(name), source)
        for name, variable in description.variables.items()
    }


def _by_rules(
    description: ObjectDescription, checkpoint: Checkpoint, rules: Sequence[LayoutRule]
) -> dict[str, FromSource]:
    """Where the variables come from that layout rules are about, by name."""
    found: dict[str, FromSource] = {}
    for rule in rules:
        rule.check(checkpoint)
        require_targets(rule, description)
        given = [checkpoint[name].shape for name in rule.sources]
        wanted = [shape_of(description.variables[name]) for name in rule.targets]
        for name, use in zip(rule.targets, rule.uses(given, wanted)):
            found[name] = FromSource(rule.sources, use)
    return found


def require_targets(rule: LayoutRule, description: ObjectDescription) -> None:
    """Raises LayoutRuleError if an object lacks what a rule is about."""
    absent = [name for name in rule.targets if name not in description.variables]
    if absent:
        raise LayoutRuleError(
            f"{rule.text}: {description.called} has no "
            f"{', '.join(map(repr, absent))}; it has "
            f"{', '.join(map(repr, sorted(description.variables)))}"
        )


def shape_of(variable: ObjectVariable) -> tuple[int, ...]:
    """The shape of an object's variable, which is known."""
    assert variable.variable.shape is not None
    return variable.variable.shape


def _origin(model: Mapping[str, NewVariable], name: str) -> Optional[FromSource]:
    """What of the source a variable of the model is made of, None if of nothing."""
    return model[name].from_source if name in model else None


def _counters(description: ObjectDescription, source: Source) -> list[NewVariable]:
    """The global step, and as save_counter, so that no earlier file is saved over."""
    checkpoint = source.checkpoint
    found = []
    if description.step is not None:
        name = checkpoint.contents.global_step
        there = None if name is None else source.variables[name]
        if there is not None and there.dtype == description.step.variable.dtype:
            origin = FromSource((there.name,))
            found.append(object_plans.decided(description.step, origin, source))
        else:
            found.append(object_plans.counted(description.step, checkpoint.global_step))
    if description.save_counter is not None:
        found.append(
            object_plans.counted(description.save_counter, checkpoint.global_step)
        )
    return found


def _as_it_is(optimizer: OptimizerDescription, because: str) -> list[NewVariable]:
    """An optimizer that keeps all of its values."""
    return [object_plans.kept(variable, because) for variable in optimizer.variables]


def _optimizer_variables(
    optimizer: OptimizerDescription,
    state: State,
    steps: int,
    model: Mapping[str, NewVariable],
    source: Source,
) -> list[NewVariable]:
    """An optimizer's step counter, slots and averages."""
    changes = state.changes(optimizer, steps)
    found = [object_plans.counted(optimizer.iterations, steps)]
    for slot, by_owner in optimizer.slots.items():
        for owner, variable in by_owner.items():
            found.append(
                _slot(
                    variable,
                    _origin(model, owner),
                    state.slots.get(slot, {}),
                    changes.get(slot),
                    source,
                )
            )
    for owner, variable in optimizer.averages.items():
        found.append(_average(variable, _origin(model, owner), source))
    if optimizer.loss_scale is not None:
        found += loss_scales.carried(optimizer.loss_scale, source)
    own = [*optimizer.others, *filter(None, [optimizer.rate])]
    return [*found, *map(object_plans.kept, own)]


def _slot(
    variable: ObjectVariable,
    owner: Optional[FromSource],
    slots: Mapping[str, str],
    change: Optional[Change],
    source: Source,
) -> NewVariable:
    """A slot, which is made as its variable is.

    Args:
      variable: the slot.
      owner: what of the source its variable is made of; None if of nothing.
      slots: the source's slots of this sort, by their variable's name there.
      change: what becomes of its numbers.
      source: the source.
    """
    if owner is None:
        return object_plans.kept(variable, "its variable keeps its own value")
    if not all(name in slots for name in owner.names):
        return object_plans.kept(variable, "no such slot: it starts anew")
    use = owner.use and dataclasses.replace(owner.use, is_slot=True)
    origin = FromSource(tuple(slots[name] for name in owner.names), use, change)
    made = object_plans.decided(variable, origin, source)
    if made.item.verdict.is_problem:
        there = origin.variable(source.variables)
        because = (
            f"the slot {there.name!r} is {there} there, and {variable.variable} here"
        )
        return dataclasses.replace(
            made, item=dataclasses.replace(made.item, because=because)
        )
    return made


def _slots_anew(
    optimizer: OptimizerDescription, state: State, model: Mapping[str, NewVariable]
) -> list[str]:
    """A warning if the source has no slots for some variables that it has."""
    if state.algorithm is algorithms.SGD:
        return []
    anew = {
        owner
        for slot, by_owner in optimizer.slots.items()
        for owner in by_owner
        if (origin := _origin(model, owner)) is not None
        and not all(name in state.slots.get(slot, {}) for name in origin.names)
    }
    if not anew:
        return []
    listed = messages.quoted(sorted(anew))
    return [
        f"{optimizer.called}: the source has no slots for {listed}: they start anew"
    ]


def _average(
    variable: ObjectVariable, owner: Optional[FromSource], source: Source
) -> NewVariable:
    """An average of the optimizer's own: the source's, or its variable's value."""
    if owner is None:
        return object_plans.kept(variable, "its variable keeps its own value")
    averages = [source.average_of(name) for name in owner.names]
    if None not in averages:
        owner = FromSource(tuple(filter(None, averages)), owner.use)
    return object_plans.decided(variable, owner, source)
