"""Tensors out of a bundle: as NumPy arrays, as bytes, or only against their checksums.

Numbers stand in a shard as they stand in memory, so an array is a view of the mapped
file. Strings are framed: see framing.py.
"""

from __future__ import annotations

import os
import sys
import threading
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Protocol

from estimator_ckpt.bundle import checksum, coding, dtypes, files, framing, slices
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import (
    CheckpointNotFoundError,
    CorruptDataError,
    CorruptIndexError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.index import Index, index_path, read_index, shard_path
from estimator_ckpt.bundle.slices import resolve, show_key

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_MAX_OPEN_SHARDS = 64
_PIECE = 1 << 20
_MAX_RANK = 32  # NumPy 1's.


class TensorReader(Protocol):
    """What reads the tensors of a checkpoint, however they are stored.

    `BundleReader` is one. Arguments, results and errors are those of its methods.

    Attributes:
      prefix: the checkpoint's prefix.
      index: what tensors there are.
    """

    prefix: str
    index: Index

    def read(self, name: str, check: bool = True) -> Array:
        """Reads a tensor."""

    def read_slice(
        self, name: str, extents: Sequence[tuple[int, int]], check: bool = True
    ) -> Array:
        """Reads a part of a tensor."""

    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a tensor in flat pieces."""

    def iter_chunks(self, key: bytes) -> Iterator[memoryview]:
        """The bytes of an entry, as they are or would be in a shard."""

    def verify(self, key: bytes) -> None:
        """Holds the bytes of an entry against their checksum."""

    def verify_whole(self, name: str) -> None:
        """The same for a tensor, of a partitioned variable all slices."""

    def unmap(self) -> None:
        """Lets go of mapped files."""

    def close(self) -> None:
        """Closes the files."""


class BundleReader:
    """Reads the tensors of one bundle; may be used from several threads.

    Attributes:
      prefix: the checkpoint's prefix.
      index: its index.
    """

    def __init__(
        self,
        prefix: files.PathLike,
        index: Optional[Index] = None,
        store: files.Store = files,
    ) -> None:
        """Reads the index, unless it is given; shards are opened when needed.

        Args:
          prefix: the checkpoint's prefix.
          index: its index, if that was read.
          store: where its files are.

        Raises:
          As `read_index`.
        """
        self.prefix = os.fspath(prefix)
        self._store = store
        if index is None:
            index = read_index(index_path(self.prefix), store)
        self.index = index
        self._shards: dict[int, files.InputFile] = {}
        self._held: Mapping[int, files.InputFile] = {}
        self._maps: dict[int, memoryview] = {}
        self._lock = threading.Lock()

    def read(self, name: str, check: bool = True) -> Array:
        """Reads a tensor.

        Args:
          name: the tensor.
          check: whether to compare the bytes with their checksum first.

        Returns:
          A read-only array, in the machine's byte order. Of numbers that are stored
          whole and aligned it is a view of the file; it must not be used after the
          file was truncated. Strings are an object array of bytes. A partitioned
          variable is put together.

        Raises:
          TensorNotFoundError: there is no such tensor.
          UnsupportedCheckpointError: only TensorFlow can decode it.
          CorruptIndexError, CorruptDataError: the checkpoint is damaged.
        """
        entry = self.index[name]
        if not entry.slices:
            return self._array(coding.name_to_key(name), entry, check)
        return self.read_slice(name, [(0, size) for size in entry.shape], check)

    def read_slice(
        self, name: str, extents: Sequence[tuple[int, int]], check: bool = True
    ) -> Array:
        """Reads a part of a tensor, however the tensor is stored.

        Args:
          name: the tensor.
          extents: start and length in each dimension; the length -1 takes all.
          check: whether to compare the bytes read with their checksums first.

        Returns:
          A read-only array, as from `read`.

        Raises:
          ValueError: the extents do not lie within the tensor's shape.
          As `read`.
        """
        entry = self.index[name]
        region = resolve(tuple(Extent(*extent) for extent in extents), entry.shape)
        if not entry.slices:
            whole = self._array(coding.name_to_key(name), entry, check)
            everything = [Extent(0, size) for size in entry.shape]
            part: Array = whole[slices.within(region, everything)]
            return _frozen(part)
        return self._join(name, entry, region, check)

    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a tensor piece by piece, in row-major order.

        Where the pieces are cut depends on dtype and shape alone, so two tensors of
        the same kind can be compared piece by piece, however each is stored. Holds at
        most two pieces, and strings whole.

        Args:
          name: the tensor.
          check: whether to compare all bytes with their checksums first.

        Yields:
          Read-only flat arrays of at most 1 MiB, which fit a processor's cache.

        Raises:
          As `read`.
        """
        entry = self.index[name]
        key = coding.name_to_key(name)
        if entry.dtype == dtypes.STRING:
            yield self.read(name, check).reshape(-1)
            return
        dtype = self._numpy_dtype(key, entry)
        most = min(_PIECE, files.CHUNK) // dtype.itemsize
        if check:
            self.verify_whole(name)
        if entry.slices:
            for region in slices.row_major(entry.shape, most):
                yield self._join(name, entry, region, check=False).reshape(-1)
                self.unmap()
            return
        shard, offset = self._locate(key, entry), entry.offset
        for region in slices.row_major(entry.shape, most):
            size = slices.volume(region) * dtype.itemsize
            for chunk in shard.chunks(offset, size):
                yield self._numbers(chunk, dtype)
            offset += size

    def read_string(self, name: str) -> bytes:
        """Reads a scalar string, without NumPy, and checks it.

        Raises:
          ValueError: it is no scalar string.
          As `read`.
        """
        entry, key = self.index[name], coding.name_to_key(name)
        if entry.dtype != dtypes.STRING or entry.shape or entry.slices:
            raise ValueError(f"{coding.show(name)} is no scalar string")
        shard = self._locate(key, entry)
        self._verify(key, entry, shard)
        (string,) = self._string_items(key, entry, shard)
        return string

    def verify(self, key: bytes) -> None:
        """Compares the bytes of an entry with its checksum.

        Holds at most `files.CHUNK` bytes at a time. A partitioned variable has bytes
        only under the keys of its slices; for its own key nothing is to be done.

        Raises:
          TensorNotFoundError: there is no such key.
          CorruptIndexError: the entry cannot be true.
          CorruptDataError: the shard is missing or short, or the bytes differ.
        """
        entry = self.index.entry(key)
        if not entry.slices:
            self._verify(key, entry, self._locate(key, entry))

    def verify_whole(self, name: str) -> None:
        """Verifies a tensor, of a partitioned variable all slices.

        Raises:
          As `verify`.
        """
        for extents in self.index[name].slices:
            self.verify(coding.slice_key(name, extents))
        self.verify(coding.name_to_key(name))

    def iter_chunks(self, key: bytes) -> Iterator[memoryview]:
        """The stored bytes of an entry, unchecked, `files.CHUNK` at a time."""
        entry = self.index.entry(key)
        if not entry.slices:
            yield from self._locate(key, entry).chunks(entry.offset, entry.size)

    def unmap(self) -> None:
        """Lets go of mapped shards, whose pages count as ours until then.

        Arrays that were read stay valid.
        """
        with self._lock:
            self._maps.clear()

    def close(self) -> None:
        """Closes the shards. Arrays that were read stay valid."""
        with self._lock:
            self._shards.clear()
            self._maps.clear()

    def __enter__(self) -> BundleReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hold(self, shards: Mapping[int, files.InputFile]) -> None:
        """Reads shards through files that are open; whoever holds these closes them.

        Args:
          shards: open files by shard number.
        """
        with self._lock:
            self._held = shards
            self._shards.clear()
            self._maps.clear()

    def _shard(self, shard_id: int) -> files.InputFile:
        held = self._held.get(shard_id)
        if held is not None:
            return held
        with self._lock:
            shard = self._shards.pop(shard_id, None)
            if shard is None:
                path = shard_path(self.prefix, shard_id, self.index.header.num_shards)
                shard = self._store.open_file(path)
            self._shards[shard_id] = shard
            if len(self._shards) > _MAX_OPEN_SHARDS:
                # The file closes when the last thread that uses it lets go of it.
                oldest = next(iter(self._shards))
                del self._shards[oldest]
                self._maps.pop(oldest, None)
            return shard

    def _map(self, shard_id: int, shard: files.InputFile) -> memoryview:
        with self._lock:
            if shard_id not in self._maps:
                self._maps[shard_id] = shard.map()
            return self._maps[shard_id]

    def _locate(self, key: bytes, entry: Entry) -> files.InputFile:
        """The shard that holds all bytes of an entry."""
        try:
            shard = self._shard(entry.shard_id)
        except CheckpointNotFoundError:
            path = shard_path(self.prefix, entry.shard_id, self.index.header.num_shards)
            raise CorruptDataError(
                f"{path}: the shard is missing; {show_key(key)} is in it"
            ) from None
        end = entry.offset + entry.size
        if end > shard.size:
            raise CorruptDataError(
                f"{shard.path}: the shard is cut off: it has {shard.size} bytes, and "
                f"{show_key(key)} takes the bytes {entry.offset} to {end}"
            )
        return shard

    def _verify(self, key: bytes, entry: Entry, shard: files.InputFile) -> None:
        try:
            if entry.dtype == dtypes.STRING:
                strings = framing.Strings(shard, entry, self._swapped)
                for _ in strings.lengths():
                    pass
                found = strings.checksum()
            elif entry.dtype == dtypes.VARIANT:
                found = framing.variant_checksum(shard, entry)
            else:
                found = checksum.of_chunks(shard.chunks(entry.offset, entry.size))
        except ValueError as error:
            raise CorruptDataError(
                f"{shard.path}: {show_key(key)} at byte {entry.offset} is damaged: "
                f"{error}"
            ) from None
        found = checksum.mask(found)
        if found != (entry.crc32c or 0):
            stored = "none" if entry.crc32c is None else f"{entry.crc32c:08x}"
            raise CorruptDataError(
                f"{shard.path}: {show_key(key)} is damaged: its {entry.size} bytes at "
                f"byte {entry.offset} have the checksum {found:08x}, not the {stored} "
                f"stored in the index"
            )

    @property
    def _swapped(self) -> bool:
        return self.index.header.big_endian != (sys.byteorder == "big")

    def _array(self, key: bytes, entry: Entry, check: bool) -> Array:
        """An entry that has bytes of its own, as an array."""
        dtype = self._numpy_dtype(key, entry)
        shard = self._locate(key, entry)
        if check:
            self._verify(key, entry, shard)
        if entry.dtype == dtypes.STRING:
            return self._strings(key, entry, shard)
        if not entry.size:
            return _frozen(self._empty(key, entry.shape, dtype))
        data = self._map(entry.shard_id, shard)[entry.offset :][: entry.size]
        return _frozen(self._numbers(data, dtype).reshape(entry.shape))

    def _numbers(self, data: memoryview, dtype: np.dtype[Any]) -> Array:
        """Stored bytes as a flat array: a view of them if nothing is in the way."""
        import numpy as np

        flat: Array = np.frombuffer(data, np.uint8)
        if self._swapped and dtype.itemsize > 1:
            number = dtype.itemsize // (2 if dtype.kind == "c" else 1)
            flat = np.ascontiguousarray(flat.reshape(-1, number)[:, ::-1]).reshape(-1)
        out = flat.view(dtype)
        return _frozen(out if out.flags.aligned else out.copy())

    def _numpy_dtype(self, key: bytes, entry: Entry) -> np.dtype[Any]:
        """The dtype of an entry's array; an error if it cannot be one."""
        try:
            dtype = dtypes.of(entry.dtype).numpy
        except UnsupportedCheckpointError as error:
            raise UnsupportedCheckpointError(
                f"{self.index.source}: {show_key(key)}: {error}"
            ) from None
        if len(entry.shape) > _MAX_RANK:
            raise UnsupportedCheckpointError(
                f"{self.index.source}: {show_key(key)} has {len(entry.shape)} "
                f"dimensions; an array can have {_MAX_RANK}"
            )
        return dtype

    def _empty(self, key: bytes, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        import numpy as np

        try:
            return np.empty(shape, dtype)
        except ValueError as error:  # (0, 2**62, 2**62) holds nothing, but too much.
            raise UnsupportedCheckpointError(
                f"{self.index.source}: {show_key(key)}: no array can have the shape "
                f"{list(shape)}: {error}"
            ) from None

    def _strings(self, key: bytes, entry: Entry, shard: files.InputFile) -> Array:
        items = self._string_items(key, entry, shard)
        out = self._empty(key, [len(items)], dtypes.of(entry.dtype).numpy)
        out[:] = items
        return _frozen(out.reshape(entry.shape))

    def _string_items(
        self, key: bytes, entry: Entry, shard: files.InputFile
    ) -> list[bytes]:
        strings = framing.Strings(shard, entry, self._swapped)
        items: list[bytes] = []
        try:
            lengths = array("Q")
            for block in strings.lengths():
                lengths.extend(block)
            data = self._map(entry.shard_id, shard)[: strings.end]
            position = strings.position
            for length in lengths:
                items.append(bytes(data[position : position + length]))
                position += length
        except ValueError as error:
            raise CorruptDataError(
                f"{shard.path}: {show_key(key)} at byte {entry.offset} is damaged: "
                f"{error}"
            ) from None
        return items

    def _join(
        self, name: str, entry: Entry, region: tuple[Extent, ...], check: bool
    ) -> Array:
        """Puts a region of a partitioned variable together."""
        key = coding.name_to_key(name)
        dtype = self._numpy_dtype(key, entry)
        parts = []
        held: dict[int, int] = {}
        for extents, part in self.index.slices(name).items():
            box = resolve(extents, entry.shape)
            common = slices.intersection(box, region)
            if slices.volume(common):
                part_key = coding.slice_key(name, extents)
                held[part.shard_id] = self._locate(part_key, part).size
                parts.append((part_key, part, box, common))
        stored = sum(part.size for _, part, _, _ in parts)
        if stored > sum(held.values()):
            raise CorruptIndexError(
                f"{self.index.source}: the slices of {show_key(key)} overlap in their "
                f"shards: they take {stored} bytes, more than there are"
            )
        if not slices.is_tiled(region, [common for _, _, _, common in parts]):
            raise CorruptIndexError(
                f"{self.index.source}: the slices of {show_key(key)} leave gaps or "
                f"overlap"
            )
        out = None
        for part_key, part, box, common in parts:
            piece = self._array(part_key, part, check)[slices.within(common, box)]
            if common == region:
                return _frozen(piece)
            if out is None:
                out = self._empty(key, [length for _, length in region], dtype)
            out[slices.within(common, region)] = piece
        if out is None:
            out = self._empty(key, [length for _, length in region], dtype)
        return _frozen(out)


def _frozen(array_: Array) -> Array:
    array_.flags.writeable = False
    return array_
