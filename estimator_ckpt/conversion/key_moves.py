"""Key moves: under which keys the tensors of a checkpoint go into a new one.

Pure: from what a checkpoint's keys mean to what they are to be. Nothing is read but
the index and the object graph, nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from estimator_ckpt.checkpoint import object_graph, object_keys
from estimator_ckpt.checkpoint.contents import Contents
from estimator_ckpt.conversion.result_keys import ResultKeys

#: Old and new names, one old name as often as it gets new ones.
NamePairs = Sequence[tuple[str, str]]


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


class KeyMoves(NamedTuple):
    """What becomes of each key of a checkpoint.

    Attributes:
      new_keys: the new keys of each old one, in order; empty if it is left out. Slices
        go with their variable.
      graph: the serialized object graph to write, or None for none of our own: either
        there is to be none, or the old one is among the keys.
      needs_counter: whether a `save_counter` is to be written.
      fresh_step: keys under which a new global step, 0, is to be written.
      written: tensors that are to be written, by new key; one that stands under several
        keys is written once.
      keeps_names: whether every variable keeps its name.
      unused: what of the map and the filters matched nothing, a sentence each.
    """

    new_keys: Mapping[str, tuple[str, ...]]
    graph: Optional[bytes] = None
    needs_counter: bool = False
    fresh_step: tuple[str, ...] = ()
    written: Mapping[str, NewTensor] = {}
    keeps_names: bool = True
    unused: tuple[str, ...] = ()

    @property
    def kept(self) -> set[str]:
        """The old keys whose tensors are carried."""
        return {old for old, new in self.new_keys.items() if new}

    @property
    def has_new_tensors(self) -> bool:
        """Whether anything is to be written that the source does not have."""
        return bool(
            self.graph is not None
            or self.needs_counter
            or self.fresh_step
            or self.written
        )

    def changes(self) -> list[tuple[Optional[str], Optional[str]]]:
        """Every old key with its new one; None where there is none."""
        pairs: list[tuple[Optional[str], Optional[str]]] = []
        for old, new in sorted(self.new_keys.items()):
            pairs += [(old, key) for key in new] or [(old, None)]
        if self.graph is not None:
            pairs.append((None, object_keys.OBJECT_GRAPH_KEY))
        if self.needs_counter:
            pairs.append((None, object_keys.SAVE_COUNTER_KEY))
        pairs += [(None, key) for key in (*self.fresh_step, *self.written)]
        return pairs


def of_variables(
    contents: Contents,
    all_keys: Iterable[str],
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
    new_keys = _of_other_keys(contents, all_keys, result)
    known, keys_of = contents.keys, result.of_variable
    for old_name, name in pairs:
        old_key = known[old_name]
        keys = keys_of(old_key, name, name == step)
        before = new_keys[old_key]
        if before or len(keys) > 1:  # which may have one key twice
            keys = tuple(dict.fromkeys((*before, *keys)))
        new_keys[old_key] = keys
    graph = _new_graph(pairs, step, fresh_step, result)
    if result.source_graph is not None:
        graph = _pruned_graph(contents, new_keys, fresh_step, result)
        if graph is not None:
            del new_keys[object_keys.OBJECT_GRAPH_KEY]
    return KeyMoves(
        new_keys,
        graph,
        needs_counter=result.is_new_graph,
        fresh_step=fresh_step,
        keeps_names=not restarts and all(old == new for old, new in pairs),
        unused=unused,
    )


def _of_other_keys(
    contents: Contents, all_keys: Iterable[str], result: ResultKeys
) -> dict[str, tuple[str, ...]]:
    """The moves of what is no variable; variables and their aliases have none yet."""
    of_variables = {key: key for key in contents.keys.values()}
    of_variables.update((key, key) for key in contents.aliases)
    new_keys: dict[str, tuple[str, ...]] = {}
    for key in all_keys:
        known = of_variables.get(key)
        if known is None:
            new_keys[key] = (key,)
        else:  # the same object: of 100,000 keys the text is there once
            new_keys[known] = ()
    if result.source_graph is None:
        # Without its graph nobody finds what is behind an object key; the entries of a
        # hash table have names too.
        new_keys.update(dict.fromkeys(contents.state & new_keys.keys(), ()))
        for name, prefix in contents.tables.items():
            for suffix in object_keys.TABLE_ENTRIES:
                if f"{prefix}{suffix}" in new_keys:
                    new_keys[f"{prefix}{suffix}"] = (f"{name}{suffix}",)
        new_keys.pop(object_keys.OBJECT_GRAPH_KEY, None)
        new_keys.pop(object_keys.SAVE_COUNTER_KEY, None)
    return new_keys


def _new_graph(
    pairs: NamePairs,
    step: Optional[str],
    fresh_step: tuple[str, ...],
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
    new_keys: Mapping[str, tuple[str, ...]],
    fresh_step: tuple[str, ...],
    result: ResultKeys,
) -> Optional[bytes]:
    """The source's graph less what is left out; None if nothing is."""
    kept = {old for old, new in new_keys.items() if new} | set(fresh_step)
    everything = {*new_keys, *fresh_step} - set(contents.aliases)
    if result.source_graph is None or kept >= everything:
        return None
    return object_graph.without(result.source_graph.message, kept)
