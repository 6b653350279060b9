"""Tensors out of a bundle: as NumPy arrays, as bytes, or only against their checksums.

Numbers stand in a shard as they stand in memory, so an array is a view of the mapped
file. Strings are framed: see framing.py.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Optional

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CorruptIndexError, UnsupportedCheckpointError
from estimator_ckpt.bundle.index import Index, index_path, read_index
from estimator_ckpt.bundle.shards import Shards
from estimator_ckpt.bundle.tensors import arrays, dtypes, slices
from estimator_ckpt.bundle.tensors.slices import resolve, show_key

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array


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
        if index is None:
            index = read_index(index_path(self.prefix), store)
        self.index = index
        self._shards = Shards(self.prefix, index, store)

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
        if not entry.slices:
            place = slices.place_of(extents, entry.shape)
            whole = self._array(coding.name_to_key(name), entry, check)
            return arrays.frozen(whole[place])
        region = resolve(tuple(Extent(*extent) for extent in extents), entry.shape)
        return self._join(name, entry, region, check)

    def iter_arrays(self, name: str, check: bool = True) -> Iterator[Array]:
        """Reads a tensor piece by piece, in row-major order.

        Where the pieces are cut depends on dtype and shape alone, so two tensors of
        the same dtype and shape can be compared piece by piece, however each is
        stored. Holds at most two pieces, and strings whole.

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
        with self._naming(key):
            dtype = arrays.dtype_of(entry)
        regions = slices.pieces(entry.shape, dtype.itemsize)
        if check:
            self.verify_whole(name)
        if entry.slices:
            for region in regions:
                yield self._join(name, entry, region, check=False).reshape(-1)
                self.unmap()
            return
        shard, offset = self._shards.locate(key, entry), entry.offset
        for region in regions:
            size = slices.volume(region) * dtype.itemsize
            for chunk in shard.chunks(offset, size):
                yield arrays.of_numbers(chunk, dtype, self._shards.swapped)
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
        shard = self._shards.locate(key, entry)
        self._shards.verify(key, entry, shard)
        (string,) = self._shards.strings(key, entry, shard)
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
            self._shards.verify(key, entry, self._shards.locate(key, entry))

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
            shard = self._shards.locate(key, entry)
            yield from shard.chunks(entry.offset, entry.size)

    def unmap(self) -> None:
        """Lets go of mapped shards, whose pages count as ours until then.

        Arrays that were read stay valid.
        """
        self._shards.unmap()

    def close(self) -> None:
        """Closes the shards. Arrays that were read stay valid."""
        self._shards.close()

    def __enter__(self) -> BundleReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def holding(self, shards: Mapping[int, files.InputFile]) -> Iterator[None]:
        """Reads shards through files that are open; whoever holds these closes them.

        Args:
          shards: open files by shard number; others are read as before.
        """
        before = self._shards.hold(shards)
        try:
            yield
        finally:
            self._shards.hold_only(before)

    def _array(self, key: bytes, entry: Entry, check: bool) -> Array:
        """An entry that has bytes of its own, as an array."""
        with self._naming(key):
            dtype = arrays.dtype_of(entry)
        shard = self._shards.locate(key, entry)
        if check:
            self._shards.verify(key, entry, shard)
        if entry.dtype == dtypes.STRING:
            items = self._shards.strings(key, entry, shard)
            return arrays.of_strings(items, entry.shape)
        if not entry.size:
            with self._naming(key):
                return arrays.frozen(arrays.empty(entry.shape, dtype))
        data = self._shards.view(entry, shard)
        flat = arrays.of_numbers(data, dtype, self._shards.swapped)
        return arrays.frozen(flat.reshape(entry.shape))

    @contextlib.contextmanager
    def _naming(self, key: bytes) -> Iterator[None]:
        """Says which tensor it is that cannot be an array."""
        try:
            yield
        except UnsupportedCheckpointError as error:
            raise UnsupportedCheckpointError(
                f"{self.index.source}: {show_key(key)}: {error}"
            ) from None

    def _join(
        self, name: str, entry: Entry, region: tuple[Extent, ...], check: bool
    ) -> Array:
        """Puts a region of a partitioned variable together."""
        key = coding.name_to_key(name)
        with self._naming(key):
            dtype = arrays.dtype_of(entry)
        parts = []
        held: dict[int, int] = {}
        for extents, part in self.index.slices(name).items():
            box = resolve(extents, entry.shape)
            common = slices.intersection(box, region)
            if slices.volume(common):
                part_key = coding.slice_key(name, extents)
                held[part.shard_id] = self._shards.locate(part_key, part).size
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
        if len(parts) == 1:  # which is then the region
            part_key, part, box, common = parts[0]
            whole = self._array(part_key, part, check)
            return arrays.frozen(whole[slices.within(common, box)])
        with self._naming(key):
            out = arrays.empty([length for _, length in region], dtype)
        for part_key, part, box, common in parts:
            piece = self._array(part_key, part, check)[slices.within(common, box)]
            out[slices.within(common, region)] = piece
        return arrays.frozen(out)
