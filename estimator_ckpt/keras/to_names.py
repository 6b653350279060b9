"""Back from an object's checkpoint to a tf1 Saver's, slots and powers included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Optional

from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint import messages, object_keys, roles
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.optimizers import algorithms, optimizer_steps
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.keras import object_plans, tf1_tensors
from estimator_ckpt.keras.object_plans import NewVariable, ObjectPlan
from estimator_ckpt.keras.object_requests import Request, steps_by_path
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import ObjectDescription
from estimator_ckpt.keras.optimizers import beta_powers, caveats
from estimator_ckpt.keras.optimizers.beta_powers import Taken
from estimator_ckpt.keras.tf1_tensors import Tf1Tensor
from estimator_ckpt.keras.written_objects import WrittenObject
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.plans import Item, Verdict


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
    written = WrittenObject.of(description, source, request.optimizer_state)
    named = list(tf1_tensors.of_model(written, request.rules))
    taken = _taken(written, request) if request.optimizer_state else []
    warnings = [
        f"the table {name!r} is left out" for name in sorted(checkpoint.contents.tables)
    ]
    for each in taken:
        named += tf1_tensors.of_optimizer(each, written, request.rules)
        warnings += caveats.of_way_back(
            each.algorithm, each.optimizer, description.has_embeddings
        )
    tf1_tensors.require_one_owner(named)
    found, unused = _renamed(named, taken, source, request.renames)
    step, said = _global_step(written, taken)
    if step is not None:
        found.append(_new_step(step))
    warnings += [*said, *unused, *source.roles.remarks()]
    return ObjectPlan(source, "a tf1 Saver", None, tuple(found), tuple(warnings))


def _taken(written: WrittenObject, request: Request) -> list[Taken]:
    """The optimizers, as which algorithm of tf1 each goes on, and after which step."""
    given = steps_by_path(written.description, request.iterations)
    taken = []
    for optimizer in written.description.optimizers:
        steps = given.get(optimizer.path)
        if steps is None:
            steps = written.number(optimizer.iterations)
        algorithm = tf1_tensors.algorithm_of(optimizer, steps)
        steps -= optimizer_steps.UNCORRECTED if algorithm is algorithms.BERT else 0
        taken.append(Taken(optimizer, algorithm, steps))
    return taken


def _renamed(
    named: Sequence[Tf1Tensor],
    taken: Sequence[Taken],
    source: Source,
    renames: AssignmentMap,
) -> tuple[list[NewVariable], tuple[str, ...]]:
    """Tensors and beta powers under their last names, and what of the map is unused.

    beta1_power is beta_1 ** steps, which Keras computes from its step counter.
    """
    powers = beta_powers.by_name(taken)
    every = dict.fromkeys([*(new.name for new in named), *powers])
    renaming = renames.rename(every, source=source.prefix)
    beta_powers.require_owners(taken, renaming, source.prefix)
    by_name = {new.name: new for new in named}
    found = []
    for old, new in renaming.pairs:
        if old in by_name:
            found.append(_carried(by_name[old], new, source))
    for old, new in renaming.pairs:
        if old in powers:
            variable = Variable(new, "float32", (), roles.OPTIMIZER, new, 4)
            because = "from the step counter"
            found.append(object_plans.given(variable, powers[old], because))
    return found, tuple(renaming.unused)


def _new_step(step: int) -> NewVariable:
    """The global step that tf1 goes on from."""
    name = object_keys.GLOBAL_STEP
    variable = Variable(name, "int64", (), roles.GLOBAL_STEP, name, 8)
    return object_plans.given(variable, step, messages.counted(step, "step"))


def _carried(new: Tf1Tensor, new_name: str, source: Source) -> NewVariable:
    """A variable of the result under its last name."""
    there = source.variables[new.origin.names[0]]
    made = new.origin.variable(source.variables)
    if new.origin.use is not None:
        size = math.prod(made.shape or ()) * (dtypes.named(made.dtype).size or 0)
        made = made._replace(size=size)
    variable = made._replace(name=new_name, key=new_name, role=new.role)
    item = Item(Verdict.RENAMED, variable, there, str(new.origin))
    return NewVariable(item, new.origin)


def _global_step(
    written: WrittenObject, taken: Sequence[Taken]
) -> tuple[Optional[int], list[str]]:
    """The global step, and what is to be said of it."""
    step = written.description.step
    if step is not None:
        return written.number(step), []
    if not taken:
        return None, []
    most = max(each.steps for each in taken)
    if all(each.steps == most for each in taken):
        return most, []
    listed = ", ".join(f"{each.optimizer.path} {each.steps}" for each in taken)
    return most, [
        f"the optimizers took different steps ({listed}), and the object has no child "
        f"'step': the global step is {most}"
    ]
