"""Key moves: under which keys the tensors of a checkpoint go into a new one.

Pure: from what a checkpoint's keys mean to what they are to be. Nothing is read but
the index and the object graph, nothing is written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.protobuf.schema import TrackableObjectGraph
from estimator_ckpt.checkpoint import messages, naming, object_graph, object_keys
from estimator_ckpt.checkpoint.contents import Contents
from estimator_ckpt.checkpoint.formats import Format
from estimator_ckpt.checkpoint.naming import NamesBy, NamesLike
from estimator_ckpt.checkpoint.roles import (
    AS_FOUND,
    LEFT_BEHIND,
    Overruling,
    Regexes,
    Roles,
)
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.filters import Filter, Patterns

#: Old and new names, one old name as often as it gets new ones.
NamePairs = Sequence[tuple[str, str]]


@dataclasses.dataclass(frozen=True)
class Naming:
    """Which variables a conversion takes, and what they are called before and after.

    Attributes:
      names_by: what variables of an object-based source are called.
      root: the name of the dictionary that holds the variables in an object-based
        result. None: `var_list`; but an object-based source keeps its own keys and
        object graph.
      step: the variable that goes under `step`; None leaves it with the others.
      assignment_map: from old names to new ones. It lays an object-based source out
        anew.
      chosen: which variables are taken, by their old names.
      overruling: what a user says of their roles.
    """

    names_by: NamesBy = NamesBy.FULL_NAME
    root: Optional[str] = None
    step: Optional[str] = object_keys.GLOBAL_STEP
    assignment_map: AssignmentMap = dataclasses.field(default_factory=AssignmentMap)
    chosen: Filter = dataclasses.field(default_factory=Filter)
    overruling: Overruling = AS_FOUND

    @classmethod
    def of(
        cls,
        *,
        names: NamesLike,
        root: Optional[str],
        step: Optional[str],
        assignment_map: Any,
        include: Patterns,
        exclude: Patterns,
        optimizer_state: Regexes = None,
        model_state: Regexes = None,
    ) -> Naming:
        """Checks what a user asks for; the arguments are those of `convert`.

        Raises:
          ValueError: unknown `names`.
          PatternError: a pattern is no regular expression.
          AssignmentMapError: the map is none.
        """
        return cls(
            naming.parse(names),
            root,
            step,
            AssignmentMap.of(assignment_map),
            Filter(include, exclude),
            Overruling.of(optimizer_state, model_state),
        )


@dataclasses.dataclass(frozen=True)
class ResultKeys:
    """How the variables of a result are keyed.

    A variable has a name key, an object key, or both, as its format says. Object keys
    and object graph are those of the source, or those of
    `tf.train.Checkpoint(<root>={name: variable}, step=...)`.

    Attributes:
      format: the result's format.
      source_graph: the source's TrackableObjectGraph message if its object keys and
        its graph stay; None if they are laid out anew, or there are to be none.
      root: the name of the dictionary that holds the variables, where they are laid
        out anew; None: `var_list`.
      step: the variable, by its old name, that goes under `step` there; None leaves it
        with the others.
    """

    format: Format
    source_graph: Optional[TrackableObjectGraph] = None
    root: Optional[str] = None
    step: Optional[str] = object_keys.GLOBAL_STEP

    @property
    def is_new_graph(self) -> bool:
        """Whether the result has an object graph that the source has not."""
        return self.format.has_object_keys and self.source_graph is None

    @property
    def dictionary(self) -> str:
        """The name of the dictionary that holds the variables in a new graph."""
        return object_keys.ROOT if self.root is None else self.root

    def of_variable(self, old_key: str, name: str, is_step: bool) -> Iterator[str]:
        """The keys of a variable in the result.

        Args:
          old_key: the key that holds it in the source.
          name: its new name.
          is_step: whether it goes under `step` in a new graph.
        """
        if self.source_graph is not None:
            yield old_key
        elif self.format.has_object_keys:
            yield (
                object_keys.STEP_KEY
                if is_step
                else object_keys.variable_key(name, self.dictionary)
            )
        # Estimator reads max_steps against the name, in every format.
        if self.format.has_name_keys or name == object_keys.GLOBAL_STEP:
            yield name

    def of_fresh_step(self, contents: Contents) -> tuple[str, ...]:
        """The keys of a new global step, in the place of the source's."""
        keys = []
        if self.is_new_graph:
            keys.append(object_keys.STEP_KEY)
        elif self.source_graph is not None and contents.global_step is not None:
            keys.append(contents.keys[contents.global_step])
        return tuple(dict.fromkeys([*keys, object_keys.GLOBAL_STEP]))


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
class KeyMoves:
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
    written: Mapping[str, NewTensor] = dataclasses.field(default_factory=dict)
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


