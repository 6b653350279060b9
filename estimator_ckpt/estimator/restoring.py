"""Checkpoints as the training side reads them: through TensorFlow's own reader.

So a warm start or a restore works wherever `tf.io.gfile` does, and for checkpoints of
the V1 format. What the keys mean is decided by `checkpoint.contents`, as everywhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Optional, Union

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    CorruptIndexError,
)
from estimator_ckpt.bundle.index import index_path, parse_index, shard_path
from estimator_ckpt.checkpoint import contents, object_graph, object_keys
from estimator_ckpt.maps.assignment import AssignmentMap, AssignmentMapError
from estimator_ckpt.maps.plans import Variable, role_in

#: What TensorFlow says of a whole tensor that it cannot give as an array: slices of
#: some dtypes, variants.
_CANNOT_SHOW = re.compile("not supported|not convertible")


class DamagedCheckpointError(CheckpointError):
    """A checkpoint is not whole: a file is missing, cut off, or was changed."""


#: What people paste behind a prefix or a model dir: the name of one of its files.
_FILE_OF_CHECKPOINT = re.compile(
    r"(\.index|\.meta|\.data-\d{5}-of-\d{5}|(?<=/)checkpoint)$"
)


@dataclasses.dataclass(frozen=True)
class Source:
    """A checkpoint that can be restored from.

    Attributes:
      prefix: its prefix.
      contents: what its keys mean.
      shapes: shapes by key; of a partitioned variable, the whole one's.
      dtypes: dtypes by key.
      graph: its object graph, None if it has none.
    """

    prefix: str
    contents: contents.Contents
    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, tf.DType]
    graph: Any

    @property
    def full_names(self) -> dict[str, str]:
        """Object keys by full name, as TensorFlow's own fallback reads them.

        Of two with one name, the last. Empty without an object graph.
        """
        if self.graph is None:
            return {}
        nodes = object_graph.saved_nodes(self.graph)
        return {node.full_name: node.key for node in nodes}


def read(prefix: str) -> Source:
    """Reads what a checkpoint holds, without its values.

    Raises:
      DamagedCheckpointError: TensorFlow cannot read it.
    """
    try:
        reader = tf1.train.NewCheckpointReader(prefix)
        shapes = reader.get_variable_to_shape_map()
        dtypes = reader.get_variable_to_dtype_map()
        graph = None
        if object_keys.OBJECT_GRAPH_KEY in shapes:
            serialized = reader.get_tensor(object_keys.OBJECT_GRAPH_KEY)
            graph = object_graph.parse(serialized, prefix)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise DamagedCheckpointError(
            f"{prefix}: TensorFlow cannot read this checkpoint: {_first_line(error)}"
        ) from error
    return Source(
        prefix=prefix,
        contents=contents.of(shapes, graph),
        shapes={key: tuple(shape) for key, shape in shapes.items()},
        dtypes=dtypes,
        graph=graph,
    )


def renamed(source: Source, assignment_map: AssignmentMap) -> Source:
    """The checkpoint with its variables under the names that a map gives them.

    A job that goes on under a map reads its own checkpoints through it, too, and those
    have the new names already. So the map must leave new names alone; only a copy of a
    variable that keeps its name may be there already, and is then what is restored.

    Raises:
      AssignmentMapError: it does not, or gives two variables one name.
    """
    keys = source.contents.keys
    pairs = assignment_map.rename(keys, source=source.prefix, among_others=True).pairs
    moved = [(old, new) for old, new in pairs if new != old]
    staying = {old for old, new in pairs if new == old}
    twice = sorted(new for old, new in moved if new in keys and old not in staying)
    if twice:
        raise AssignmentMapError(
            f"{source.prefix} has variables that the assignment map renames others to: "
            f"{', '.join(map(repr, twice))}. A saver's map is for names that are gone; "
            f"for this convert the checkpoint first (estimator-ckpt convert)"
        )
    if not moved:
        return source
    new_keys = {new: keys[old] for old, new in pairs}
    new_keys |= {new: keys[new] for _, new in moved if new in keys}
    return dataclasses.replace(
        source, contents=dataclasses.replace(source.contents, keys=new_keys)
    )


def variables_of(source: Source) -> dict[str, Variable]:
    """A checkpoint's variables as a plan takes them, roles told from names."""
    return {
        name: Variable(
            name,
            source.dtypes[key].name,
            source.shapes[key],
            role_in(source.contents, name),
            key,
            math.prod(source.shapes[key]) * source.dtypes[key].size,
        )
        for name, key in source.contents.keys.items()
    }


