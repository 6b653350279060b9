"""Which keys a checkpoint gets in another format: the plan of a conversion.

Pure: from what a checkpoint's keys mean to what they are to be. Nothing is read but
the index and the object graph, nothing is written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import formats, object_graph, object_keys
from estimator_ckpt.checkpoint.contents import Contents
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.filters import Filter, Patterns


@dataclasses.dataclass(frozen=True)
class NewTensor:
    """A tensor that the source does not have.

    Attributes:
      dtype: TensorFlow's name of its dtype.
      shape: its shape.
      chunks: gives its little-endian bytes, in row-major order; of strings, one array.
    """

    dtype: str
    shape: tuple[int, ...]
    chunks: Callable[[], Iterable[Any]]


@dataclasses.dataclass(frozen=True)
class Rekeying:
    """What becomes of each key of a checkpoint.

    Attributes:
      moves: the new keys of each old one, in order; empty if it is left out. Slices
        go with their variable.
      graph: the serialized object graph to write, or None for none of our own: either
        there is to be none, or the old one is among the moves.
      needs_counter: whether a `save_counter` is to be written.
      fresh_step: keys under which a new global step, 0, is to be written.
      written: tensors that are to be written, by new key.
      keeps_names: whether every variable keeps its name.
      unused: what of the map and the filters matched nothing, a sentence each.
    """

    moves: Mapping[str, tuple[str, ...]]
    graph: Optional[bytes]
    needs_counter: bool
    fresh_step: tuple[str, ...] = ()
    written: Mapping[str, NewTensor] = dataclasses.field(default_factory=dict)
    keeps_names: bool = True
    unused: tuple[str, ...] = ()

    @property
    def kept(self) -> set[str]:
        """The old keys whose tensors are carried."""
        return {old for old, new in self.moves.items() if new}

    def changes(self) -> list[tuple[Optional[str], Optional[str]]]:
        """Every old key with its new one; None where there is none."""
        pairs: list[tuple[Optional[str], Optional[str]]] = []
        for old, new in sorted(self.moves.items()):
            pairs += [(old, key) for key in new] or [(old, None)]
        if self.graph is not None:
            pairs.append((None, object_keys.OBJECT_GRAPH_KEY))
        if self.needs_counter:
            pairs.append((None, object_keys.SAVE_COUNTER_KEY))
        pairs += [(None, key) for key in (*self.fresh_step, *self.written)]
        return pairs


def rekey(
    found: Contents,
    all_keys: Iterable[str],
    *,
    to: str,
    graph: Any = None,
    root: Optional[str] = None,
    step: Optional[str] = object_keys.GLOBAL_STEP,
    include: Patterns = None,
    exclude: Patterns = None,
    assignment_map: Any = None,
    source: str,
) -> Rekeying:
    """Plans the keys of a checkpoint in another format.

    Args:
      found: what its keys mean.
      all_keys: all of them, without those of slices.
      to: the format to convert to.
      graph: its TrackableObjectGraph message, None if it has none.
      root: the name of the dictionary that holds the variables in an object-based
        result. None: `var_list` for a name-based source; an object-based source keeps
        its own keys and object graph.
      step: the variable that goes under `step`, None to leave it with the others.
      include: regexes of variable names to keep (`re.match`), None for all.
      exclude: regexes of variable names to leave out; they win.
      assignment_map: new names for variables, as `AssignmentMap.of` takes it. An
        object-based source is then laid out anew.
      source: the checkpoint, for messages.

    Raises:
      ValueError: an unknown format.
      PatternError: a pattern is no regular expression.
      AmbiguousNameError: variable names are needed, and two variables claim one.
      AssignmentMapError: the map is none, or gives two variables one name.
      CheckpointError: nothing is left.
    """
    formats.parse(to)
    chooses = Filter(include, exclude)
    renames = AssignmentMap.of(assignment_map)
    keeps_graph = to != "tf1" and graph is not None and root is None and not renames
    if not keeps_graph or to == "dual" or not chooses.keeps_all:
        found.require_unique(source)
    chosen = [name for name in found.keys if chooses.keeps(name)]
    renaming = renames.rename(dict.fromkeys(chosen), source=source)
    if not chosen and not (keeps_graph and chooses.keeps_all):
        raise CheckpointError(
            f"{source}: include and exclude leave none of its {len(found.keys)} "
            f"variables"
        )
    unused = (
        *renaming.unused,
        *(
            f"the pattern {pattern!r} matches no variable of {source}"
            for pattern in chooses.unused(found.keys)
        ),
    )
    return lay_out(
        found,
        all_keys,
        list(renaming.targets.items()),
        to=to,
        graph=graph if keeps_graph else None,
        root=root,
        step=step,
        unused=unused,
    )


def lay_out(
    found: Contents,
    all_keys: Iterable[str],
    pairs: Sequence[tuple[str, str]],
    *,
    to: str,
    graph: Any = None,
    root: Optional[str] = None,
    step: Optional[str] = object_keys.GLOBAL_STEP,
    restarts: bool = False,
    unused: tuple[str, ...] = (),
) -> Rekeying:
    """Gives variables their keys.

    Args:
      found: what the source's keys mean.
      all_keys: all of them, without those of slices.
      pairs: the variables to keep, with their new names; one may get several.
      to: the format.
      graph: the source's object graph if its keys are to be kept, else None.
      root: the name of the dictionary that holds the variables; None: `var_list`.
      step: the variable that goes under `step`, None to leave it with the others.
      restarts: whether the global step is to be a new one, at 0.
      unused: for the result.
    """
    moves: dict[str, tuple[str, ...]] = {key: (key,) for key in all_keys}
    moves.update((alias, ()) for alias in found.aliases)
    if graph is None:
        moves.pop(object_keys.OBJECT_GRAPH_KEY, None)
        moves.pop(object_keys.SAVE_COUNTER_KEY, None)
    moves.update((key, ()) for key in found.keys.values())
    fresh: list[str] = []
    if restarts:
        old_step = found.global_step
        pairs = [pair for pair in pairs if pair[0] != old_step]
        if to != "tf1" and graph is None:
            fresh.append(object_keys.STEP_KEY)
        elif to != "tf1" and old_step is not None:
            fresh.append(found.keys[old_step])
        fresh.append(object_keys.GLOBAL_STEP)
    new_step = dict(pairs).get(step or "")
    variables = []
    for name, new_name in pairs:
        old = found.keys[name]
        if to == "tf1":
            new = [new_name]
        elif graph is not None:
            new = [old]
        elif new_name == new_step:
            new = [object_keys.STEP_KEY]
        else:
            new = [object_keys.variable_key(new_name, _root(root))]
            variables.append(new_name)
        if to == "dual" or (to == "tf2" and new_name == object_keys.GLOBAL_STEP):
            # Estimator reads max_steps against the name, in every format.
            new.append(new_name)
        moves[old] = tuple(dict.fromkeys((*moves[old], *new)))
    keeps_names = all(old == new for old, new in pairs) and not restarts
    if to == "tf1":
        new_graph = None
    elif graph is None:
        new_graph = object_graph.build(
            sorted(variables),
            root=_root(root),
            step=object_keys.GLOBAL_STEP if restarts else new_step,
        )
    else:
        kept = {old for old, new in moves.items() if new} | set(fresh)
        new_graph = None
        if kept < {*moves, *fresh} - set(found.aliases):
            new_graph = object_graph.without(graph, kept)
            moves.pop(object_keys.OBJECT_GRAPH_KEY, None)
    return Rekeying(
        moves=moves,
        graph=new_graph,
        needs_counter=to != "tf1" and graph is None,
        fresh_step=tuple(dict.fromkeys(fresh)),
        keeps_names=keeps_names,
        unused=unused,
    )


def _root(root: Optional[str]) -> str:
    return object_keys.ROOT if root is None else root
