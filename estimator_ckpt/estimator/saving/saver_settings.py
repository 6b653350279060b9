"""What a user says of a job's checkpoints: `with_scaffold`'s arguments, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Optional

import tensorflow as tf

from estimator_ckpt.checkpoint import formats
from estimator_ckpt.checkpoint.formats import Format
from estimator_ckpt.checkpoint.roles import AS_FOUND, Overruling
from estimator_ckpt.maps.assignment import NO_RENAMES, AssignmentMap

#: What users know the decorator by that gives a model_fn such settings.
DECORATOR = "with_scaffold"
ON_DAMAGED = ("error", "fall_back")
ON_MISSING = ("error", "initialize")

CheckpointFactory = Callable[[], tf.train.Checkpoint]


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a user says of a job's checkpoints.

    Attributes:
      format: the format to save in.
      checkpoint: a zero-argument callable that gives the user's own
        `tf.train.Checkpoint`; called when the saver is built, in the graph. Its
        object keys are used. Without it they are those of
        `tf.train.Checkpoint(var_list={name: variable}, step=global_step)`.
      on_damaged: what to do about a checkpoint that is not whole: `error`, or
        `fall_back` to the newest older one that is.
      on_missing: what to do about variables that a checkpoint lacks: `error`, or
        `initialize` them.
      renames: what the variables of older checkpoints are called in the graph.
      overruling: what a user says of their roles.
    """

    format: Format = formats.TF2
    checkpoint: Optional[CheckpointFactory] = None
    on_damaged: str = "error"
    on_missing: str = "error"
    renames: AssignmentMap = NO_RENAMES
    overruling: Overruling = AS_FOUND

    @property
    def falls_back(self) -> bool:
        return self.on_damaged == "fall_back"

    @property
    def initializes_missing(self) -> bool:
        return self.on_missing == "initialize"
