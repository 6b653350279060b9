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
import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint import naming, object_keys, opening
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import (
    AS_FOUND,
    LEFT_BEHIND,
    NO_VARIABLE,
    Overruling,
)
from estimator_ckpt.checkpoint.variable import StoredVariable


class Side(NamedTuple):
    """One of two checkpoints, and all of its variables by the names of both."""

    checkpoint: Checkpoint
    variables: Mapping[str, StoredVariable]


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


def _variables(
    checkpoint: Checkpoint, shared: Collection[str]
) -> dict[str, StoredVariable]:
    """A checkpoint's variables, in the order of their names.

    Args:
      checkpoint: the checkpoint.
      shared: names that are of several variables here or in the other one.
    """
    found = {}
    for variable in checkpoint.everything():
        path = object_keys.path_of(variable.key) if variable.name in shared else None
        if path is not None:
            variable = dataclasses.replace(variable, name=path)
        found[variable.name] = variable
    for table, prefix in checkpoint.contents.tables.items():
        for suffix in object_keys.TABLE_ENTRIES:
            if f"{prefix}{suffix}" in checkpoint.index:
                name = f"{table}{suffix}"
                entry = checkpoint.stored(name, f"{prefix}{suffix}")
                found.setdefault(name, dataclasses.replace(entry, role=NO_VARIABLE))
    return dict(sorted(found.items()))


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
