"""Decides what each variable is for, from whatever evidence there is.

In this order of trust: what a user says; the object graph; a collection of what is
trained (of a live graph, or of the `.meta` file beside a checkpoint); names, shapes and
siblings; and last the names that layers and optimizers give by default. Nothing here
reads a tensor, and TensorFlow is not needed.
"""

from __future__ import annotations

import collections
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.evidence import (
    default_roles,
    graph_evidence,
    name_evidence,
)
from estimator_ckpt.checkpoint.evidence.graph_nodes import Graph, GraphNodes
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact, Scene, last_of
from estimator_ckpt.checkpoint.evidence.overruled_roles import Overruled
from estimator_ckpt.checkpoint.optimizers import slot_names
from estimator_ckpt.checkpoint.roles import (
    AS_FOUND,
    GLOBAL_STEP,
    Decision,
    Overruling,
    Roles,
)


def by_names(names: Iterable[str]) -> Roles:
    """What variables are for, as far as their names alone tell."""
    return decide(dict.fromkeys(names, Fact("", None)))


def decide(
    facts: Mapping[str, Fact],
    *,
    global_step: Optional[str] = None,
    keys: Optional[Mapping[str, str]] = None,
    graph: Optional[Graph] = None,
    facts_by_key: Optional[Mapping[str, Fact]] = None,
    trainable: Optional[Mapping[str, bool]] = None,
    collection: str = "the collection",
    overruling: Overruling = AS_FOUND,
) -> Roles:
    """What each of these variables is for.

    Args:
      facts: the dtype and shape of each variable, by its name.
      global_step: the name of the global step, None if there is none. Nobody can
        overrule that it is.
      keys: their keys in an object-based checkpoint, by name.
      graph: its object graph, of a checkpoint or a message; None if there is none.
      facts_by_key: the facts by object key, where more keys than these names have any.
      trainable: whether each variable is in a graph's TRAINABLE_VARIABLES, by name, in
        the order in which the graph made them; None where nothing says so.
      collection: what says so, for people.
      overruling: what a user says.

    Returns:
      A decision for each of the names.
    """
    by_graph: dict[str, Decision] = {}
    called: Mapping[str, str] = {}
    if graph is not None and keys is not None:
        by_key = {key: name for name, key in keys.items() if name in facts}
        if facts_by_key is None:
            facts_by_key = {key: facts[name] for key, name in by_key.items()}
        nodes = GraphNodes.of(graph.nodes, facts_by_key)
        by_graph = _by_graph(nodes, by_key)
        called = _tf1_names(nodes, by_key, facts)
    if global_step is not None and global_step in facts:
        by_graph[global_step] = Decision(GLOBAL_STEP, "the global step")
    evidence = _Evidence(
        facts, by_graph, _bare(facts, called), trainable or {}, collection
    )
    found = evidence.decide()
    if overruling:
        overruled = Overruled.of(found, overruling)
        found = evidence.decide(overruled.known, overruled.forced)
        found = overruled.said_of(found)
    return Roles(found, overruling.unused(facts))


class _Evidence(NamedTuple):
    """All that is known of some variables.

    Attributes:
      facts: the dtype and shape of each, by name.
      by_graph: what an object graph says, or a live graph of its global step.
      bare: what each would be called in a graph of TensorFlow 1, where that is another
        name.
      trainable: whether each is in a graph's collection, as `decide` takes it.
      collection: what to call that.
    """

    facts: Mapping[str, Fact]
    by_graph: Mapping[str, Decision]
    bare: Mapping[str, str]
    trainable: Mapping[str, bool]
    collection: str

    def decide(
        self, known: Mapping[str, Decision] = {}, forced: Collection[str] = ()
    ) -> dict[str, Decision]:
        """A decision for each variable.

        Args:
          known: decisions that no evidence counts against.
          forced: names of what is optimizer state, whatever the evidence.
        """
        facts, bare = self.facts, self.bare
        said = {n: said for n, said in self.by_graph.items() if n not in forced}
        said.update(known)
        for name in _steps(facts, bare, said):
            said.setdefault(name, Decision(GLOBAL_STEP, "named global_step"))
        trainable = _believed(self.trainable, facts, bare)
        order = tuple(self.trainable)
        said.update(_by_names(facts, bare, said, trainable, order, forced))
        found = {
            name: said.get(name)
            or default_roles.of(bare.get(name, name), fact, trainable, self.collection)
            for name, fact in facts.items()
        }
        found.update(default_roles.of_owners(said, found))
        return found


