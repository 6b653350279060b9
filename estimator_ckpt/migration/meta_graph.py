"""What a `.meta` file says of a graph's variables.

Source: `tensorflow/core/protobuf/meta_graph.proto` and `variable.proto`.
"""

from __future__ import annotations

from estimator_ckpt.bundle import files, schema
from estimator_ckpt.bundle.errors import CheckpointError, CorruptIndexError


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
    try:
        message = schema.MetaGraphDef.FromString(files.read(path))
        found = [
            schema.VariableDef.FromString(value)
            for entry in message.collection_def
            if entry.key == "trainable_variables"
            for value in entry.value.bytes_list.value
        ]
    except schema.DecodeError as error:
        raise CorruptIndexError(f"{path}: no MetaGraphDef: {error}") from None
    return frozenset(
        variable.save_slice_info_def.full_name
        or variable.variable_name.rpartition(":")[0]
        for variable in found
    )
