"""What a checkpoint's keys mean: its format, its variables, its global step.

A checkpoint is a table of keys. Which of them are variables, and under which names,
follows from the keys and from the object graph, if there is one. Everything that
asks this question (inspect, convert, plan, warm start, the savers) asks it here.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import formats, messages, object_keys
from estimator_ckpt.checkpoint.formats import Format
from estimator_ckpt.checkpoint.naming import NamesBy

if TYPE_CHECKING:
    from estimator_ckpt.checkpoint.object_graph import Node


class AmbiguousNameError(CheckpointError):
    """Two variables of an object-based checkpoint claim one variable name."""


class Contents(NamedTuple):
    """The meaning of a checkpoint's keys.

    Attributes:
      format: its format.
      keys: the key that holds each variable's value, by variable name. Entries of
        hash tables cannot be told from variables and count as such.
      aliases: keys that hold the same variable once more, by variable name: the name
        keys of a `dual` checkpoint, the `global_step` that a training job adds.
      state: keys that hold neither a variable nor an alias of one: the object graph,
        `save_counter`, tables and iterators of the object graph.
      tables: what the keys of a hash table (or other state that is no variable)
        begin with, by its name: its full name, or its path where that says nothing.
      global_step: the variable name of the global step, or None.
      slots: the variable names that the object graph says are slot variables.
      ambiguous: object keys by the variable name that two or more of them claim;
        none of them is in `keys`.
      is_by_names: whether all variables stand under names of theirs, as of a Saver:
        none is called after the objects that hold it.
      unnamed: variables that nobody named, which are called by their paths for it.
    """

    format: Format
    keys: Mapping[str, str]
    aliases: Mapping[str, str]
    state: frozenset[str]
    tables: Mapping[str, str]
    global_step: Optional[str]
    slots: frozenset[str]
    ambiguous: Mapping[str, tuple[str, ...]]
    is_by_names: bool = True
    unnamed: frozenset[str] = frozenset()

    def require_unique(self, source: str) -> None:
        """Raises AmbiguousNameError if two variables claim one name."""
        if not self.ambiguous:
            return
        claims = "; ".join(
            f"{name!r}: {messages.quoted(keys)}"
            for name, keys in sorted(self.ambiguous.items())[:6]
        )
        raise AmbiguousNameError(
            f"{source}: variables that share a full name: {claims}. names='path' "
            f"(--names=path) calls all variables by their object paths"
        )


def of_names(keys: Collection[str]) -> Contents:
    """What keys mean in a name-based checkpoint: each is a variable's name."""
    return Contents(
        format=formats.TF1,
        keys={key: key for key in keys},
        aliases={},
        state=frozenset(),
        tables={},
        global_step=object_keys.GLOBAL_STEP
        if object_keys.GLOBAL_STEP in keys
        else None,
        slots=frozenset(),
        ambiguous={},
    )


def of_objects(
    keys: Collection[str],
    saved_nodes: Callable[[], Iterable[Node]],
    *,
    names_by: NamesBy = NamesBy.FULL_NAME,
) -> Contents:
    """What keys mean in an object-based checkpoint.

    Args:
      keys: every key of the checkpoint (of a partitioned variable, its own key).
      saved_nodes: gives what its object graph says, in the order of the nodes.
      names_by: what variables are called.
    """
    said, others = _said_and_others(keys, saved_nodes, names_by)
    variables = said.claims
    ambiguous = {n: tuple(said.shared[n]) for n in variables if n in said.shared}
    for name in ambiguous:
        del variables[name]
    state = {object_keys.OBJECT_GRAPH_KEY, *said.counters}
    state.update(_beginning_with(set(said.tables.values()), keys))
    state.update(filter(object_keys.is_object_key, others))
    by_name = [key for key in others if key not in state]
    aliases = {name: name for name in by_name if name in variables}
    is_dual = are_aliased(variables, aliases)
    variables.update((name, name) for name in by_name if name not in aliases)
    global_step = said.global_step
    if global_step is None and object_keys.GLOBAL_STEP in variables:
        global_step = object_keys.GLOBAL_STEP
    return Contents(
        format=formats.having(name_keys=is_dual, object_keys=True),
        keys=variables,
        aliases=aliases,
        state=frozenset(state),
        tables=said.tables,
        global_step=global_step,
        slots=frozenset(said.slots),
        ambiguous=ambiguous,
        is_by_names=said.is_by_names,
        unnamed=frozenset(said.unnamed),
    )


