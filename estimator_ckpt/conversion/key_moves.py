"""Key moves: under which keys the tensors of a checkpoint go into a new one.

Pure: from what a checkpoint's keys mean to what they are to be. Nothing is read but
the index and the object graph, nothing is written.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from estimator_ckpt.bundle.coding import key_to_name, name_to_key
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.contents import Contents
from estimator_ckpt.conversion.result_keys import ResultKeys

if TYPE_CHECKING:
    from estimator_ckpt.checkpoint.stored_graph import StoredGraph

#: Old and new names, one old name as often as it gets new ones.
NamePairs = Collection[tuple[str, str]]

_GRAPH_KEY = name_to_key(object_keys.OBJECT_GRAPH_KEY)
_COUNTER_KEY = name_to_key(object_keys.SAVE_COUNTER_KEY)


class NewTensor(NamedTuple):
    """A tensor that the source does not have.

    Attributes:
      dtype: TensorFlow's name of its dtype.
      shape: its shape.
      chunks: gives its little-endian bytes, in row-major order; of strings, one array.
    """

    dtype: str
    shape: tuple[int, ...]
    chunks: Callable[[], Iterable[Any]]


class Additions(NamedTuple):
    """What a new checkpoint has beside what moves there.

    Attributes:
      graph: the serialized object graph to write, or None for none of our own: either
        there is to be none, or the old one is among the keys.
      needs_counter: whether a `save_counter` is to be written.
      fresh_step: keys under which a new global step, 0, is to be written.
      written: tensors that are to be written, by new key; one that stands under several
        keys is written once.
    """

    graph: Optional[bytes] = None
    needs_counter: bool = False
    fresh_step: tuple[bytes, ...] = ()
    written: Mapping[bytes, NewTensor] = {}

    @property
    def are_none(self) -> bool:
        """Whether there are none."""
        return self == NOTHING

    def keys(self) -> list[bytes]:
        """The keys of all of it."""
        graph = [] if self.graph is None else [_GRAPH_KEY]
        counter = [_COUNTER_KEY] if self.needs_counter else []
        return [*graph, *counter, *self.fresh_step, *self.written]


NOTHING = Additions()


class KeyMoves(NamedTuple):
    """What becomes of each key of a checkpoint.

    Attributes:
      new_keys: the new keys of each old one, in order; empty if it is left out. Slices
        go with their variable.
      added: what is to be written that the source does not have.
      keeps_names: whether every variable keeps its name.
      unused: what of the map and the filters matched nothing, a sentence each.
    """

    new_keys: Mapping[bytes, tuple[bytes, ...]]
    added: Additions = NOTHING
    keeps_names: bool = True
    unused: tuple[str, ...] = ()

    def changes(self) -> list[tuple[Optional[str], Optional[str]]]:
        """Every old key with its new one; None where there is none."""
        pairs: list[tuple[Optional[str], Optional[str]]] = []
        for old, new in sorted(self.new_keys.items()):
            name = key_to_name(old)
            pairs += [(name, key) for key in map(key_to_name, new)] or [(name, None)]
        pairs += [(None, key) for key in map(key_to_name, self.added.keys())]
        return pairs


def of_variables(
    contents: Contents,
    all_keys: Iterable[bytes],
    pairs: NamePairs,
    result: ResultKeys,
    *,
    restarts: bool = False,
    unused: tuple[str, ...] = (),
) -> KeyMoves:
    """The key moves that give variables their new names.

    Args:
      contents: what the source's keys mean.
      all_keys: all of them, without those of slices.
      pairs: the variables to keep, with their new names; one may get several.
      result: how they are keyed.
      restarts: whether the global step is to be a new one, at 0.
      unused: for the result.
    """
    if restarts:
        pairs = [pair for pair in pairs if pair[0] != contents.global_step]
    fresh_step = result.of_fresh_step(contents) if restarts else ()
    step = None
    for old_name, name in pairs:
        if old_name == result.step:
            step = name
    graph = _new_graph(pairs, step, fresh_step, result)
    new_keys = _of_other_keys(contents, all_keys, result)
    known, keys_of = contents.keys, result.of_variable
    for old_name, name in pairs:
        old_key = name_to_key(known[old_name])
        keys = keys_of(old_key, name, name == step)
        before = new_keys[old_key]
        if before or len(keys) > 1:  # which may have one key twice
            keys = tuple(dict.fromkeys((*before, *keys)))
        new_keys[old_key] = keys
    if result.source_graph is not None:
        graph = _pruned_graph(contents, new_keys, fresh_step, result.source_graph)
        if graph is not None:
            del new_keys[_GRAPH_KEY]
    return KeyMoves(
        new_keys,
        Additions(graph, needs_counter=result.is_new_graph, fresh_step=fresh_step),
        keeps_names=not restarts and all(old == new for old, new in pairs),
        unused=unused,
    )


def _of_other_keys(
    contents: Contents, all_keys: Iterable[bytes], result: ResultKeys
) -> dict[bytes, tuple[bytes, ...]]:
    """The moves of what is no variable; variables and their aliases have none yet."""
    new_keys: dict[bytes, tuple[bytes, ...]] = dict.fromkeys(all_keys, ())
    shared = itertools.chain.from_iterable(contents.ambiguous.values())
    for key in map(name_to_key, shared):
        new_keys[key] = (key,)
    if result.source_graph is not None:
        for key in map(name_to_key, contents.state):
            if key in new_keys:
                new_keys[key] = (key,)
        return new_keys
    # Without its graph nobody finds what is behind an object key; the entries of a hash
    # table have names too.
    for name, prefix in contents.tables.items():
        for suffix in object_keys.TABLE_ENTRIES:
            key = name_to_key(f"{prefix}{suffix}")
            if key in new_keys:
                new_keys[key] = (name_to_key(f"{name}{suffix}"),)
    new_keys.pop(_GRAPH_KEY, None)
    new_keys.pop(_COUNTER_KEY, None)
    return new_keys


def _new_graph(
    pairs: NamePairs,
    step: Optional[str],
    fresh_step: tuple[bytes, ...],
    result: ResultKeys,
) -> Optional[bytes]:
    """The object graph of a result that is laid out anew."""
    if not result.is_new_graph:
        return None
    from estimator_ckpt.conversion import dictionary_graph  # of few results

    return dictionary_graph.build(
        # In order, or nearly so, they are: a set would have to be sorted from scratch.
        sorted(dict.fromkeys(name for _, name in pairs if name != step)),
        root=result.dictionary,
        step=object_keys.GLOBAL_STEP if fresh_step else step,
    )


def _pruned_graph(
    contents: Contents,
    new_keys: Mapping[bytes, tuple[bytes, ...]],
    fresh_step: tuple[bytes, ...],
    source_graph: StoredGraph,
) -> Optional[bytes]:
    """The source's graph less what is left out; None if nothing is."""
    kept = {old for old, new in new_keys.items() if new} | set(fresh_step)
    aliases = map(name_to_key, contents.aliases)
    if kept.issuperset({*new_keys, *fresh_step}.difference(aliases)):
        return None
    from estimator_ckpt.checkpoint import object_graph

    return object_graph.without(source_graph.parse(), set(map(key_to_name, kept)))
