"""What the variables of two checkpoints are called, to hold one against the other.

A conversion from objects to names and its source have the same variables. So for both

    names='path'    is about objects: a dictionary by names has its names all the same
    shared names    are told apart by paths, as `inspect` shows them
    hash tables     are their two tensors, `<table>-keys` and `<table>-values`, which a
                    checkpoint by names cannot tell from variables

and what objects keep that is no variable of TensorFlow 1 is no difference.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint import naming, object_keys, opening
from estimator_ckpt.checkpoint.contents import Contents
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint, Listed
from estimator_ckpt.checkpoint.roles import (
    AS_FOUND,
    LEFT_BEHIND,
    NO_VARIABLE,
    Overruling,
)
from estimator_ckpt.checkpoint.variable import StoredVariable

if TYPE_CHECKING:
    from estimator_ckpt.checkpoint.evidence.name_sorting import Fact


class Variables(Mapping[str, StoredVariable]):
    """A checkpoint's variables in the order of their names, made when asked for.

    What nobody asks for costs nothing: that two checkpoints have the same bytes under
    a name is seen without knowing what the variable is for.

    Attributes:
      keys_by_name: the key of each, by name.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        keys_by_name: Mapping[str, str],
        own_names: Mapping[str, str] = {},
        of_tables: Collection[str] = (),
    ) -> None:
        """What these keys hold.

        Args:
          checkpoint: the checkpoint.
          keys_by_name: as the attribute, in any order.
          own_names: what the checkpoint calls variables of other names.
          of_tables: the names of tensors of hash tables.
        """
        names = sorted(keys_by_name)
        if names != list(keys_by_name):
            keys_by_name = {name: keys_by_name[name] for name in names}
        self.keys_by_name = keys_by_name
        self._checkpoint = checkpoint
        self._own_names = own_names
        self._of_tables = of_tables
        self._made: dict[str, StoredVariable] = {}

    def __getitem__(self, name: str) -> StoredVariable:
        made = self._made.get(name)
        if made is None:
            key = self.keys_by_name[name]
            own = self._own_names.get(name, name)
            made = self._as_of_both(name, self._checkpoint.stored(own, key))
            self._made[name] = made
        return made

    def all_at_once(
        self, same: Mapping[str, StoredVariable] = {}
    ) -> dict[str, StoredVariable]:
        """All of them, in less time than one after another.

        Args:
          same: those of another checkpoint, of which such as are equal are taken.
        """
        own_name, made = self._own_names.get, self._checkpoint.with_role
        keys = self.keys_by_name.items()
        rows = self._checkpoint.rows((own_name(name, name), key) for name, key in keys)
        found = {}
        for name, row in zip(self.keys_by_name, rows):
            variable, other = self._as_of_both(name, made(row)), same.get(name)
            found[name] = variable if other is None or variable != other else other
        return found

    def _as_of_both(self, name: str, variable: StoredVariable) -> StoredVariable:
        """A variable of the checkpoint as what it is beside the other."""
        if name in self._own_names:
            variable = variable._replace(name=name)
        if name in self._of_tables:
            variable = variable._replace(role=NO_VARIABLE)
        return variable

    def __contains__(self, name: object) -> bool:
        return name in self.keys_by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys_by_name)

    def __len__(self) -> int:
        return len(self.keys_by_name)


class Side(NamedTuple):
    """One of two checkpoints, and all of its variables by the names of both."""

    checkpoint: Checkpoint
    variables: Variables

    @property
    def keys(self) -> Mapping[str, str]:
        """The key of each variable, by its name."""
        return self.variables.keys_by_name

    @property
    def is_by_keys(self) -> bool:
        """Whether its variables' names are its keys: all of them, and nothing else."""
        return self.checkpoint.graph is None


@contextlib.contextmanager
def opened(
    a: files.PathLike,
    b: files.PathLike,
    names: naming.NamesLike,
    overruling: Overruling = AS_FOUND,
) -> Iterator[tuple[Side, Side]]:
    """Opens two checkpoints to hold one against the other.

    Args:
      a: the first, as for `open_checkpoint`.
      b: the second.
      names: what variables of objects are called, as for `open_checkpoint`.
      overruling: what a user says of their variables' roles.

    Raises:
      As `open_checkpoint`.
    """
    with _opened(a, names, overruling) as old, _opened(b, names, overruling) as new:
        _share_names(old, new)
        shared = {*old.contents.ambiguous, *new.contents.ambiguous}
        yield Side(old, _variables(old, shared)), Side(new, _variables(new, shared))


def _opened(
    path: files.PathLike, names: naming.NamesLike, overruling: Overruling
) -> Checkpoint:
    checkpoint = opening.opened(path, names=names, overruling=overruling)
    if naming.parse(names) is NamesBy.FULL_NAME or not checkpoint.contents.is_by_names:
        return checkpoint
    checkpoint.close()
    return opening.opened(path, overruling=overruling)


def _share_names(old: Checkpoint, new: Checkpoint) -> None:
    """Lets both have one table of names and keys if these are the same.

    Those of two checkpoints of one job are; 100,000 names take 12 MB.
    """
    there, here = old.contents.keys, new.contents.keys
    if len(there) == len(here) and all(map(operator.eq, there.items(), here.items())):
        new.contents = new.contents._replace(keys=there)


