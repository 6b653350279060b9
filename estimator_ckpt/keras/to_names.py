"""Back from an object's checkpoint to a tf1 Saver's, slots and powers included."""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint import messages, object_keys, roles
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.optimizers import algorithms, optimizer_steps, slot_names
from estimator_ckpt.checkpoint.optimizers.algorithms import Algorithm
from estimator_ckpt.checkpoint.optimizers.slot_changes import Change
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.keras import object_plans
from estimator_ckpt.keras.object_plans import ConversionError, NewVariable, ObjectPlan
from estimator_ckpt.keras.object_requests import Request
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import (
    ObjectDescription,
    ObjectVariable,
    OptimizerDescription,
)
from estimator_ckpt.keras.optimizers import (
    beta_powers,
    caveats,
    loss_scales,
    optimizer_state,
)
from estimator_ckpt.keras.optimizers.optimizer_state import OptimizerStateError
from estimator_ckpt.keras.tensor_origins import FromSource
from estimator_ckpt.keras.to_objects import require_targets, shape_of, steps_by_path
from estimator_ckpt.layouts.layout_rule import LayoutRule
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.plans import Item, Verdict


@dataclasses.dataclass(frozen=True)
class _Named:
    """A variable of the result, by its tf1 name before an assignment map renames it."""

    name: str
    role: roles.Role
    origin: FromSource


#: What TensorFlow 1 calls the average of a variable, below it.
_AVERAGE = "ExponentialMovingAverage"


def plan(
    description: ObjectDescription, checkpoint: Checkpoint, request: Request
) -> ObjectPlan:
    """What to write for a tf1 Saver, from a checkpoint that an object wrote.

    Args:
      description: the object; it says which key is which variable and which slot.
      checkpoint: its checkpoint, opened by paths.
      request: the map in it goes from the object's names to those of tf1; slots
        follow, by tf1's names. Iterations stand for the checkpoint's own counters.

    Raises:
      As `convert_for`.
    """
    source = Source.of(checkpoint, AssignmentMap())
    _require_written_by(description, source, request.optimizer_state)
    paths = {key: name for name, key in checkpoint.contents.keys.items()}
    named = list(_model(description, paths, request.rules))
    warnings = [
        f"the table {name!r} is left out" for name in sorted(checkpoint.contents.tables)
    ]
    taken: list[beta_powers.Taken] = []
    if request.optimizer_state:
        given = steps_by_path(description, request.iterations)
        for optimizer in description.optimizers:
            steps = given.get(optimizer.path)
            if steps is None:
                steps = _number(optimizer.iterations, paths, checkpoint)
            algorithm = _algorithm(optimizer, steps)
            steps -= optimizer_steps.UNCORRECTED if algorithm is algorithms.BERT else 0
            named += _slots(
                optimizer, algorithm, steps, paths, checkpoint, request.rules
            )
            taken.append(beta_powers.Taken(optimizer, algorithm, steps))
            warnings += caveats.of_way_back(
                algorithm, optimizer, description.has_embeddings
            )
    _require_one_owner(named)
    powers = beta_powers.by_name(taken)
    every = dict.fromkeys([*(new.name for new in named), *powers])
    renaming = request.renames.rename(every, source=checkpoint.prefix)
    beta_powers.require_owners(taken, renaming, checkpoint.prefix)
    by_name = {new.name: new for new in named}
    found = [
        _carried(by_name[old], new, source)
        for old, new in renaming.pairs
        if old in by_name
    ]
    found += [
        object_plans.given(
            Variable(new, "float32", (), roles.OPTIMIZER, new, 4),
            powers[old],
            "from the step counter",
        )
        for old, new in renaming.pairs
        if old in powers
    ]
    step, said = _global_step(description, taken, paths, checkpoint)
    if step is not None:
        name = object_keys.GLOBAL_STEP
        variable = Variable(name, "int64", (), roles.GLOBAL_STEP, name, 8)
        found.append(object_plans.given(variable, step, messages.counted(step, "step")))
    warnings += [*said, *renaming.unused, *source.roles.remarks()]
    return ObjectPlan(source, "a tf1 Saver", None, tuple(found), tuple(warnings))