def are_aliased(keys: Mapping[str, str], aliases: Mapping[str, str]) -> bool:
    """Whether all variables have name keys beside their own, as in a `dual` one."""
    return bool(keys) and keys.keys() == aliases.keys()


class _Said:
    """What an object graph says of the keys that are there.

    Attributes:
      claims: the first key that claims each variable name.
      shared: all keys of each name that several claim.
      tables: what keys of other state begin with, by name.
      counters: the save counter's key.
      slots, unnamed, is_by_names, global_step: as of `Contents`.
    """

    def __init__(self) -> None:
        self.claims: dict[str, str] = {}
        self.shared: dict[str, list[str]] = {}
        self.tables: dict[str, str] = {}
        self.counters: set[str] = set()
        self.slots: set[str] = set()
        self.unnamed: set[str] = set()
        self.is_by_names = True
        self.global_step: Optional[str] = None

    def keys(self) -> Iterator[str]:
        """The keys of all variables."""
        shared = self.shared.values()
        return itertools.chain(self.claims.values(), self.counters, *shared)


def _said_and_others(
    keys: Collection[str],
    saved_nodes: Callable[[], Iterable[Node]],
    names_by: NamesBy,
) -> tuple[_Said, list[str]]:
    """What an object graph says of the keys, and those of which it says nothing."""
    said = _said_by(saved_nodes(), (), names_by)
    referenced = set(said.keys())
    others = [key for key in keys if key not in referenced]
    if len(referenced) + len(others) > len(keys):  # of hardly any graph
        missing = referenced.difference(keys)
        said = _said_by(saved_nodes(), missing, names_by)
    return said, others


def _said_by(
    saved_nodes: Iterable[Node], missing: Collection[str], names_by: NamesBy
) -> _Said:
    """What an object graph says of keys that are not missing, in one pass."""
    said = _Said()
    claims = said.claims
    is_by_path = names_by is NamesBy.PATH  # asked once: there can be 100,000 nodes
    for node in saved_nodes:
        key, full_name, listed, is_variable, is_slot, child = node
        if not is_variable:
            said.tables[_name(node)] = key
            continue
        if key in missing:
            continue
        if child == object_keys.SAVE_COUNTER:
            said.counters.add(key)
            continue
        name = _path(key) if is_by_path else listed or _name(node)
        is_step = child == object_keys.STEP
        if is_step or name == object_keys.GLOBAL_STEP:
            said.global_step = name
        if name in claims:
            said.shared.setdefault(name, [claims[name]]).append(key)
        else:
            claims[name] = key
        if listed is None and not is_step:
            said.is_by_names = False
            if object_keys.says_nothing(full_name):
                said.unnamed.add(name)
        if is_slot:
            said.slots.add(name)
    return said


def _beginning_with(prefixes: set[str], keys: Collection[str]) -> Iterator[str]:
    """The keys that begin with one of many prefixes, each once, in one pass."""
    ordered, at = sorted(keys) if prefixes else [], 0
    for prefix in sorted(prefixes):
        at = bisect.bisect_left(ordered, prefix, at)
        while at < len(ordered) and ordered[at].startswith(prefix):
            yield ordered[at]
            at += 1


def _name(node: Node) -> str:
    if node.name is not None:
        return node.name
    if not object_keys.says_nothing(node.full_name):
        return node.full_name
    if node.is_child_of_root == object_keys.STEP:
        return object_keys.GLOBAL_STEP
    return _path(node.key)


def _path(key: str) -> str:
    path = object_keys.node_path(key)
    return key if path is None else path
