"""A live object described as data: its variables, its optimizers and their slots.

Made once, by `trackables.describe`; what decides and what writes knows no more of the
object than stands here, and needs no TensorFlow for it.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint.optimizers import keras_classes
from estimator_ckpt.checkpoint.variable import Variable


class TrackableError(CheckpointError, ValueError):
    """An object that is not ready to be converted for."""


@dataclasses.dataclass(frozen=True)
class ObjectVariable:
    """A variable of a live object.

    Attributes:
      variable: its name, object key, dtype, shape and role.
      value: gives its value now, as an array.
      assign: gives it a value; None for what is no variable (the entries of a table).
    """

    variable: Variable
    value: Callable[[], Any]
    assign: Optional[Callable[[Any], Any]] = None

    @property
    def name(self) -> str:
        return self.variable.name

    @property
    def key(self) -> str:
        assert self.variable.key is not None
        return self.variable.key


class Generation(enum.Enum):
    """The generations of Keras optimizers, which keep their state each in its way."""

    #: `tf.keras.optimizers.legacy`, and everything before TensorFlow 2.11.
    LEGACY = "legacy"
    #: Those of TensorFlow 2.11 to 2.15, and of tf-keras.
    SINCE_2_11 = "since 2.11"
    KERAS_3 = "Keras 3"


@dataclasses.dataclass(frozen=True)
class LossScale:
    """What a LossScaleOptimizer keeps beside the optimizer in it.

    Attributes:
      scale: what the loss is multiplied by.
      good_steps: the steps since it changed.
    """

    scale: ObjectVariable
    good_steps: ObjectVariable


@dataclasses.dataclass(frozen=True)
class OptimizerDescription:
    """A Keras optimizer.

    Attributes:
      called: what to call it in messages: `legacy.Adam`, `Adam`.
      path: where it is in the object: `optimizer`.
      keras_class: what its class keeps.
      generation: which of Keras's.
      settings: its hyperparameters that are numbers, by name.
      has_schedule: whether the learning rate is a function of the iterations.
      learning_rate: gives the rate of the step after so many.
      iterations: its step counter.
      slots: slot variables by what they are, then by their variable's name.
      averages: the averages that it keeps (`use_ema`), by their variable's name.
      rate: the variable that holds its learning rate, if one does.
      loss_scale: of a LossScaleOptimizer that it is in, if that keeps one.
      others: its other variables: further hyperparameters and the like.
    """

    called: str
    path: str
    keras_class: keras_classes.KerasClass
    generation: Generation
    settings: Mapping[str, float]
    has_schedule: bool
    learning_rate: Callable[[int], float]
    iterations: ObjectVariable
    slots: Mapping[str, Mapping[str, ObjectVariable]]
    averages: Mapping[str, ObjectVariable]
    rate: Optional[ObjectVariable]
    loss_scale: Optional[LossScale]
    others: tuple[ObjectVariable, ...]

    @property
    def is_legacy(self) -> bool:
        return self.generation is Generation.LEGACY

    def setting(self, name: str) -> float:
        """A hyperparameter's value: `epsilon`, `beta_1`; 0 if there is none."""
        return self.settings.get(name, 0.0)

    @property
    def betas(self) -> dict[str, float]:
        """Its betas, by the names of the powers that tf1 keeps of them."""
        return {
            "beta1_power": self.setting("beta_1"),
            "beta2_power": self.setting("beta_2"),
        }

    @property
    def trained(self) -> set[str]:
        """The names of the variables that have slots."""
        return {owner for by_owner in self.slots.values() for owner in by_owner}

    @property
    def variables(self) -> Iterator[ObjectVariable]:
        """All of them."""
        yield self.iterations
        if self.rate is not None:
            yield self.rate
        if self.loss_scale is not None:
            yield self.loss_scale.scale
            yield self.loss_scale.good_steps
        yield from self.others
        for by_owner in self.slots.values():
            yield from by_owner.values()
        yield from self.averages.values()


@dataclasses.dataclass(frozen=True)
class ObjectDescription:
    """What an object would save.

    Attributes:
      called: what to call it in messages.
      graph: its object graph, a serialized TrackableObjectGraph.
      full_names: the graph's full names, by object key.
      variables: by name, without those of optimizers.
      step: the child `step` of the root, which stands for the global step.
      save_counter: the root's save_counter.
      optimizers: its Keras optimizers.
      fixed: other variables that keep their values: random seeds, metrics, entries
        of tables.
      has_embeddings: whether a layer's gradients are sparse.
    """

    called: str
    graph: bytes
    full_names: Mapping[str, str]
    variables: Mapping[str, ObjectVariable]
    step: Optional[ObjectVariable]
    save_counter: Optional[ObjectVariable]
    optimizers: tuple[OptimizerDescription, ...]
    fixed: tuple[ObjectVariable, ...]
    has_embeddings: bool

    @property
    def every(self) -> Iterator[ObjectVariable]:
        """All that it would save."""
        yield from self.variables.values()
        yield from filter(None, (self.step, self.save_counter))
        for optimizer in self.optimizers:
            yield from optimizer.variables
        yield from self.fixed
