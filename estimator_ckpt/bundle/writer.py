"""New tensors into shards, and whole new bundles.

The bytes are those that TensorFlow writes: tensor after tensor, without padding. Data
comes first and the index last, each whole or not at all, so that a bundle that can be
found is a bundle that can be read.

Framing of strings: see framing.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from estimator_ckpt.bundle import checksum, coding, files
from estimator_ckpt.bundle.coding import Slice
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CheckpointError, DestinationExistsError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import index_path, serialize_index, shard_path
from estimator_ckpt.bundle.tensors import dtypes, framing
from estimator_ckpt.bundle.tensors.dtypes import DataType
from estimator_ckpt.bundle.tensors.slices import resolve, show_key

if TYPE_CHECKING:
    from types import TracebackType

    from estimator_ckpt.bundle.tensors.arrays import Array


class Partitioned(NamedTuple):
    """A variable to be stored in slices.

    Attributes:
      shape: of the whole variable.
      parts: the values by their extents, which are written exactly as given.
    """

    shape: tuple[int, ...]
    parts: Mapping[Slice, Any]


class ShardWriter:
    """Writes one data shard; as a context manager, whole or not at all.

    Attributes:
      path: the shard's file.
      shard_id: its number in the bundle.
      size: bytes written so far.
    """

    def __init__(
        self, path: files.PathLike, shard_id: int = 0, needed: Optional[int] = None
    ) -> None:
        """Creates the shard under a temporary name.

        Args:
          path: the name that it gets when it is complete.
          shard_id: its number in the bundle.
          needed: bytes that will be written, if known: named if the disk is full.
        """
        self.shard_id = shard_id
        self._output = files.Output(path, needed)
        self.path = self._output.path

    @property
    def size(self) -> int:
        return self._output.size

    def add(self, value: Any, dtype: Optional[str] = None) -> Entry:
        """Writes a tensor.

        Args:
          value: an array, or what `np.asarray` makes one of. Strings are bytes or
            text (as UTF-8), in an object array or any other.
          dtype: TensorFlow's name of the type where the array's own does not say it:
            `qint8` for an int8 array. The elements must have its size.

        Returns:
          The tensor's entry, to be put into the index under its key.

        Raises:
          CheckpointError: TensorFlow has no such type, or writing fails.
        """
        import numpy as np

        array = np.asarray(value)
        try:
            data_type = dtypes.of_array(array) if dtype is None else dtypes.named(dtype)
            if data_type.is_string:
                return self._add_strings(array)
            if dtype is not None and data_type.numpy != array.dtype.newbyteorder("<"):
                raise ValueError(f"an array of {array.dtype} does not hold {dtype}")
        except ValueError as error:
            raise CheckpointError(f"{self.path}: {error}") from None
        flat = array.astype(data_type.numpy, copy=False).reshape(-1)
        step = max(files.CHUNK // flat.dtype.itemsize, 1)
        return self.add_chunks(
            data_type,
            array.shape,
            (
                np.ascontiguousarray(flat[start : start + step]).view(np.uint8)
                for start in range(0, len(flat), step)
            ),
        )

    def add_string(self, value: bytes) -> Entry:
        """Writes a scalar string, without NumPy."""
        return self._add_framed([value], ())

    def add_chunks(
        self, dtype: DataType, shape: Sequence[int], chunks: Iterable[Any]
    ) -> Entry:
        """Writes a tensor of numbers whose bytes come piece by piece.

        Args:
          dtype: its type.
          shape: its shape.
          chunks: buffers with its little-endian bytes, in row-major order.

        Returns:
          The tensor's entry.

        Raises:
          CheckpointError: the chunks are not as long as dtype and shape say.
        """
        if dtype.size is None:
            raise ValueError(f"a tensor of dtype {dtype.name} has no plain bytes")
        offset, crc = self.size, 0
        for chunk in chunks:
            crc = checksum.extend(crc, chunk)
            self._output.write(chunk)
        entry = self._entry(dtype, shape, offset, crc)
        if entry.size != entry.num_elements * dtype.size:
            raise CheckpointError(
                f"{self.path}: {entry.size} bytes were given for a tensor "
                f"{dtype.name}{list(shape)} of {entry.num_elements * dtype.size}"
            )
        return entry

    def copy(self, entry: Entry, chunks: Iterable[Any]) -> Entry:
        """Writes the bytes of another bundle's entry as they are.

        Args:
          entry: the entry there.
          chunks: its bytes, as `BundleReader.iter_chunks` yields them.

        Returns:
          The entry here. It keeps its checksum: damage is not made to look whole.
        """
        offset = self.size
        for chunk in chunks:
            self._output.write(chunk)
        if self.size - offset != entry.size:
            raise CheckpointError(
                f"{self.path}: {self.size - offset} bytes were given for an entry of "
                f"{entry.size}"
            )
        return entry._replace(shard_id=self.shard_id, offset=offset)

    @property
    def status(self) -> os.stat_result:
        """Which file it is, whatever its name; before `commit`."""
        return self._output.status

    def commit(self, *, replace: bool = True, sync: bool = True) -> None:
        """Gives the shard its name, synced to disk; as `Output.commit`."""
        self._output.commit(replace=replace, sync=sync)

    def discard(self) -> None:
        """Removes what was written; does nothing after `commit`."""
        self._output.discard()

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self,
        error_type: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._output.__exit__(error_type, error, traceback)

    def _add_strings(self, array: Array) -> Entry:
        strings = [_as_bytes(element) for element in array.reshape(-1).tolist()]
        return self._add_framed(strings, array.shape)

    def _add_framed(self, strings: list[bytes], shape: Sequence[int]) -> Entry:
        offset, crc = self.size, 0
        for written, covered in framing.frame_strings(strings):
            crc = checksum.extend(crc, covered)
            self._output.write(written)
        return self._entry(dtypes.DTYPES[dtypes.STRING], shape, offset, crc)

    def _entry(
        self, dtype: DataType, shape: Sequence[int], offset: int, crc: int
    ) -> Entry:
        return Entry(
            dtype=dtype.number,
            shape=tuple(shape),
            shard_id=self.shard_id,
            offset=offset,
            size=self.size - offset,
            crc32c=checksum.mask(crc),
        )


def write_bundle(
    prefix: files.PathLike,
    tensors: Mapping[str, Union[Any, Partitioned]],
    dtype_names: Optional[Mapping[str, str]] = None,
) -> None:
    """Writes a checkpoint of one shard.

    Args:
      prefix: its prefix; the directory is made if it is missing.
      tensors: arrays by name; a `Partitioned` is stored in slices.
      dtype_names: TensorFlow's name of the type by tensor name, where the array's own
        does not say it (see `ShardWriter.add`).

    Raises:
      DestinationExistsError: there is a checkpoint of this prefix.
      CheckpointError: a name, a type or a slice cannot be stored, or writing fails.
    """
    prefix = files.local(prefix)
    if files.exists(index_path(prefix)):
        raise DestinationExistsError(
            f"{index_path(prefix)}: already there; delete it or write to another prefix"
        )
    dtype_names = dtype_names or {}
    files.make_dirs(files.dirname(prefix))
    entries: dict[bytes, Entry] = {}
    with ShardWriter(shard_path(prefix, 0, 1)) as shard:
        for name in sorted(tensors, key=coding.name_to_key):
            value, dtype = tensors[name], dtype_names.get(name)
            key = coding.name_to_key(name)
            if not key or coding.is_slice_key(key):
                raise CheckpointError(
                    f"{prefix}: {name!r} cannot be a tensor's name: it is empty or "
                    f"begins with a zero byte"
                )
            if isinstance(value, Partitioned):
                entries.update(_write_parts(shard, name, value, dtype))
            else:
                entries[key] = shard.add(value, dtype)
        data = serialize_index(
            Header(), ((key, entry.serialize()) for key, entry in entries.items())
        )
    files.put(index_path(prefix), data)


def _write_parts(
    shard: ShardWriter, name: str, value: Partitioned, dtype: Optional[str]
) -> dict[bytes, Entry]:
    """Writes the slices of a variable; returns their entries and that of the whole."""
    entries: dict[bytes, Entry] = {}
    whole = Entry(dtype=0, shape=tuple(value.shape))
    for extents, part in value.parts.items():
        try:
            box = resolve(extents, whole.shape)
        except ValueError as error:
            raise CheckpointError(f"{shard.path}: {name!r}: {error}") from None
        entry = shard.add(part, dtype)
        if entry.shape != tuple(length for _, length in box):
            raise CheckpointError(
                f"{shard.path}: the slice {show_key(extents)} of {name!r} was given "
                f"with the shape {list(entry.shape)}"
            )
        if entry.shape == whole.shape:  # TensorFlow, too, stores a full slice whole.
            return {coding.name_to_key(name): entry}
        if whole.dtype not in (0, entry.dtype):
            raise CheckpointError(
                f"{shard.path}: the slices of {name!r} have different dtypes: "
                f"{whole.dtype_name} and {entry.dtype_name}"
            )
        whole = whole._replace(dtype=entry.dtype, slices=(*whole.slices, extents))
        entries[coding.slice_key(name, extents)] = entry
    if not whole.slices:
        raise CheckpointError(f"{shard.path}: {name!r} has no slices")
    entries[coding.name_to_key(name)] = whole
    return entries


def _as_bytes(element: object) -> bytes:
    if isinstance(element, str):
        return element.encode()
    if isinstance(element, bytes):
        return element
    raise ValueError(f"a string tensor cannot hold {element!r}; give bytes or text")
