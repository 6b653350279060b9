"""A checkpoint as its variables: names, dtypes, shapes, places, and values."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.errors import CorruptIndexError, TensorNotFoundError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import index_path, serialize_index, shard_path
from estimator_ckpt.bundle.protobuf.schema import TrackableObjectGraph
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.tensor_reader import TensorReader
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.writer import ShardWriter
from estimator_ckpt.checkpoint import (
    contents,
    messages,
    naming,
    object_graph,
    object_keys,
    prefixes,
    wholeness,
)
from estimator_ckpt.checkpoint.roles import (
    AS_FOUND,
    MODEL,
    Overruling,
    Regexes,
    Roles,
)
from estimator_ckpt.checkpoint.variable import StoredVariable

if TYPE_CHECKING:
    import numpy as np

_INTEGERS = frozenset({"int32", "int64"})


class Checkpoint(Mapping[str, StoredVariable]):
    """A checkpoint's variables by name: a read-only mapping.

    Opening reads the index alone, so it costs the same whatever the tensors' size.

    Attributes:
      prefix: the checkpoint's prefix.
      index: its index.
      graph: its object graph, a TrackableObjectGraph message; None if it has none.
      contents: what its keys mean.
      reader: what reads its tensors by key.
      store: where its files are.
      overruling: what a user says of its variables' roles.
    """

    def __init__(
        self,
        reader: TensorReader,
        graph: Optional[TrackableObjectGraph],
        meaning: contents.Contents,
        store: files.Store = files,
        overruling: Overruling = AS_FOUND,
    ):
        self.prefix = reader.prefix
        self.index = reader.index
        self.graph = graph
        self.contents = meaning
        self.reader = reader
        self.store = store
        self.overruling = overruling

    @property
    def format(self) -> str:
        """`tf1`, `tf2` or `dual`."""
        return self.contents.format.name

    @property
    def num_shards(self) -> int:
        return self.index.header.num_shards

    @property
    def global_step(self) -> Optional[int]:
        """The value of the global step, or None if there is none."""
        name = self.contents.global_step
        if name is None:
            return None
        key = self.contents.keys[name]
        entry = self.index[key]
        if entry.shape or entry.dtype_name not in _INTEGERS:
            return None
        return int.from_bytes(self._bytes(key), "little", signed=True)

    @functools.cached_property
    def roles(self) -> Roles:
        """What each variable is for, and what says so."""
        from estimator_ckpt.checkpoint.evidence import role_evidence

        return role_evidence.of_checkpoint(self)

    def read(self, name: str) -> np.ndarray[Any, Any]:
        """Reads a tensor, checked against its checksum.

        Args:
          name: a variable name, or any key of the checkpoint.

        Returns:
          A read-only NumPy array: bfloat16 as `ml_dtypes.bfloat16`, strings as an
          object array of bytes, a partitioned variable whole.

        Raises:
          TensorNotFoundError: there is no such variable or key.
          CorruptDataError: the tensor's bytes are damaged or missing.
        """
        key = self.contents.keys.get(name, name)
        if key not in self.index:
            raise self._not_found(name)
        return self.reader.read(key)

    def pieces(self, name: str) -> Iterator[np.ndarray[Any, Any]]:
        """Reads a variable in flat pieces of at most 1 MiB, in row-major order.

        Where they are cut depends on dtype and shape alone. Strings come in one.
        """
        return self.reader.iter_arrays(self._key(name))

    def chunks(self, key: bytes) -> Iterator[memoryview]:
        """The stored bytes under a key, unchecked, 4 MiB at a time."""
        return self.reader.iter_chunks(key)

    def require_whole(self) -> None:
        """Checks that every file that its tensors need is there, and long enough.

        Raises:
          CorruptDataError: a shard is missing or cut off.
          CheckpointError: a shard is no regular file.
        """
        if isinstance(self.reader, BundleReader):
            wholeness.require_whole(self.prefix, self.index, self.store)

    @property
    def is_bundle(self) -> bool:
        """Whether it is a tensor bundle, as opposed to a V1 checkpoint."""
        return isinstance(self.reader, BundleReader)

    @property
    def bundle(self) -> BundleReader:
        """Its reader, where it is a tensor bundle, as after `as_bundle`."""
        if not isinstance(self.reader, BundleReader):
            raise TypeError(f"{self.prefix} is no tensor bundle")
        return self.reader

    def close(self) -> None:
        """Closes the shards. Arrays that were read stay valid."""
        self.reader.close()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self,
        error_type: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def everything(self) -> list[StoredVariable]:
        """All variables; those that share a full name under their object paths.

        These are no keys of this mapping, which has names that are of one variable.
        """
        shared = [key for keys in self.contents.ambiguous.values() for key in keys]
        found = [
            *self.values(),
            *(self.stored(object_keys.path_of(key) or key, key) for key in shared),
        ]
        return sorted(found, key=lambda variable: variable.name)

    def __getitem__(self, name: str) -> StoredVariable:
        return self.stored(name, self._key(name))

    def _key(self, name: str) -> str:
        key = self.contents.keys.get(name)
        if key is None:
            raise self._not_found(name)
        return key

    def stored(self, name: str, key: str) -> StoredVariable:
        """What is under a key, as a variable of some name."""
        entry = self.index[key]
        parts = self.index.slices(key) if entry.is_partitioned else {}
        said = self.roles.decisions.get(name)
        return StoredVariable(
            name=name,
            dtype=entry.dtype_name,
            shape=entry.shape,
            role=MODEL if said is None else said.role,
            key=key,
            size=sum(p.size for p in parts.values()) if parts else entry.size,
            owner=None if said is None else said.owner,
            optimizer=None if said is None else said.optimizer,
            is_undecided=said is not None and said.is_undecided,
            shard=None if parts else entry.shard_id,
            offset=None if parts else entry.offset,
            num_slices=len(parts),
        )

    def __contains__(self, name: object) -> bool:
        return name in self.contents.keys

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.contents.keys))

    def __len__(self) -> int:
        return len(self.contents.keys)

    def __repr__(self) -> str:
        return (
            f"<Checkpoint {self.prefix!r}: {self.format}, {len(self)} variables, "
            f"global step {self.global_step}>"
        )

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        from html import escape

        rows = "".join(
            f"<tr><td>{escape(info.name)}</td><td>{info.dtype}</td>"
            f"<td>{list(info.shape)}</td><td>{info.size}</td></tr>"
            for info in self.values()
        )
        return (
            f"<p>{escape(repr(self)[1:-1])}</p><table><tr><th>variable</th>"
            f"<th>dtype</th><th>shape</th><th>bytes</th></tr>{rows}</table>"
        )

    def _bytes(self, key: str) -> bytes:
        chunks = self.reader.iter_chunks(coding.name_to_key(key))
        return b"".join(bytes(chunk) for chunk in chunks)

    def _not_found(self, name: str) -> TensorNotFoundError:
        near = messages.near(name, self.contents.keys)
        return TensorNotFoundError(f"{self.prefix}: no variable or key {name!r}{near}")


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
    meaning = contents.of(reader.index, graph, root=root, names_by=names_by)
    checkpoint = Checkpoint(reader, graph, meaning, store, overruling)
    if graph is None or names_by is not naming.NamesBy.PATH:
        return checkpoint
    from estimator_ckpt.checkpoint.evidence import path_names

    # What a `dual` checkpoint has by name besides is what is to be named here.
    of_objects = {name: key for name, key in meaning.keys.items() if name != key}
    alone = dataclasses.replace(meaning, keys=of_objects)
    roles = Checkpoint(reader, graph, alone, store, overruling).roles
    meaning = path_names.after_owners(meaning, roles)
    return Checkpoint(reader, graph, meaning, store, overruling)


def reader_of(place: prefixes.Place, store: files.Store = files) -> TensorReader:
    """What reads the tensors of a checkpoint that was found.

    Raises:
      CorruptIndexError: what says which tensors there are is damaged.
      UnsupportedCheckpointError: it cannot be read here.
    """
    if place.storage is prefixes.Storage.BUNDLE:
        return BundleReader(place.prefix, store=store)
    if place.storage is prefixes.Storage.SAFETENSORS:
        from estimator_ckpt.checkpoint.weight_files.safetensors_reader import (
            SafetensorsReader,
        )

        return SafetensorsReader(place.prefix, store)
    if place.storage is prefixes.Storage.FROZEN_GRAPH:
        from estimator_ckpt.checkpoint.weight_files.frozen_graph_reader import (
            FrozenGraphReader,
        )

        return FrozenGraphReader(place.prefix, store)
    from estimator_ckpt.bundle.v1_reader import V1Reader  # costs what few need

    return V1Reader(place.prefix, prefixes.v1_shards(place.prefix, store), store)


@contextlib.contextmanager
def as_bundle(
    checkpoint: Checkpoint, directory: Optional[str] = None
) -> Iterator[Checkpoint]:
    """A checkpoint as a tensor bundle, whose shards can be linked.

    One that is a bundle is given back as it is. Of any other, a bundle is written with
    its tensors, which is there for as long as it is used.

    Args:
      checkpoint: the checkpoint.
      directory: where the bundle is to be: on the file system where its shards get
        their new names. None: where temporary files are.

    Raises:
      CheckpointError: the checkpoint is damaged, or writing failed.
    """
    if isinstance(checkpoint.reader, BundleReader):
        yield checkpoint
        return
    import tempfile

    from estimator_ckpt.bundle import logs  # 4 ms that most need not spend

    what = "of the V1 format (of before 2017)"
    if checkpoint.prefix.endswith((".safetensors", ".pb")):
        what = "a file of another format"
    logs.logger().warning(
        "%s is %s: its tensors are written again, which takes longer than a conversion "
        "by index",
        checkpoint.prefix,
        what,
    )
    beside = tempfile.gettempdir() if directory is None else directory
    with files.temporary_dir(beside) as temporary:
        prefix = os.path.join(temporary, prefixes.base_name(checkpoint.prefix))
        _write_anew(prefix, checkpoint.reader)
        with BundleReader(prefix) as reader:
            meaning = contents.of_names(reader.index)
            yield Checkpoint(reader, None, meaning, overruling=checkpoint.overruling)


def _write_anew(prefix: str, reader: TensorReader) -> None:
    """Writes a bundle of one shard with what a reader reads, in pieces."""
    entries = {}
    with ShardWriter(shard_path(prefix, 0, 1)) as shard:
        for name in reader.index:
            entry = reader.index[name]
            dtype = dtypes.of(entry.dtype)
            if dtype.size is None:
                entry = shard.add(reader.read(name), dtype.name)
            else:
                pieces = (piece.view("u1").data for piece in reader.iter_arrays(name))
                entry = shard.add_chunks(dtype, entry.shape, pieces)
            entries[coding.name_to_key(name)] = entry.serialize()
            reader.unmap()
    files.put(index_path(prefix), serialize_index(Header(), entries.items()))


def read_object_graph(reader: BundleReader) -> Optional[TrackableObjectGraph]:
    """A bundle's object graph, or None if it has none.

    Raises:
      CorruptIndexError: the tensor under its key is no object graph.
      CorruptDataError: its bytes are damaged or missing.
    """
    if object_keys.OBJECT_GRAPH_KEY not in reader.index:
        return None
    source = reader.index.source
    entry = reader.index[object_keys.OBJECT_GRAPH_KEY]
    if entry.dtype != dtypes.STRING or entry.shape or entry.is_partitioned:
        raise CorruptIndexError(
            f"{source}: {object_keys.OBJECT_GRAPH_KEY} is no scalar string, as an "
            f"object graph would be, but {entry.dtype_name}{list(entry.shape)}"
        )
    serialized = reader.read_string(object_keys.OBJECT_GRAPH_KEY)
    return object_graph.parse(serialized, source)
