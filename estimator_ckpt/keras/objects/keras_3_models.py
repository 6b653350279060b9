"""Models and optimizers of Keras 3 on another backend than TensorFlow, as data.

There is no object graph there, and no `tf.train.Checkpoint`; Keras's own lists say what
a model has. What is described so can be assigned, and saved by Keras. Needs no
TensorFlow.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from estimator_ckpt.checkpoint import messages, roles
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.keras.objects import building, keras_optimizers
from estimator_ckpt.keras.objects.descriptions import (
    ObjectDescription,
    ObjectVariable,
    TrackableError,
)
from estimator_ckpt.keras.objects.keras_optimizers import Surroundings
from estimator_ckpt.tf_private import keras_api


def is_one(trackable: Any) -> bool:
    """Whether an object is of Keras 3 on another backend; of a dict, anything in it."""
    if isinstance(trackable, Mapping):
        return any(is_one(value) for value in trackable.values())
    return bool(keras_api.is_outside_tensorflow(trackable))


def describe(
    trackable: Any, *, input_shape: building.InputShape = None
) -> ObjectDescription:
    """Describes a model or a layer, or a dict of them and their optimizers.

    Args:
      trackable: the object; models and optimizers that are not built are built.
      input_shape: what to build a model with that is not built.

    Raises:
      TrackableError: it is something else, a model or an optimizer cannot be built, or
        two variables have one name.
    """
    parts = _Parts.of(trackable)
    for model in parts.models:
        building.build_model(model, input_shape)
    optimizers = parts.optimizers()
    building.build_optimizers(
        [optimizer for _, optimizer, _ in optimizers],
        [wrapper for _, _, wrapper in optimizers],
        parts.models,
        (),
    )
    called = _called(trackable)
    names = _names(called, parts.layers, parts.models)
    if not names and not optimizers:
        raise TrackableError(f"{called} has no variables: build its layers first")
    held = {name: _described(v, _role(v), name) for v, name in names}
    return ObjectDescription(
        called=called,
        graph=b"",
        full_names={held[name].key: variable.path for variable, name in names},
        variables=held,
        step=None,
        save_counter=None,
        optimizers=tuple(
            keras_optimizers.describe(
                optimizer,
                Surroundings(
                    path=path,
                    model=names,
                    own=optimizer.variables,
                    wrapper=wrapper,
                    graph_slots=(),
                    describe=_described,
                ),
            )
            for path, optimizer, wrapper in optimizers
        ),
        fixed=(),
        has_embeddings=any(map(keras_api.has_embedding, parts.layers.values())),
    )


class _Parts(NamedTuple):
    """What an object is made of, by its path.

    Attributes:
      layers: models and layers.
      alone: optimizers that stand beside them; compiled models have others.
    """

    layers: Mapping[str, Any]
    alone: Mapping[str, Any]

    @classmethod
    def of(cls, trackable: Any) -> _Parts:
        """Takes an object apart.

        Raises:
          TrackableError: there is something else in it.
        """
        parts = dict(trackable) if isinstance(trackable, Mapping) else {"": trackable}
        layers = {path: v for path, v in parts.items() if hasattr(v, "weights")}
        alone = {path: v for path, v in parts.items() if keras_api.is_optimizer(v)}
        for path in sorted(parts.keys() - layers.keys() - alone.keys()):
            raise TrackableError(
                f"{parts[path]!r} is no model, layer or optimizer of Keras, which is "
                f"all that there can be with the backend {keras_api.backend()!r}"
            )
        return cls(layers, alone)

    @property
    def models(self) -> list[Any]:
        """Those of the layers that are models."""
        return [layer for layer in self.layers.values() if keras_api.is_model(layer)]

    def optimizers(self) -> list[tuple[str, Any, Any]]:
        """Paths, optimizers and the LossScaleOptimizer of each, None for none."""
        every = dict(self.alone)
        for path, layer in self.layers.items():
            if getattr(layer, "optimizer", None) is not None:
                every[f"{path}/optimizer".lstrip("/")] = layer.optimizer
        return [
            (path, value.inner_optimizer, value)
            if hasattr(value, "inner_optimizer")
            else (path, value, None)
            for path, value in every.items()
        ]


def _called(trackable: Any) -> str:
    """What to call an object in messages."""
    if isinstance(trackable, Mapping):
        return f"the object of {', '.join(map(repr, trackable))}"
    name = getattr(trackable, "name", type(trackable).__name__)
    return f"the {'model' if keras_api.is_model(trackable) else 'layer'} {name!r}"


def _names(
    called: str, layers: Mapping[str, Any], models: list[Any]
) -> list[tuple[Any, str]]:
    """The variables of models and layers, and their names, without the models' own.

    Raises:
      TrackableError: two have one name.
    """
    every = {id(v): v for layer in layers.values() for v in layer.weights}
    scopes = {model.name for model in models}
    short = {
        number: variable.path.partition("/")[2]
        if variable.path.partition("/")[0] in scopes
        else variable.path
        for number, variable in every.items()
    }
    if len(set(short.values())) < len(short):
        short = {number: variable.path for number, variable in every.items()}
    counts = collections.Counter(short.values())
    shared = sorted(name for name, count in counts.items() if count > 1)
    if shared:
        raise TrackableError(
            f"{called}: variables that share a name: {messages.quoted(shared)}: give "
            f"its layers names of their own"
        )
    return [(variable, short[number]) for number, variable in every.items()]


def _role(variable: Any) -> roles.Role:
    return roles.TRAINABLE if variable.trainable else roles.MODEL


def _described(variable: Any, role: roles.Role, name: str = "") -> ObjectVariable:
    """A variable of Keras 3 as data; its key is its path and place in memory."""
    dtype = str(variable.dtype)
    shape = tuple(variable.shape)
    size = math.prod(shape) * _item_size(dtype)
    key = f"{variable.path} at {id(variable):x}"
    facts = Variable(name or variable.path, dtype, shape, role, key, size)
    return ObjectVariable(facts, variable.numpy, variable.assign)


def _item_size(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