def of_conversion(
    contents: Contents,
    all_keys: Iterable[str],
    graph: Optional[TrackableObjectGraph],
    format: Format,
    wanted: Naming,
    source: str,
    roles_of: Optional[Callable[[], Roles]] = None,
) -> KeyMoves:
    """The key moves of a conversion.

    Args:
      contents: what the source's keys mean.
      all_keys: all of them, without those of slices.
      graph: its TrackableObjectGraph message, None if it has none.
      format: the format to convert to.
      wanted: which variables are taken, under which names.
      source: the checkpoint, for messages.
      roles_of: gives the roles of its variables, where they matter; None: by names.

    Raises:
      AmbiguousNameError: variable names are needed, and two variables claim one.
      AssignmentMapError: the map gives two variables one name.
      CheckpointError: the filters leave nothing of what there is.
    """
    keeps_graph = (
        format.has_object_keys
        and graph is not None
        and wanted.root is None
        and not wanted.assignment_map
    )
    if not keeps_graph or format.has_name_keys or not wanted.chosen.keeps_all:
        contents.require_unique(source)
    chosen = list(contents.keys)
    if not wanted.chosen.keeps_all:
        chosen = [name for name in chosen if wanted.chosen.keeps(name)]
    if contents.keys and not chosen:
        raise CheckpointError(
            f"{source}: include and exclude leave none of its {len(contents.keys)} "
            f"variables"
        )
    left_out: list[str] = []
    roles: Optional[Roles] = None
    gets_names = graph is not None and not keeps_graph
    if roles_of and (gets_names or wanted.assignment_map or wanted.overruling):
        roles = roles_of()  # which take time, and matter to nothing else
    if roles is not None and gets_names:
        left_out = _no_names_for(contents, chosen, wanted.root, roles)
        chosen = [name for name in chosen if name not in set(left_out)]
    renaming = wanted.assignment_map.rename(
        dict.fromkeys(chosen), source=source, owners=roles.owners if roles else None
    )
    patterns = wanted.chosen.unused(contents.keys)
    return of_variables(
        contents,
        all_keys,
        renaming.pairs,
        ResultKeys(format, graph if keeps_graph else None, wanted.root, wanted.step),
        unused=(
            *_sentences(left_out, source),
            *(f"{source}: {said}" for said in (roles.remarks() if roles else ())),
            *renaming.unused,
            *(f"the pattern {p!r} matches no variable of {source}" for p in patterns),
        ),
    )


def _no_names_for(
    contents: Contents, chosen: Sequence[str], root: Optional[str], roles: Roles
) -> list[str]:
    """What an object keeps that is no variable of TensorFlow 1: metrics, strings.

    Under a dictionary of names all are: these come from a checkpoint by names.
    """
    dictionaries = tuple(
        f"{object_keys.escape(name)}/"
        for name in (*object_keys.NAME_DICTIONARIES, root)
        if name is not None
    )
    return [
        name
        for name in chosen
        if roles.role(name) in LEFT_BEHIND
        and not contents.keys[name].startswith(dictionaries)
    ]


def _sentences(left_out: Sequence[str], source: str) -> list[str]:
    """What is said of them; nothing if there are none."""
    if not left_out:
        return []
    return [
        f"{source}: {messages.quoted(left_out)} left out: metrics and strings of "
        f"objects are no variables of TensorFlow 1"
    ]


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
    step = dict(pairs).get(result.step or "")
    new_keys = _of_other_keys(contents, all_keys, result)
    for old_name, name in pairs:
        old_key = contents.keys[old_name]
        keys = result.of_variable(old_key, name, is_step=name == step)
        new_keys[old_key] = tuple(dict.fromkeys((*new_keys[old_key], *keys)))
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
    new_keys: dict[str, tuple[str, ...]] = {key: (key,) for key in all_keys}
    new_keys.update(dict.fromkeys(contents.aliases, ()))
    new_keys.update(dict.fromkeys(contents.keys.values(), ()))
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
    return object_graph.build(
        sorted({name for _, name in pairs if name != step}),
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
    return object_graph.without(result.source_graph, kept)
