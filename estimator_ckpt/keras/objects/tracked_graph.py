"""An object graph together with the objects that its nodes stand for."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any, Optional

import tensorflow as tf

from estimator_ckpt.checkpoint import object_keys, roles
from estimator_ckpt.checkpoint.roles import Role
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.keras.objects.descriptions import ObjectVariable
from estimator_ckpt.tf_private import keras_api, trackables_api


@dataclasses.dataclass(frozen=True)
class TrackedGraph:
    """What a root object would save.

    Attributes:
      message: the TrackableObjectGraph message.
      objects: in the order of the graph's nodes.
      saveables: of all that is saved.
    """

    message: Any
    objects: Sequence[Any]
    saveables: Sequence[Any]

    @classmethod
    def of(cls, root: Any) -> TrackedGraph:
        return cls(*trackables_api.objects_of(root))

    @functools.cached_property
    def keys(self) -> dict[int, str]:
        """The object keys of variables, by node."""
        return {
            number: attribute.checkpoint_key
            for number, node in enumerate(self.message.nodes)
            for attribute in node.attributes
            if attribute.name == object_keys.VARIABLE_VALUE
        }

    @property
    def full_names(self) -> dict[str, str]:
        """Full names by object key."""
        return {
            attribute.checkpoint_key: attribute.full_name
            for node in self.message.nodes
            for attribute in node.attributes
        }

    @functools.cached_property
    def numbers(self) -> dict[int, int]:
        """The nodes of variables, by the variables' ids."""
        return {id(self.objects[number]): number for number in self.keys}

    @functools.cached_property
    def models(self) -> list[Any]:
        """The Keras models."""
        return [value for value in self.objects if keras_api.is_model(value)]

    @functools.cached_property
    def optimizers(self) -> dict[int, Any]:
        """The optimizers, by node.

        tf.keras's LossScaleOptimizer stands in the graph for the one in it; Keras 3's
        has a node of its own, and no slots.
        """
        present = {id(value) for value in self.objects}
        found = {}
        for number, value in enumerate(self.objects):
            if keras_api.is_optimizer(value):
                inner = getattr(value, "inner_optimizer", value)
                if inner is value or id(inner) not in present:
                    found[number] = inner
        return found

    @functools.cached_property
    def wrappers(self) -> dict[int, Any]:
        """The LossScaleOptimizers, by the ids of the optimizers in them."""
        found = {}
        for value in self.objects:
            if keras_api.is_optimizer(value) and hasattr(value, "inner_optimizer"):
                found[id(value.inner_optimizer)] = value
        return found

    def below(self, root: int) -> set[int]:
        """The variables below a node, slots included.

        Below an optimizer's, without those that it trains.
        """
        found, waiting = {root}, [root]
        while waiting:
            node = self.message.nodes[waiting.pop()]
            reached = [
                child.node_id
                for child in node.children
                if child.local_name != keras_api.TRAINED_CHILD
            ]
            reached += [slot.slot_variable_node_id for slot in node.slot_variables]
            waiting += set(reached) - found
            found.update(reached)
        return found & set(self.keys)

    def path(self, number: int) -> str:
        """The local names that lead to a node from the root."""
        steps: list[str] = []
        while number and len(steps) < len(self.message.nodes):
            number, local_name = self._parents[number]
            steps.insert(0, local_name)
        return "/".join(steps)

    @functools.cached_property
    def _parents(self) -> dict[int, tuple[int, str]]:
        return {
            child.node_id: (parent, child.local_name)
            for parent, node in reversed(list(enumerate(self.message.nodes)))
            for child in node.children
        }

    def variable(
        self, number: int, role: Role, name: Optional[str] = None
    ) -> ObjectVariable:
        """A node's variable, called by its path unless it has a name."""
        key, value = self.keys[number], self.objects[number]
        called = name or object_keys.path_of(key) or key
        return object_variable(called, key, role, value)


def model_role(variable: Any) -> Role:
    """What a variable of a model is for."""
    trains = getattr(variable, "trainable", True)  # a ShardedVariable does not say
    return roles.TRAINABLE if trains else roles.MODEL


def object_variable(name: str, key: str, role: Role, value: Any) -> ObjectVariable:
    """A `tf.Variable`, one of Keras 3's or a tensor, as data."""
    dtype = tf.as_dtype(value.dtype).base_dtype
    shape = tuple(int(size) for size in value.shape)
    size = math.prod(shape) * (dtype.size or 0)
    return ObjectVariable(
        Variable(name, dtype.name, shape, role, key, size),
        lambda: value.numpy(),  # a ShardedVariable has none until it is asked for
        getattr(value, "assign", None),
    )
