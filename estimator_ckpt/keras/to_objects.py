"""A checkpoint's variables under the keys of a live object, and its optimizer state."""

from __future__ import annotations

from collections.abc import Sequence

from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.keras import matching_names, object_plans
from estimator_ckpt.keras.object_plans import NewVariable, ObjectPlan
from estimator_ckpt.keras.object_requests import Request, steps_by_path
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import ObjectDescription, ObjectVariable
from estimator_ckpt.keras.optimizers import loss_scales, optimizer_variables
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
            found += optimizer_variables.kept(optimizer, "optimizer_state=False")
            continue
        variables, said = optimizer_variables.of(
            optimizer,
            source,
            model,
            steps.get(optimizer.path),
            description.has_embeddings,
        )
        found += variables
        warnings += said
    if request.optimizer_state:
        warnings += loss_scales.remarks(description, source)
    if request.optimizer_state and description.optimizers:
        warnings += [f"{r.text}: {r.caveat}" for r in request.rules if r.caveat]
    if request.strict:  # slots of a variable that fits, which do not
        object_plans.require_complete(found, source, description.called)
    return ObjectPlan(
        source, description.called, description.graph, tuple(found), tuple(warnings)
    )


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
