"""An object graph together with the objects that its nodes stand for."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Optional

from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.keras.described import Live
from estimator_ckpt.tf_private import trackables_api


@dataclasses.dataclass(frozen=True)
class View:
    """What a root object would save.

    Attributes:
      graph: the TrackableObjectGraph message.
      objects: in the order of the graph's nodes.
      saveables: of all that is saved.
    """

    graph: Any
    objects: Sequence[Any]
    saveables: Sequence[Any]

    @classmethod
    def of(cls, root: Any) -> View:
        return cls(*trackables_api.objects_of(root))

    @functools.cached_property
    def keys(self) -> dict[int, str]:
        """The object keys of variables, by node."""
        return {
            number: attribute.checkpoint_key
            for number, node in enumerate(self.graph.nodes)
            for attribute in node.attributes
            if attribute.name == object_keys.VARIABLE_VALUE
        }

    @functools.cached_property
    def models(self) -> list[Any]:
        """The Keras models."""
        return [value for value in self.objects if is_keras(value, "Model")]

    def below(self, root: int) -> set[int]:
        """The variables of an optimizer, its slots included, without those it trains.

        Also of any other object.
        """
        found, waiting = {root}, [root]
        while waiting:
            node = self.graph.nodes[waiting.pop()]
            reached = [
                child.node_id
                for child in node.children
                if child.local_name != "_trainable_variables"
            ]
            reached += [slot.slot_variable_node_id for slot in node.slot_variables]
            waiting += set(reached) - found
            found.update(reached)
        return found & set(self.keys)

    def path(self, number: int) -> str:
        """The local names that lead to a node from the root."""
        steps: list[str] = []
        while number and len(steps) < len(self.graph.nodes):
            number, local_name = self._parents[number]
            steps.insert(0, local_name)
        return "/".join(steps)

    @functools.cached_property
    def _parents(self) -> dict[int, tuple[int, str]]:
        return {
            child.node_id: (parent, child.local_name)
            for parent, node in reversed(list(enumerate(self.graph.nodes)))
            for child in node.children
        }

    def live(self, number: int, name: Optional[str] = None) -> Live:
        """A node's variable, called by its path unless it has a name."""
        key = self.keys[number]
        return Live(name or object_keys.path_of(key) or key, key, self.objects[number])


def is_keras(value: Any, name: str) -> bool:
    """Whether an object is of a Keras class, of tf.keras's, tf-keras's or Keras 3's."""
    return any(
        base.__name__ == name and "keras" in base.__module__
        for base in type(value).__mro__
    )
