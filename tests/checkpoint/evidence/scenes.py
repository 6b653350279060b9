"""Scenes and graphs for tests of evidence: names with shapes, nodes with children."""

from estimator_ckpt.checkpoint.evidence.graph_nodes import GraphNodes, SlotVariable
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact, Scene, sort

W = (3, 4)


def fact(given):
    """A shape, or a dtype and a shape."""
    return (
        Fact(*given) if given and isinstance(given[0], str) else Fact("float32", given)
    )


def scene(variables, **options):
    """Variables by name: their shapes, or dtypes and shapes."""
    facts = {name: fact(given) for name, given in variables.items()}
    return Scene(facts, **options)


def scene_and_names(variables, **options):
    found = scene(variables, **options)
    return found, sort(found)


def graph(children, slots=(), variables=()):
    """An object graph.

    Args:
      children: of each node, its children by local name.
      slots: (optimizer, owner, name, slot variable), numbers of nodes.
      variables: shapes by node.
    """
    of_node = [[] for _ in children]
    for optimizer, owner, name, node in slots:
        of_node[optimizer].append(SlotVariable(owner, name, node))
    keys = {node: f"key{node}" for node in dict(variables)}
    facts = {f"key{node}": Fact("float32", s) for node, s in dict(variables).items()}
    names = {node: f"name{node}" for node in keys}
    return GraphNodes(children, of_node, keys, names, facts)
