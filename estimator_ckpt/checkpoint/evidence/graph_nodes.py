"""An object graph as plain data: children, slots, keys and full names by node."""

from __future__ import annotations

import collections
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Optional, Protocol

from estimator_ckpt.checkpoint import object_graph, object_keys
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact

if TYPE_CHECKING:
    from estimator_ckpt.bundle.protobuf.schema import TrackableObject

_NO_CHILDREN: Mapping[str, int] = MappingProxyType({})

#: Where Keras 3 lists the variables that an optimizer trains, below the optimizer.
TRAINED = "_trainable_variables"


class Graph(Protocol):
    """An object graph: a TrackableObjectGraph message, or a checkpoint's."""

    @property
    def nodes(self) -> Iterable[TrackableObject]:
        """Its nodes; the first is the root."""


class SlotVariable(NamedTuple):
    """An entry of a node's `slot_variables`.

    Attributes:
      owner: the node of the variable that it is a slot of.
      slot: what it is called: `m`.
      node: its own node.
    """

    owner: int
    slot: str
    node: int


class GraphNodes:
    """An object graph.

    Attributes:
      children: of each node, its children by local name.
      slots: of each node, its slot variables.
      keys: the keys of the nodes that hold a variable.
      full_names: what TensorFlow called these.
      states: the keys of what is saved and no variable.
      facts: what the index says of each key.
    """

    def __init__(
        self,
        children: Sequence[Mapping[str, int]],
        slots: Sequence[Sequence[SlotVariable]],
        keys: Mapping[int, str],
        full_names: Mapping[int, str],
        facts: Mapping[str, Fact],
        states: Collection[str] = (),
    ) -> None:
        """A graph as the attributes say."""
        self.children = children
        self.slots = slots
        self.keys = keys
        self.full_names = full_names
        self.facts = facts
        self.states = states

    @classmethod
    def of(
        cls, nodes: Iterable[TrackableObject], facts: Mapping[str, Fact]
    ) -> GraphNodes:
        """The graph of these nodes, in their order."""
        children: list[Mapping[str, int]] = []
        slots: list[Sequence[SlotVariable]] = []
        keys: dict[int, str] = {}
        full_names: dict[int, str] = {}
        states: list[str] = []
        for number, node in enumerate(nodes):
            # Most have neither, and share that of which there is nothing.
            named = {child.local_name: child.node_id for child in node.children}
            children.append(named or _NO_CHILDREN)
            slots.append(
                tuple(
                    SlotVariable(
                        s.original_variable_node_id,
                        s.slot_name,
                        s.slot_variable_node_id,
                    )
                    for s in node.slot_variables
                )
            )
            for attribute in node.attributes:
                if attribute.name == object_keys.VARIABLE_VALUE:
                    keys[number] = attribute.checkpoint_key
                    full_names[number] = attribute.full_name
                else:
                    states.append(attribute.checkpoint_key)
        return cls(children, slots, keys, full_names, facts, states)

    def shape(self, node: int) -> Optional[tuple[int, ...]]:
        """The shape of a node's variable; None if it has none."""
        fact = self.facts.get(self.keys.get(node, ""))
        return None if fact is None else fact.shape

    def is_scalar(self, node: int) -> bool:
        return self.shape(node) == ()

    def listed(self, node: int, name: str) -> dict[int, int]:
        """The nodes in a list that is a node's attribute, by their places in it."""
        child = self.children[node].get(name)
        if child is None:
            return {}
        return {
            int(place): item
            for place, item in self.children[child].items()
            if place.isdigit()
        }

    def reached(self, start: int, but: Collection[int] = ()) -> set[int]:
        """The nodes below one, itself included, without what is trained below it.

        Args:
          start: the node.
          but: nodes below which nothing counts.
        """
        found, waiting = {start}, [start]
        while waiting:
            for name, child in self.children[waiting.pop()].items():
                if child not in found and child not in but and name != TRAINED:
                    found.add(child)
                    waiting.append(child)
        return found

    @functools.cached_property
    def names(self) -> Mapping[int, str]:
        """TF1 names of the variables that a dictionary by names holds."""
        return object_graph.names_in_dictionaries(
            lambda node: ((child, n) for n, child in self.children[node].items()),
            self.keys.__contains__,
        )

    @functools.cached_property
    def trained(self) -> frozenset[int]:
        """The variables that optimizers have slots for, or list as trained."""
        owners = {slot.owner for slots in self.slots for slot in slots}
        for node, children in enumerate(self.children):
            if TRAINED in children:
                owners.update(self.listed(node, TRAINED).values())
        return frozenset(owners)

    @functools.cached_property
    def by_full_name(self) -> Mapping[str, Sequence[int]]:
        """The variables of each full name."""
        found: dict[str, list[int]] = {}
        for node, name in self.full_names.items():
            found.setdefault(name, []).append(node)
        return found

    @functools.cached_property
    def paths(self) -> Mapping[int, str]:
        """The shortest path from the root to each node."""
        found, waiting = {0: ""}, collections.deque([0])
        while waiting:
            node = waiting.popleft()
            for name, child in self.children[node].items():
                if child not in found:
                    found[child] = f"{found[node]}/{name}".lstrip("/")
                    waiting.append(child)
        return found