def _carried(new: _Named, new_name: str, source: Source) -> NewVariable:
    """A variable of the result under its last name."""
    there = source.variables[new.origin.names[0]]
    made = new.origin.variable(source.variables)
    if new.origin.use is not None:
        size = math.prod(made.shape or ()) * (dtypes.named(made.dtype).size or 0)
        made = dataclasses.replace(made, size=size)
    variable = dataclasses.replace(made, name=new_name, key=new_name, role=new.role)
    item = Item(Verdict.RENAMED, variable, there, str(new.origin))
    return NewVariable(item, new.origin)


def _require_written_by(
    description: ObjectDescription, source: Source, with_optimizers: bool
) -> None:
    """Raises ConversionError if a checkpoint is not one that the object wrote."""
    wanted = [*description.variables.values()]
    if description.step is not None:
        wanted.append(description.step)
    if with_optimizers:
        for optimizer in description.optimizers:
            wanted.append(optimizer.iterations)
            wanted += [v for by in optimizer.slots.values() for v in by.values()]
            wanted += optimizer.averages.values()
            if optimizer.loss_scale is not None:
                wanted.append(optimizer.loss_scale.scale)
                wanted.append(optimizer.loss_scale.good_steps)
    by_key = {variable.key: variable for variable in source.variables.values()}
    full_names = _full_names(source.checkpoint)
    problems = []
    for held in wanted:
        here, there = held.variable, by_key.get(held.key)
        if there is None:
            problems.append(f"no key {held.key!r}")
            continue
        if (there.dtype, there.shape) != (here.dtype, here.shape):
            problems.append(f"{held.key!r} is {there} there and {here} here")
        # The keys of optimizers since 2.11 are numbers: full names tell what they are.
        slots = (
            slot_names.keras_slot(full_names.get(held.key)),
            slot_names.keras_slot(description.full_names.get(held.key)),
        )
        if None not in slots and slots[0] != slots[1]:
            problems.append(f"{held.key!r} is {slots[0]!r} there, not {slots[1]!r}")
    if problems:
        raise ConversionError(
            f"{source.prefix} was not written by {description.called} as it is "
            f"given: {messages.listed(problems, separator='; ')}. Give the object that "
            f"wrote it, with its optimizer; optimizer_state=False "
            f"(--nooptimizer_state) leaves optimizers out"
        )


def _full_names(checkpoint: Checkpoint) -> dict[str, str]:
    """Full names by key, of an object graph or of none."""
    graph = checkpoint.graph
    nodes = () if graph is None else graph.nodes
    return {a.checkpoint_key: a.full_name for node in nodes for a in node.attributes}


def _number(
    counter: ObjectVariable, paths: Mapping[str, str], checkpoint: Checkpoint
) -> int:
    """The value that the checkpoint has of a counter."""
    return int(checkpoint.read(paths[counter.key]))


def _model(
    description: ObjectDescription,
    paths: Mapping[str, str],
    rules: Sequence[LayoutRule],
) -> Iterator[_Named]:
    """The model's variables, those of another layout by rules."""
    for rule in rules:
        require_targets(rule, description)
        yield from _by_rule(rule, description.variables, paths)
    for name, held in description.variables.items():
        if not _is_of_rule(name, rules):
            origin = FromSource((paths[held.key],))
            yield _Named(name, held.variable.role, origin)


def _is_of_rule(name: str, rules: Sequence[LayoutRule]) -> bool:
    return any(name in rule.targets for rule in rules)


def _by_rule(
    rule: LayoutRule,
    found: Mapping[str, ObjectVariable],
    paths: Mapping[str, str],
    slot: str = "",
    change: Optional[Change] = None,
) -> Iterator[_Named]:
    """The tf1 variables of a rule, or their slots."""
    held = [found[name] for name in rule.targets]
    uses = rule.uses_back([shape_of(variable) for variable in held])
    names = tuple(paths[variable.key] for variable in held)
    for name, use in zip(rule.sources, uses):
        use = dataclasses.replace(use, is_slot=bool(slot))
        role = held[0].variable.role
        yield _Named(f"{name}{slot}", role, FromSource(names, use, change))


