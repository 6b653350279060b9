"""A checkpoint as its variables: names, dtypes, shapes, places, and values."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.errors import TensorNotFoundError
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.tensor_reader import TensorReader
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint import (
    contents,
    messages,
    object_keys,
)
from estimator_ckpt.checkpoint.paths import wholeness
from estimator_ckpt.checkpoint.roles import (
    AS_FOUND,
    MODEL,
    Decision,
    Overruling,
    Roles,
)

if TYPE_CHECKING:
    import numpy as np

    from estimator_ckpt.checkpoint.stored_graph import StoredGraph
    from estimator_ckpt.checkpoint.variable import StoredVariable

#: What a variable is for of which nothing was decided.
_A_MODELS = Decision(MODEL, "nothing says what it is for")

_INTEGERS = frozenset({"int32", "int64"})


class Listed(NamedTuple):
    """What a checkpoint says of a variable; the fields are those of StoredVariable."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    key: str
    size: int
    shard: Optional[int]
    offset: Optional[int]
    num_slices: int


class Checkpoint(Mapping[str, "StoredVariable"]):
    """A checkpoint's variables by name: a read-only mapping.

    Opening reads the index alone, so it costs the same whatever the tensors' size.

    Attributes:
      prefix: the checkpoint's prefix.
      index: its index.
      graph: its object graph; None if it has none.
      contents: what its keys mean.
      reader: what reads its tensors by key.
      store: where its files are.
      overruling: what a user says of its variables' roles.
    """

    def __init__(
        self,
        reader: TensorReader,
        graph: Optional[StoredGraph],
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
        """The value of the global step, or None if there is none.

        Raises:
          CorruptDataError: its bytes are damaged or missing.
        """
        name = self.contents.global_step
        if name is None:
            return None
        key = self.contents.keys[name]
        entry = self.index[key]
        if entry.shape or entry.dtype_name not in _INTEGERS:
            return None
        self.reader.verify_whole(key)
        chunks = self.reader.iter_chunks(coding.name_to_key(key))
        stored = b"".join(map(bytes, chunks))
        if self.index.header.big_endian:
            return int.from_bytes(stored, "big", signed=True)
        return int.from_bytes(stored, "little", signed=True)

    @functools.cached_property
    def roles(self) -> Roles:
        """What each variable is for, and what says so."""
        from estimator_ckpt.checkpoint.evidence import stored_evidence

        return stored_evidence.of_checkpoint(self)

    def remarks(self) -> list[str]:
        """What people should know of the roles; each sentence names the checkpoint."""
        return [f"{self.prefix}: {remark}" for remark in self.roles.remarks()]

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

    def require_whole(self, names: Optional[Iterable[str]] = None) -> None:
        """Checks that every file that its tensors need is there, and long enough.

        Args:
          names: the variables that are needed; None: all that is stored.

        Raises:
          CorruptDataError: a shard is missing or cut off.
          CheckpointError: a shard is no regular file.
        """
        if isinstance(self.reader, BundleReader):
            keys = None if names is None else [self._key(name) for name in names]
            wholeness.require_whole(self.prefix, self.index, self.store, keys)

    @property
    def is_bundle(self) -> bool:
        """Whether it is a tensor bundle, as opposed to a V1 checkpoint."""
        return isinstance(self.reader, BundleReader)

    @property
    def bundle(self) -> BundleReader:
        """Its reader, where it is a tensor bundle."""
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
        return list(map(self.with_role, self.rows(self._named_keys())))

    def listed(self) -> list[Listed]:
        """The same without roles, in a third of the time."""
        return list(self.rows(self._named_keys()))

    def _named_keys(self) -> list[tuple[str, str]]:
        shared = [key for keys in self.contents.ambiguous.values() for key in keys]
        keys = [
            *self.contents.keys.items(),
            *((object_keys.path_of(key) or key, key) for key in shared),
        ]
        return sorted(keys, key=operator.itemgetter(0))

    def __getitem__(self, name: str) -> StoredVariable:
        return self.stored(name, self._key(name))

    def _key(self, name: str) -> str:
        key = self.contents.keys.get(name)
        if key is None:
            raise self._not_found(name)
        return key

    def stored(self, name: str, key: str) -> StoredVariable:
        """What is under a key, as a variable of some name."""
        (row,) = self.rows([(name, key)])
        return self.with_role(row)

    def rows(self, named_keys: Iterable[tuple[str, str]]) -> Iterator[Listed]:
        """What is under keys, as variables of some names, without what it is for."""
        index, new = self.index, tuple.__new__
        entry, to_key = index.entry, coding.name_to_key
        dtype_names: dict[int, str] = {}
        for name, key in named_keys:
            number, shape, shard, offset, size, _, slices = entry(to_key(key))
            dtype = dtype_names.get(number)
            if dtype is None:
                dtype = dtype_names[number] = dtypes.of(number).name
            if not slices:  # as most: 100,000 of them are made in half of the time
                row = (name, dtype, shape, key, size, shard, offset, 0)
                yield new(Listed, row)
                continue
            parts = index.slices(key).values()
            size = sum(part.size for part in parts)
            yield Listed(name, dtype, shape, key, size, None, None, len(parts))

    def with_role(self, row: Listed) -> StoredVariable:
        """The variable of a row."""
        name, dtype, shape, key, size, shard, offset, num_slices = row
        said = self.roles.decisions.get(name, _A_MODELS)
        role, _, owner, slot, _, optimizer, is_undecided = said
        about = name, dtype, shape, role, key, size
        belongs = owner, optimizer, is_undecided, slot
        return self._variable((*about, *belongs, shard, offset, num_slices))

    @functools.cached_property
    def _variable(self) -> Callable[[Iterable[Any]], StoredVariable]:
        """What makes variables, which the commands that show columns do not load."""
        from estimator_ckpt.checkpoint.variable import StoredVariable

        return StoredVariable._make

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

    def _not_found(self, name: object) -> TensorNotFoundError:
        near = f": a name is a str, not of the type {type(name).__name__}"
        if isinstance(name, str):
            near = messages.near(name, self.contents.keys)
        return TensorNotFoundError(f"{self.prefix}: no variable or key {name!r}{near}")