def _variables(checkpoint: Checkpoint, shared: Collection[str]) -> Variables:
    """A checkpoint's variables.

    Args:
      checkpoint: the checkpoint.
      shared: names that are of several variables here or in the other one.
    """
    meaning = checkpoint.contents
    if not shared and not meaning.tables:
        return Variables(checkpoint, meaning.keys)
    of_shared = (key for keys in meaning.ambiguous.values() for key in keys)
    pairs = [
        *meaning.keys.items(),
        *((object_keys.path_of(key) or key, key) for key in of_shared),
    ]
    keys: dict[str, str] = {}
    own_names: dict[str, str] = {}
    for name, key in sorted(pairs, key=lambda pair: pair[0]):
        path = object_keys.path_of(key) if name in shared else None
        if path is not None and path != name:
            own_names[path] = name
            keys[path] = key
        else:
            own_names.pop(name, None)
            keys[name] = key
    of_tables = {
        name: key
        for name, key in _table_entries(meaning)
        if key in checkpoint.index and name not in keys
    }
    return Variables(checkpoint, {**keys, **of_tables}, own_names, set(of_tables))


def _table_entries(meaning: Contents) -> Iterator[tuple[str, str]]:
    """The names that both tensors of each hash table are compared under, and keys."""
    for table, prefix in meaning.tables.items():
        for suffix in object_keys.TABLE_ENTRIES:
            yield f"{table}{suffix}", f"{prefix}{suffix}"


def decide_roles(
    old: Side,
    new: Side,
    facts: Optional[tuple[Mapping[str, Fact], Mapping[str, Fact]]] = None,
) -> None:
    """Decides what the variables of both are for, at once where that is the same.

    For who will ask for variables of both. Two checkpoints of one job have the same
    names, dtypes, shapes and object graph: then one answer is that of both.

    Args:
      old: a side.
      new: the other.
      facts: what their indexes say of each key, if it is known.
    """
    from estimator_ckpt.checkpoint.evidence import stored_evidence  # a diff may not ask

    checkpoints = old.checkpoint, new.checkpoint
    if not any("roles" in vars(checkpoint) for checkpoint in checkpoints):
        old.checkpoint.roles, new.checkpoint.roles = stored_evidence.of_both(
            *checkpoints, facts
        )


def all_variables(
    old: Side, new: Side
) -> tuple[dict[str, StoredVariable], dict[str, StoredVariable]]:
    """Every variable of both, in the order of their names.

    What is equal on both sides is one object: most variables of two checkpoints of one
    job are, and 100,000 of them take their place. For the same reason their indexes let
    go of what was listed; those are for nothing else from then on.
    """
    if not old.is_by_keys or not new.is_by_keys:
        decide_roles(old, new)
        new_variables = new.variables.all_at_once()
        return old.variables.all_at_once(new_variables), new_variables
    rows, others = _rows(old, new)
    facts = _facts(rows.items())
    there = facts
    if others or old.keys.keys() != new.keys.keys():
        there = _facts((name, others.get(name) or rows[name]) for name in old.keys)
    decide_roles(old, new, (there, facts))
    if old.checkpoint.roles is not new.checkpoint.roles:  # nothing is the same
        others = {name: others.get(name) or rows[name] for name in old.keys}
    made = new.checkpoint.with_role
    new_variables = {name: made(rows.pop(name)) for name in new.keys}
    made = old.checkpoint.with_role
    other = {name: made(row) for name, row in others.items()}
    old_variables = {name: other.get(name) or new_variables[name] for name in old.keys}
    return old_variables, new_variables


def _rows(old: Side, new: Side) -> tuple[dict[str, Listed], dict[str, Listed]]:
    """What the new one says of its variables, and the old one where it says other.

    Their indexes let go of what was listed.
    """
    rows = {row.name: row for row in new.checkpoint.rows(zip(new.keys, new.keys))}
    new.checkpoint.index.forget_wholes()
    others = {
        row.name: row
        for row in old.checkpoint.rows(zip(old.keys, old.keys))
        if rows.get(row.name) != row
    }
    old.checkpoint.index.forget_wholes()
    return rows, others


def _facts(rows: Iterable[tuple[str, Listed]]) -> dict[str, Fact]:
    """The dtypes and shapes of variables; those that have the same share one fact."""
    from estimator_ckpt.checkpoint.evidence.name_sorting import Fact

    found = {}
    same: dict[tuple[str, Any], Fact] = {}
    for name, row in rows:
        about = row.dtype, row.shape
        if about not in same:
            same[about] = Fact(*about)
        found[name] = same[about]
    return found


def left_behind(
    side: Side, other: Side, only_here: Mapping[str, StoredVariable]
) -> list[str]:
    """What of an object's is no variable of TensorFlow 1: metrics, strings.

    Where the other checkpoint is by names, and so cannot have them.

    Args:
      side: a checkpoint.
      other: that which it is held against.
      only_here: its variables that the other has not.
    """
    is_from_object = not side.checkpoint.contents.is_by_names
    if not is_from_object or not other.checkpoint.contents.is_by_names:
        return []
    return [name for name, info in only_here.items() if info.role in LEFT_BEHIND]