def _slots(
    optimizer: OptimizerDescription,
    algorithm: Algorithm,
    steps: int,
    paths: Mapping[str, str],
    checkpoint: Checkpoint,
    rules: Sequence[LayoutRule],
) -> Iterator[_Named]:
    """An optimizer's slots, averages and loss scale under tf1's names."""
    lost = sorted(set(optimizer.slots) - set(algorithm.slots))
    if lost and algorithm is not algorithms.SGD:
        raise OptimizerStateError(
            f"{optimizer.called} keeps {', '.join(lost)}, which {algorithm.name} of "
            f"tf1 has not: give the optimizer without (amsgrad), or "
            f"optimizer_state=False (--nooptimizer_state)"
        )
    rate = _learning_rate(optimizer, steps, paths, checkpoint)
    changes = optimizer_state.keras_changes(algorithm, optimizer, rate)
    for slot, suffix in algorithm.slots.items():
        by_owner, change = optimizer.slots.get(slot), changes.get(slot)
        if by_owner is None:  # RMSProp's momentum, which tf1 keeps in any case
            by_owner = next(iter(optimizer.slots.values()))
            change = Change(factor=0.0)
        elif change is not None:
            change = change.inverse
        yield from _beside(by_owner, suffix, paths, rules, change)
    yield from _beside(optimizer.averages, _AVERAGE, paths, rules)
    if optimizer.loss_scale is not None:
        kept = (optimizer.loss_scale.scale, optimizer.loss_scale.good_steps)
        for name, held in zip(loss_scales.TF1_NAMES, kept):
            yield _Named(name, held.variable.role, FromSource((paths[held.key],)))


def _beside(
    by_owner: Mapping[str, ObjectVariable],
    suffix: str,
    paths: Mapping[str, str],
    rules: Sequence[LayoutRule],
    change: Optional[Change] = None,
) -> Iterator[_Named]:
    """What stands under `<V>/<suffix>` for each variable V."""
    for owner, held in by_owner.items():
        if not _is_of_rule(owner, rules):
            origin = FromSource((paths[held.key],), change=change)
            yield _Named(f"{owner}/{suffix}", held.variable.role, origin)
    for rule in rules:
        if by_owner and all(name in by_owner for name in rule.targets):
            yield from _by_rule(rule, by_owner, paths, f"/{suffix}", change)


def _require_one_owner(named: Sequence[_Named]) -> None:
    """Raises OptimizerStateError if two optimizers keep one slot of a variable."""
    counts = collections.Counter(new.name for new in named)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise OptimizerStateError(
            f"two optimizers would have one name in tf1 for what they keep, as where "
            f"both train one variable: {messages.quoted(twice)}. Give the object with "
            f"one of them, or optimizer_state=False (--nooptimizer_state)"
        )


def _learning_rate(
    optimizer: OptimizerDescription,
    steps: int,
    paths: Mapping[str, str],
    checkpoint: Checkpoint,
) -> float:
    """The rate of the next step: the checkpoint's own, where it has one."""
    if optimizer.rate is not None and optimizer.rate.key in paths:
        return float(checkpoint.read(paths[optimizer.rate.key]))
    return optimizer.learning_rate(steps)


def _algorithm(optimizer: OptimizerDescription, steps: int) -> Algorithm:
    """The algorithm of tf1 that goes on from a Keras optimizer's state."""
    optimizer_state.require_known(optimizer)
    algorithm = optimizer.keras_class.read_as(optimizer.slots)
    algorithm = algorithm or optimizer.keras_class.reads[0]
    if algorithm is algorithms.MOMENTUM and not optimizer.setting("momentum"):
        return algorithms.SGD
    if algorithm is algorithms.ADAM and steps >= optimizer_steps.UNCORRECTED:
        return algorithms.BERT
    return algorithm


def _global_step(
    description: ObjectDescription,
    taken: Sequence[beta_powers.Taken],
    paths: Mapping[str, str],
    checkpoint: Checkpoint,
) -> tuple[Optional[int], list[str]]:
    """The global step, and what is to be said of it."""
    if description.step is not None:
        return _number(description.step, paths, checkpoint), []
    if not taken:
        return None, []
    step = max(each.steps for each in taken)
    if all(each.steps == step for each in taken):
        return step, []
    listed = ", ".join(f"{each.optimizer.path} {each.steps}" for each in taken)
    return step, [
        f"the optimizers took different steps ({listed}), and the object has no child "
        f"'step': the global step is {step}"
    ]