def resolve(path: Union[str, os.PathLike[str]]) -> str:
    """The checkpoint prefix that a model dir or prefix stands for.

    A model dir stands for the checkpoint that its state file names last. One that was
    moved, whose state file still names the old place, stands for the checkpoint of
    the same name inside it.

    Raises:
      CheckpointNotFoundError: nothing is there, or no checkpoint is in it.
    """
    text = _FILE_OF_CHECKPOINT.sub("", os.fspath(path))
    if not text:
        raise CheckpointNotFoundError("the path of a checkpoint is empty")
    if not tf.io.gfile.isdir(text):
        # A plain file counts too: that is what a V1 checkpoint is.
        if tf1.train.checkpoint_exists(text):
            return text
        raise CheckpointNotFoundError(f"{text}: no such model dir or checkpoint prefix")
    state = tf.train.get_checkpoint_state(text)
    if state is None:
        raise CheckpointNotFoundError(
            f"{text}: a directory without a checkpoint in it (no readable file named "
            f"'checkpoint'){_prefixes_in(text)}"
        )
    latest = state.model_checkpoint_path
    moved = os.path.join(text, os.path.basename(latest))
    for prefix in (latest, moved):
        if tf1.train.checkpoint_exists(prefix):
            return prefix
    raise CheckpointNotFoundError(
        f"{text}: its state file names {latest!r}, which is not there"
        f"{_prefixes_in(text)}"
    )


def latest(model_dir: str) -> Optional[str]:
    """The prefix that a model dir's state file names, whether it is there or not."""
    state = tf.train.get_checkpoint_state(model_dir)
    return str(state.model_checkpoint_path) if state else None


def require_whole_files(prefix: str) -> None:
    """Checks that a checkpoint's files are there, and as long as its index says.

    TensorFlow takes a missing shard for a checkpoint that lacks variables.

    Raises:
      ValueError: there is no such checkpoint.
      DamagedCheckpointError: a file that should be there is missing or cut off.
    """
    path = index_path(prefix)
    if not tf.io.gfile.exists(path):
        if tf1.train.checkpoint_exists(prefix):
            return  # of the V1 format
        if latest(os.path.dirname(prefix) or ".") == prefix:
            raise DamagedCheckpointError(
                f"{path}: the index is missing, though the state file names it"
            )
        raise ValueError(f"The passed save_path is not a valid checkpoint: {prefix}")
    with reporting_damage(prefix):
        with tf.io.gfile.GFile(path, "rb") as file:
            index = parse_index(file.read(), path)
        ends = index.shard_ends()
    for shard_id, end in sorted(ends.items()):
        shard = shard_path(prefix, shard_id, index.header.num_shards)
        if not tf.io.gfile.exists(shard):
            raise DamagedCheckpointError(f"{shard}: the shard is missing")
        length = tf.io.gfile.stat(shard).length
        if length < end:
            raise DamagedCheckpointError(
                f"{shard}: the shard is cut off: it has {length} bytes of {end}"
            )


@contextlib.contextmanager
def reporting_damage(prefix: str) -> Iterator[None]:
    """Turns what reading a damaged checkpoint raises into DamagedCheckpointError."""
    try:
        yield
    except (
        CorruptIndexError,
        tf.errors.DataLossError,
        tf.errors.OutOfRangeError,
        tf.errors.NotFoundError,
    ) as error:
        raise DamagedCheckpointError(
            f"{prefix} is damaged: {_first_line(error)}"
        ) from error


def newest_whole_before(prefix: str) -> Optional[str]:
    """The newest whole checkpoint that the state file lists before `prefix`.

    Every tensor is read, one at a time, so that each is held against its checksum.
    """
    state = tf.train.get_checkpoint_state(os.path.dirname(prefix) or ".")
    listed = list(state.all_model_checkpoint_paths) if state else []
    older = listed[: listed.index(prefix)] if prefix in listed else listed
    return next((p for p in reversed(older) if p != prefix and _is_whole(p)), None)


def _is_whole(prefix: str) -> bool:
    try:
        require_whole_files(prefix)
        reader = tf1.train.NewCheckpointReader(prefix)
    except (DamagedCheckpointError, ValueError, tf.errors.OpError):
        return False
    for key in reader.get_variable_to_shape_map():
        try:
            reader.get_tensor(key)
        except tf.errors.OpError as error:
            if not _CANNOT_SHOW.search(str(error)):
                return False
    return True


def _prefixes_in(directory: str) -> str:
    found = sorted(
        name[: -len(".index")]
        for name in tf.io.gfile.listdir(directory)
        if name.endswith(".index")
    )
    if not found:
        return ""
    return f"; checkpoints found there: {', '.join(found[:5])}"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
