"""Back from an object's checkpoint to a tf1 Saver's, slots and powers included."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from estimator_ckpt.bundle import dtypes
from estimator_ckpt.checkpoint import object_keys, optimizers, roles
from estimator_ckpt.checkpoint.opening import Checkpoint, read_object_graph
from estimator_ckpt.checkpoint.optimizers import Kind
from estimator_ckpt.keras import caveats, saved_state, to_objects
from estimator_ckpt.keras.described import Described, Live, LiveOptimizer
from estimator_ckpt.keras.results import ConversionError, Result
from estimator_ckpt.keras.saved_state import OptimizerStateError
from estimator_ckpt.keras.tensor_origins import Recipe
from estimator_ckpt.layouts.layout_rule import LayoutRule
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.plans import Variable


def result(
    described: Described,
    checkpoint: Checkpoint,
    renames: AssignmentMap,
    rules: Sequence[LayoutRule],
    *,
    optimizer_state: bool,
    iterations: to_objects.Iterations,
) -> Result:
    """What to write for a tf1 Saver, from a checkpoint that an object wrote.

    Args:
      described: the object; it says which key is which variable and which slot.
      checkpoint: its checkpoint, opened by paths.
      renames: from the object's names to those of tf1; slots follow, by tf1's names.
      rules: layout rules, from tf1 to the object, as on the way there.
      optimizer_state: whether slots and powers are written.
      iterations: the steps that optimizers took, where the checkpoint's own counters
        are not to be taken.

    Raises:
      As `convert_for`.
    """
    made = Result(checkpoint, "a tf1 Saver")
    by_key = {key: name for name, key in checkpoint.contents.keys.items()}
    _require_written_by(described, by_key, checkpoint, optimizer_state)
    back = _Back(checkpoint, by_key, rules)
    back.add_model(described)
    made.warnings += [
        f"the table {name!r} is left out" for name in sorted(checkpoint.contents.tables)
    ]
    step = None
    if described.step is not None:
        step = back.number(described.step)
    given = to_objects.steps_by_path(described, iterations)
    if optimizer_state:
        for optimizer in described.optimizers:
            taken = given.get(optimizer.path, back.number(optimizer.iterations))
            kind, counted = back.add_state(optimizer, taken)
            step = counted if step is None else step
            made.warnings += caveats.of_way_back(
                kind, optimizer, described.has_embeddings
            )
    renaming = renames.rename(dict.fromkeys(back.recipes), source=checkpoint.prefix)
    made.warnings += renaming.unused
    for old, new in renaming.pairs:
        made.add(back.variable(old, new), back.recipes[old])
    for name, power in back.powers.items():
        variable = Variable(name, "float32", (), roles.OPTIMIZER, name, 4)
        made.add_value(variable, power, "from the step counter")
    if step is not None:
        variable = Variable(
            object_keys.GLOBAL_STEP,
            "int64",
            (),
            roles.GLOBAL_STEP,
            object_keys.GLOBAL_STEP,
            8,
        )
        made.add_value(variable, step, f"{step} steps")
    return made


def _require_written_by(
    described: Described,
    by_key: Mapping[str, str],
    checkpoint: Checkpoint,
    optimizer_state: bool,
) -> None:
    """Raises ConversionError if a checkpoint is not one that the object wrote."""
    wanted = list(described.variables.values())
    if described.step is not None:
        wanted.append(described.step)
    if optimizer_state:
        for optimizer in described.optimizers:
            wanted.append(optimizer.iterations)
            wanted += [v for by in optimizer.slots.values() for v in by.values()]
    here = _full_names(described.graph)
    full_names = _full_names(read_object_graph(checkpoint.reader))
    problems = []
    for live in wanted:
        name = by_key.get(live.key)
        if name is None:
            problems.append(f"no key {live.key!r}")
            continue
        there = checkpoint[name]
        if (there.dtype, there.shape) != (live.dtype, live.shape):
            problems.append(
                f"{live.key!r} is {there.dtype}{list(there.shape)} there and "
                f"{live.dtype}{list(live.shape)} here"
            )
        # The keys of optimizers since 2.11 are numbers: full names tell what they are.
        slots = (
            roles.keras_slot(full_names.get(live.key)),
            roles.keras_slot(here.get(live.key)),
        )
        if None not in slots and slots[0] != slots[1]:
            problems.append(f"{live.key!r} is {slots[0]!r} there, not {slots[1]!r}")
    if problems:
        more = f" and {len(problems) - 6} more" if len(problems) > 6 else ""
        raise ConversionError(
            f"{checkpoint.prefix} was not written by {described.called} as it is "
            f"given: {'; '.join(problems[:6])}{more}. Give the object that wrote it, "
            f"with its optimizer; optimizer_state=False (--nooptimizer_state) leaves "
            f"optimizers out"
        )


def _full_names(graph: Any) -> dict[str, str]:
    """Full names by key, of an object graph or of none."""
    nodes = () if graph is None else graph.nodes
    return {a.checkpoint_key: a.full_name for node in nodes for a in node.attributes}


@dataclasses.dataclass
class _Back:
    """What a name-based checkpoint gets of an object's.

    Attributes:
      checkpoint: the object's, opened by paths.
      by_key: its variables' paths by key.
      rules: layout rules, from tf1 to the object.
      recipes: how each variable is made, by its tf1 name before renaming.
      powers: beta powers by name.
    """

    checkpoint: Checkpoint
    by_key: Mapping[str, str]
    rules: Sequence[LayoutRule]
    recipes: dict[str, Recipe] = dataclasses.field(default_factory=dict)
    powers: dict[str, float] = dataclasses.field(default_factory=dict)

    def number(self, live: Live) -> int:
        """The value that the checkpoint has of a counter."""
        return int(self.checkpoint.read(self.by_key[live.key]))

    def variable(self, name: str, new_name: str) -> Variable:
        """A variable of the result under its last name."""
        recipe = self.recipes[name]
        info = self.checkpoint[recipe.sources[0]]
        shape = info.shape if recipe.use is None else recipe.use.shape
        role = roles.TRAINABLE
        if roles.slot_of(name, self.recipes):
            role = roles.OPTIMIZER
        size = math.prod(shape) * dtypes.named(info.dtype).size
        return Variable(new_name, info.dtype, shape, role, new_name, size)

    def add_model(self, described: Described) -> None:
        """The model's variables, those of another layout by rules."""
        for rule in self.rules:
            to_objects.require_targets(rule, described)
            self._add_by_rule(rule, described.variables)
        for name, live in described.variables.items():
            if not self._is_of_rule(name):
                self.recipes[name] = Recipe((self.by_key[live.key],))

    def _is_of_rule(self, name: str) -> bool:
        return any(name in rule.targets for rule in self.rules)

    def _add_by_rule(
        self,
        rule: LayoutRule,
        found: Mapping[str, Live],
        slot: str = "",
        change: Optional[optimizers.Change] = None,
    ) -> None:
        """The tf1 variables of a rule, or their slots."""
        lives = [found[name] for name in rule.targets]
        uses = rule.uses_back([live.shape for live in lives])
        sources = tuple(self.by_key[live.key] for live in lives)
        for name, use in zip(rule.sources, uses):
            use = dataclasses.replace(use, is_slot=bool(slot))
            self.recipes[f"{name}{slot}"] = Recipe(sources, use, change)

    def add_state(self, optimizer: LiveOptimizer, steps: int) -> tuple[Kind, int]:
        """An optimizer's slots and powers; returns its kind and steps in tf1."""
        saved_state.require_known(optimizer)
        kind = _kind(optimizer, steps)
        if kind is optimizers.BERT:
            steps -= optimizers.UNCORRECTED
        lost = sorted(set(optimizer.slots) - set(kind.slots))
        if lost and kind is not optimizers.SGD:
            raise OptimizerStateError(
                f"{optimizer.name} keeps {', '.join(lost)}, which {kind.name} of tf1 "
                f"has not: give the optimizer without (amsgrad), or "
                f"optimizer_state=False (--nooptimizer_state)"
            )
        rate = self._learning_rate(optimizer, steps)
        changes = saved_state.keras_changes(kind, optimizer, rate)
        for slot, suffix in kind.slots.items():
            by_owner, change = optimizer.slots.get(slot), changes.get(slot)
            if by_owner is None:  # RMSProp's momentum, which tf1 keeps in any case
                zeros = next(iter(optimizer.slots.values()))
                self._add_slots(zeros, suffix, optimizers.Change(factor=0.0))
            else:
                self._add_slots(by_owner, suffix, change and change.inverse)
        betas = saved_state.betas_of(optimizer)
        for power in kind.powers:
            others = sum(name.startswith(power) for name in self.powers)
            name = f"{power}_{others}" if others else power
            self.powers[name] = optimizers.power_after(betas[power], steps)
        return kind, steps

    def _add_slots(
        self,
        by_owner: Mapping[str, Live],
        suffix: str,
        change: Optional[optimizers.Change],
    ) -> None:
        for owner, live in by_owner.items():
            if not self._is_of_rule(owner):
                recipe = Recipe((self.by_key[live.key],), change=change)
                self.recipes[f"{owner}/{suffix}"] = recipe
        for rule in self.rules:
            if by_owner and all(name in by_owner for name in rule.targets):
                self._add_by_rule(rule, by_owner, f"/{suffix}", change)

    def _learning_rate(self, optimizer: LiveOptimizer, steps: int) -> float:
        """The rate of the next step: the checkpoint's own, where it has one."""
        if not optimizer.has_schedule:
            for live in optimizer.others:
                name = self.by_key.get(live.key)
                if name and name.rpartition("/")[2].lstrip("_") == "learning_rate":
                    return float(self.checkpoint.read(name))
        return optimizer.learning_rate(steps)


def _kind(optimizer: LiveOptimizer, steps: int) -> Kind:
    """The kind of tf1 optimizer that goes on from a Keras optimizer's state."""
    kind = optimizer.kind.read_as(optimizer.slots) or optimizer.kind.reads[0]
    if kind is optimizers.MOMENTUM and not optimizer.setting("momentum"):
        return optimizers.SGD
    if kind is optimizers.ADAM and steps >= optimizers.UNCORRECTED:
        return optimizers.BERT
    return kind
