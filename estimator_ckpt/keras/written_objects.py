"""The checkpoint that an object wrote: whether it did, and what it says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Optional

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.optimizers import slot_names
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.keras.object_plans import ConversionError
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import (
    ObjectDescription,
    ObjectVariable,
    OptimizerDescription,
)


@dataclasses.dataclass(frozen=True)
class WrittenObject:
    """An object, and a checkpoint that it wrote.

    Attributes:
      description: the object; it says which key is which variable and which slot.
      checkpoint: its checkpoint, opened by paths.
      paths: the checkpoint's names, by object key.
    """

    description: ObjectDescription
    checkpoint: Checkpoint
    paths: Mapping[str, str]

    @classmethod
    def of(
        cls, description: ObjectDescription, source: Source, with_optimizers: bool
    ) -> WrittenObject:
        """Holds an object against a checkpoint.

        Args:
          description: the object.
          source: the checkpoint, opened by paths.
          with_optimizers: whether its optimizers matter.

        Raises:
          ConversionError: the object did not write it; says what differs.
        """
        _require_written_by(description, source, with_optimizers)
        keys = source.checkpoint.contents.keys
        paths = {key: name for name, key in keys.items()}
        return cls(description, source.checkpoint, paths)

    def path(self, held: ObjectVariable) -> str:
        """What the checkpoint calls a variable."""
        return self.paths[held.key]

    def number(self, counter: ObjectVariable) -> int:
        """The value that the checkpoint has of a counter."""
        return int(self.checkpoint.read(self.path(counter)))

    def learning_rate(self, optimizer: OptimizerDescription, steps: int) -> float:
        """The rate of the next step: the checkpoint's own, where it has one."""
        if optimizer.rate is not None and optimizer.rate.key in self.paths:
            return float(self.checkpoint.read(self.paths[optimizer.rate.key]))
        return optimizer.learning_rate(steps)


def _require_written_by(
    description: ObjectDescription, source: Source, with_optimizers: bool
) -> None:
    """Raises ConversionError if a checkpoint is not one that the object wrote."""
    wanted = [*description.variables.values()]
    if description.step is not None:
        wanted.append(description.step)
    for optimizer in description.optimizers if with_optimizers else ():
        wanted += _kept(optimizer)
    by_key = {variable.key: variable for variable in source.variables.values()}
    full_names = _full_names(source.checkpoint)
    problems = []
    for held in wanted:
        there = by_key.get(held.key)
        if there is None:
            problems.append(f"no key {held.key!r}")
            continue
        problems += _differences(held.key, there, held.variable)
        # The keys of optimizers since 2.11 are numbers: full names tell what they are.
        problems += _other_slot(
            held.key, full_names.get(held.key), description.full_names.get(held.key)
        )
    if problems:
        raise ConversionError(
            f"{source.prefix} was not written by {description.called} as it is "
            f"given: {messages.listed(problems, separator='; ')}. Give the object that "
            f"wrote it, with its optimizer; optimizer_state=False "
            f"(--nooptimizer_state) leaves optimizers out"
        )


def _kept(optimizer: OptimizerDescription) -> Iterator[ObjectVariable]:
    """What an optimizer saves that goes to tf1."""
    yield optimizer.iterations
    for by_owner in optimizer.slots.values():
        yield from by_owner.values()
    yield from optimizer.averages.values()
    if optimizer.loss_scale is not None:
        yield optimizer.loss_scale.scale
        yield optimizer.loss_scale.good_steps


def _differences(key: Optional[str], there: Variable, here: Variable) -> Iterator[str]:
    """What a variable is otherwise there than here."""
    if (there.dtype, there.shape) != (here.dtype, here.shape):
        yield f"{key!r} is {there} there and {here} here"


def _other_slot(
    key: Optional[str], there: Optional[str], here: Optional[str]
) -> Iterator[str]:
    """Whether one key is another slot there than here, by their full names."""
    slots = slot_names.keras_slot(there), slot_names.keras_slot(here)
    if None not in slots and slots[0] != slots[1]:
        yield f"{key!r} is {slots[0]!r} there, not {slots[1]!r}"


def _full_names(checkpoint: Checkpoint) -> dict[str, str]:
    """Full names by key, of an object graph or of none."""
    graph = checkpoint.graph
    return {} if graph is None else graph.full_names()
