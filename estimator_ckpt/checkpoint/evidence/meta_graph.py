"""What a `.meta` file says of a graph's variables.

Source: `tensorflow/core/protobuf/meta_graph.proto` and `variable.proto`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, CorruptIndexError
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.graph_schema import MetaGraphDef, VariableDef


def trainable_variables(prefix: str) -> frozenset[str]:
    """The names of a checkpoint's TRAINABLE_VARIABLES, parts under their whole's.

    Raises:
      CheckpointError: there is no `.meta` file beside the checkpoint.
      CorruptIndexError: it is none.
    """
    path = f"{prefix}.meta"
    if not files.exists(path):
        raise CheckpointError(
            f"{path}: there is none, and a checkpoint alone does not say which "
            f"variables are trainable: name them (include, --include), or carry "
            f"'model' or 'all'"
        )
    return frozenset(_collection(path, "trainable_variables"))


def creation_order(prefix: str, store: files.Store = files) -> list[str]:
    """The names of a graph's variables in the order in which it made them.

    Empty if there is no `.meta` file beside the checkpoint.

    Raises:
      CorruptIndexError: it is none.
    """
    path = f"{prefix}.meta"
    return _collection(path, "variables", store) if store.exists(path) else []


def trainability(
    prefix: str, store: files.Store = files
) -> Optional[Mapping[str, bool]]:
    """Whether each variable of the graph beside a checkpoint is a trainable one.

    Args:
      prefix: the checkpoint's.
      store: where its files are.

    Returns:
      Whether each is in TRAINABLE_VARIABLES, by name (parts under their whole's), in
      the order in which the graph made them. None if nothing is said: there is no
      `.meta` file, or the graph is an exported one, which has lost the collection.

    Raises:
      CorruptIndexError: the `.meta` file is none.
    """
    path = f"{prefix}.meta"
    if not store.exists(path):
        return None
    found = _collections(path, store)
    trainable = set(found.get("trainable_variables", ()))
    if not trainable:
        return None
    names = dict.fromkeys([*found.get("variables", ()), *trainable])
    return {name: name in trainable for name in names}


def _collection(path: str, key: str, store: files.Store = files) -> list[str]:
    """The names of the variables in a collection, in its order."""
    return _collections(path, store).get(key, [])


def _collections(path: str, store: files.Store) -> dict[str, list[str]]:
    """The names in `variables` and `trainable_variables`, in their order."""
    data = store.read(path)
    found: dict[str, list[str]] = {}
    decoded: dict[bytes, str] = {}  # most variables are in both
    try:
        for entry in wire.decode(MetaGraphDef, data).collection_def:
            if entry.key in ("variables", "trainable_variables"):
                for value in entry.value:
                    if value not in decoded:
                        decoded[value] = _name(wire.decode(VariableDef, value))
                names = (decoded[value] for value in entry.value)
                found[entry.key] = list(dict.fromkeys(names))
    except ValueError as error:
        raise CorruptIndexError(f"{path}: no MetaGraphDef: {error}") from None
    return found


def _name(variable: VariableDef) -> str:
    return variable.slice_of or variable.variable_name.rpartition(":")[0]
