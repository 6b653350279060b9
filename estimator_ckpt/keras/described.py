"""A live object as data: its variables, its optimizers and their slots."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Optional

import tensorflow as tf

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import optimizers, roles
from estimator_ckpt.maps.plans import Variable
from estimator_ckpt.tf_private import keras_api


class TrackableError(CheckpointError, ValueError):
    """An object that is not ready to be converted for."""


@dataclasses.dataclass(frozen=True)
class Live:
    """A variable of a live object.

    Attributes:
      name: its name.
      key: its object key.
      variable: the `tf.Variable`, or Keras 3's own.
    """

    name: str
    key: str
    variable: Any

    @property
    def dtype(self) -> str:
        return str(tf.as_dtype(self.variable.dtype).base_dtype.name)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(size) for size in self.variable.shape)

    @property
    def role(self) -> str:
        """That of a model's variable."""
        trains = getattr(self.variable, "trainable", True)  # a ShardedVariable: no word
        return roles.TRAINABLE if trains else roles.MODEL

    def value(self) -> Any:
        """Its value now, as an array."""
        return self.variable.numpy()

    def as_variable(self, role: str) -> Variable:
        """It as plans take it."""
        size = math.prod(self.shape) * tf.as_dtype(self.dtype).size
        return Variable(self.name, self.dtype, self.shape, role, self.key, size)


@dataclasses.dataclass(frozen=True)
class LiveOptimizer:
    """A Keras optimizer.

    Attributes:
      optimizer: the object.
      path: where it is in the object: `optimizer`.
      kind: what its class keeps.
      iterations: its step counter.
      slots: slot variables by what they are, then by their variable's name.
      averages: the averages that it keeps (`use_ema`), by their variable's name.
      others: its other variables: hyperparameters and the like.
    """

    optimizer: Any
    path: str
    kind: optimizers.KerasKind
    iterations: Live
    slots: Mapping[str, Mapping[str, Live]]
    averages: Mapping[str, Live]
    others: tuple[Live, ...]

    @property
    def name(self) -> str:
        """What to call it in messages: `legacy.Adam`, `Adam`."""
        name = type(self.optimizer).__name__
        return f"legacy.{name}" if self.is_legacy else name

    @property
    def is_legacy(self) -> bool:
        return keras_api.is_legacy_optimizer(self.optimizer)

    @property
    def is_keras_3(self) -> bool:
        return keras_api.is_keras_3(self.optimizer)

    def setting(self, name: str, default: float = 0.0) -> float:
        """A hyperparameter's value: `epsilon`, `beta_1`; 0 if there is none."""
        value = self.optimizer.get_config().get(name, default)
        return float(default if value is None else value)

    @property
    def has_schedule(self) -> bool:
        """Whether the learning rate is a function of the iterations."""
        return keras_api.schedule_of(self.optimizer) is not None

    def learning_rate(self, iterations: int) -> float:
        """The rate of the step after so many."""
        schedule = keras_api.schedule_of(self.optimizer)
        if schedule is not None:
            return float(schedule(tf.constant(iterations, tf.int64)))
        return float(tf.convert_to_tensor(self.optimizer.learning_rate))

    @property
    def trained(self) -> set[str]:
        """The names of the variables that have slots."""
        return {owner for by_owner in self.slots.values() for owner in by_owner}

    @property
    def variables(self) -> list[Live]:
        """All of them."""
        slots = [live for by in self.slots.values() for live in by.values()]
        return [self.iterations, *self.others, *slots, *self.averages.values()]


@dataclasses.dataclass(frozen=True)
class Described:
    """What an object would save.

    Attributes:
      called: what to call it in messages.
      graph: its object graph, a TrackableObjectGraph message.
      variables: by name, without those of optimizers.
      step: the child `step` of the root, which stands for the global step.
      optimizers: its Keras optimizers.
      fixed: other variables that keep their values: `save_counter`, random seeds,
        metrics, loss scales.
      has_embeddings: whether a layer's gradients are sparse.
    """

    called: str
    graph: Any
    variables: Mapping[str, Live]
    step: Optional[Live]
    optimizers: tuple[LiveOptimizer, ...]
    fixed: tuple[Live, ...]
    has_embeddings: bool
