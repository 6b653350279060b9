"""What a `.meta` file says of a graph's variables.

Source: `tensorflow/core/protobuf/meta_graph.proto` and `variable.proto`.
"""

from __future__ import annotations

from estimator_ckpt.bundle import files, wire
from estimator_ckpt.bundle.errors import CheckpointError, CorruptIndexError
from estimator_ckpt.bundle.schema import MetaGraphDef, VariableDef


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


def creation_order(prefix: str) -> list[str]:
    """The names of a graph's variables in the order in which it made them.

    Empty if there is no `.meta` file beside the checkpoint.

    Raises:
      CorruptIndexError: it is none.
    """
    path = f"{prefix}.meta"
    return _collection(path, "variables") if files.exists(path) else []


def _collection(path: str, key: str) -> list[str]:
    """The names of the variables in a collection, in its order."""
    data = files.read(path)
    try:
        found = [
            wire.decode(VariableDef, value)
            for entry in wire.decode(MetaGraphDef, data).collection_def
            if entry.key == key
            for value in entry.value
        ]
    except ValueError as error:
        raise CorruptIndexError(f"{path}: no MetaGraphDef: {error}") from None
    names = (
        variable.slice_of or variable.variable_name.rpartition(":")[0]
        for variable in found
    )
    return list(dict.fromkeys(names))