def _steps(
    facts: Mapping[str, Fact], bare: Mapping[str, str], said: Mapping[str, Decision]
) -> list[str]:
    """What is called global_step; in a scope if that is the only one."""
    if any(decision.role is GLOBAL_STEP for decision in said.values()):
        return []
    called = object_keys.GLOBAL_STEP
    counts = {
        name: tf1_name
        for name in facts
        if (tf1_name := bare.get(name, name)).endswith(called)
        and last_of(tf1_name) == called
        and facts[name].is_integer
    }
    at_top = [name for name, tf1_name in counts.items() if tf1_name == called]
    scoped = [name for name in counts if facts[name].is_scalar]
    return at_top or (scoped if len(scoped) == 1 else [])


def _by_graph(graph: GraphNodes, by_key: Mapping[str, str]) -> dict[str, Decision]:
    """What the object graph says, by name."""
    found: dict[str, Decision] = {}
    for key, decision in graph_evidence.decide(graph).items():
        name = by_key.get(key)
        if name is None:
            continue
        owner = decision.owner
        if owner is not None:
            owner = by_key.get(owner) or object_keys.path_of(owner)
            decision = decision._replace(owner=owner)
        found[name] = decision
    return found


def _tf1_names(
    graph: GraphNodes, by_key: Mapping[str, str], facts: Mapping[str, Fact]
) -> dict[str, str]:
    """What a graph of TensorFlow 1 would call variables, where that is another name.

    An object-based checkpoint can be read by paths; its full names say more.
    """
    found: dict[str, str] = {}
    for node, key in graph.keys.items():
        name = by_key.get(key)
        if name is None:
            continue
        tf1_name = graph.names.get(node) or graph.full_names[node]
        if tf1_name != name and not object_keys.says_nothing(tf1_name):
            found[name] = tf1_name
    counts = collections.Counter(found.values())
    return {
        name: tf1_name
        for name, tf1_name in found.items()
        if counts[tf1_name] == 1 and tf1_name not in facts
    }


def _bare(facts: Mapping[str, Fact], called: Mapping[str, str]) -> dict[str, str]:
    """The name of each variable in a graph, where that is not its name here.

    Names of a `Saver({v.name: v})` end in `:0`, which is no part of the name.
    """
    bare = {name: name[:-2] for name in facts if name.endswith(":0")}
    for name, tf1_name in called.items():
        bare[name] = tf1_name[:-2] if tf1_name.endswith(":0") else tf1_name
    if bare and len({bare.get(name, name) for name in facts}) < len(facts):
        return {}  # told apart by `:0` alone
    return bare


def _believed(
    trainable: Mapping[str, bool], facts: Mapping[str, Fact], bare: Mapping[str, str]
) -> Mapping[str, bool]:
    """A collection less what is not to be believed.

    Keras 2.2 puts into TRAINABLE_VARIABLES whatever it makes, its step counter too,
    which nobody can train. Such a collection only says what is *not* trained.
    """
    is_void = bool(trainable) and any(
        trainable.get(tf1_name := bare.get(name, name))
        and last_of(tf1_name) in slot_names.COUNTERS
        and fact.is_integer
        for name, fact in facts.items()
    )
    if not is_void:
        return trainable
    return {name: trains for name, trains in trainable.items() if not trains}


def _by_names(
    facts: Mapping[str, Fact],
    bare: Mapping[str, str],
    said: Mapping[str, Decision],
    trainable: Mapping[str, bool],
    order: Sequence[str],
    forced: Collection[str],
) -> dict[str, Decision]:
    """What names say of variables of which nothing is said yet."""
    if len(said) == len(facts):
        return {}
    if not bare:
        return name_evidence.decide(
            Scene(facts, trainable, order, said, frozenset(forced))
        )
    names = {bare.get(name, name): name for name in facts}
    found = name_evidence.decide(
        Scene(
            facts={tf1_name: facts[name] for tf1_name, name in names.items()},
            trainable=trainable,
            order=order,
            known={bare.get(name, name): decision for name, decision in said.items()},
            forced=frozenset(bare.get(name, name) for name in forced),
        )
    )
    result: dict[str, Decision] = {}
    for tf1_name, decision in found.items():
        owner = decision.owner
        if owner is not None and names[owner] != owner:
            decision = decision._replace(owner=names[owner])
        result[names[tf1_name]] = decision
    return result
