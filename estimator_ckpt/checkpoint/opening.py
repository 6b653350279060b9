"""From a path to a checkpoint: the one way, whatever people pass."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Optional

from estimator_ckpt.bundle import argument_types, files
from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.tensor_reader import TensorReader
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint import contents, naming, object_keys
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.paths import prefixes
from estimator_ckpt.checkpoint.paths.prefixes import Storage
from estimator_ckpt.checkpoint.roles import AS_FOUND, Overruling, Regexes

# Few checkpoints that are opened have a graph.
if TYPE_CHECKING:
    from estimator_ckpt.checkpoint.stored_graph import StoredGraph


@argument_types.checked
def open_checkpoint(
    path: files.PathLike,
    *,
    names: naming.NamesLike = "full_name",
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
) -> Checkpoint:
    """Opens a checkpoint by its index.

    Args:
      path: a prefix, a file of a checkpoint, a model dir (its latest checkpoint), a
        SavedModel dir, a `.safetensors` file, or a frozen graph (`.pb`).
      names: what variables of an object-based checkpoint are called: `full_name`, by
        the object graph's full names (their paths where these say nothing), or
        `path`, by their unescaped object paths; slots and averages whose paths are
        numbers are called after their variables.
      optimizer_state: regexes of variables that are optimizer state, whatever the
        evidence says (`re.match`).
      model_state: the same of model state; it wins.

    Returns:
      Its variables by name.

    Raises:
      ValueError: `names` is neither, or a pattern is no regex.
      CheckpointNotFoundError: there is no checkpoint at `path`.
      CorruptIndexError: its index is damaged.
    """
    overruling = Overruling.of(optimizer_state, model_state)
    return opened(path, names=names, overruling=overruling)


def opened(
    source: files.PathLike,
    *,
    names: naming.NamesLike = "full_name",
    root: Optional[str] = None,
    store: files.Store = files,
    overruling: Overruling = AS_FOUND,
) -> Checkpoint:
    """Opens whatever people pass: the one way from a path to a checkpoint.

    Args:
      source: as for `open_checkpoint`.
      names: as for `open_checkpoint`.
      root: one more name of a root's child that is a dictionary by TF1 names, beside
        `var_list` and `vars`.
      store: where to look for it.
      overruling: what a user says of its variables' roles.

    Raises:
      As `open_checkpoint`.
    """
    names_by = naming.parse(names)
    reader = reader_of(prefixes.find(source, store), store)
    graph = read_object_graph(reader) if isinstance(reader, BundleReader) else None
    if graph is None:
        meaning = contents.of_names(reader.index)
        return Checkpoint(reader, None, meaning, store, overruling)
    nodes = functools.partial(graph.saved_nodes, root)
    meaning = contents.of_objects(reader.index, nodes, names_by=names_by)
    if names_by is naming.NamesBy.FULL_NAME and not meaning.unnamed:
        return Checkpoint(reader, graph, meaning, store, overruling)
    from estimator_ckpt.checkpoint.evidence import path_names

    # What a `dual` checkpoint has by name besides is what is to be named here.
    of_objects = {name: key for name, key in meaning.keys.items() if name != key}
    alone = meaning._replace(keys=of_objects)
    roles = Checkpoint(reader, graph, alone, store, overruling).roles
    if names_by is naming.NamesBy.PATH:
        meaning = path_names.after_owners(meaning, roles)
    else:
        meaning = path_names.after_unnamed(meaning, roles, graph.full_names())
    return Checkpoint(reader, graph, meaning, store, overruling)


def reader_of(place: prefixes.Place, store: files.Store = files) -> TensorReader:
    """What reads the tensors of a checkpoint that was found.

    Raises:
      CorruptIndexError: what says which tensors there are is damaged.
      UnsupportedCheckpointError: it cannot be read here.
    """
    return _READERS[place.storage](place.prefix, store)


# What few need is imported when it is needed.


def _bundle(prefix: str, store: files.Store) -> TensorReader:
    return BundleReader(prefix, store=store)


def _v1(prefix: str, store: files.Store) -> TensorReader:
    from estimator_ckpt.bundle.v1_format.v1_reader import V1Reader
    from estimator_ckpt.checkpoint.paths import v1_files

    return V1Reader(prefix, v1_files.every_shard(prefix, store), store)


def _safetensors(path: str, store: files.Store) -> TensorReader:
    from estimator_ckpt.checkpoint.weight_files import safetensors_reader

    return safetensors_reader.SafetensorsReader(path, store)


def _frozen_graph(path: str, store: files.Store) -> TensorReader:
    from estimator_ckpt.checkpoint.weight_files import frozen_graph_reader

    return frozen_graph_reader.FrozenGraphReader(path, store)


_READERS: Mapping[Storage, Callable[[str, files.Store], TensorReader]] = {
    Storage.BUNDLE: _bundle,
    Storage.V1: _v1,
    Storage.SAFETENSORS: _safetensors,
    Storage.FROZEN_GRAPH: _frozen_graph,
}


def read_object_graph(reader: BundleReader) -> Optional[StoredGraph]:
    """A bundle's object graph, or None if it has none.

    Raises:
      CorruptIndexError: the tensor under its key is no scalar string.
    """
    if object_keys.OBJECT_GRAPH_KEY not in reader.index:
        return None
    from estimator_ckpt.checkpoint.stored_graph import StoredGraph

    source = reader.index.source
    entry = reader.index[object_keys.OBJECT_GRAPH_KEY]
    if entry.dtype != dtypes.STRING or entry.shape or entry.is_partitioned:
        raise CorruptIndexError(
            f"{source}: {object_keys.OBJECT_GRAPH_KEY} is no scalar string, as an "
            f"object graph would be, but {entry.dtype_name}{list(entry.shape)}"
        )
    return StoredGraph(functools.partial(_serialized_graph, reader), source)


def _serialized_graph(reader: BundleReader) -> bytes:
    """Raises CorruptDataError if its bytes are damaged or missing."""
    serialized = reader.read_string(object_keys.OBJECT_GRAPH_KEY)
    reader.unmap()
    return serialized
