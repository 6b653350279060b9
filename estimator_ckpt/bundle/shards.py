"""The data shards of a bundle, opened when needed, and the bytes of entries in them."""

from __future__ import annotations

import sys
from _thread import allocate_lock  # threading.Lock, less the import of the rest
from array import array
from collections.abc import Mapping

from estimator_ckpt.bundle import checksum, files
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CheckpointNotFoundError, CorruptDataError
from estimator_ckpt.bundle.index import Index, shard_path
from estimator_ckpt.bundle.tensors import dtypes, framing
from estimator_ckpt.bundle.tensors.slices import show_key

_MAX_OPEN_SHARDS = 64


class Shards:
    """The shards of one bundle; may be used from several threads.

    Attributes:
      swapped: whether numbers are stored in the other byte order than the machine's.
    """

    def __init__(self, prefix: str, index: Index, store: files.Store) -> None:
        self.swapped = index.header.big_endian != (sys.byteorder == "big")
        self._prefix = prefix
        self._num_shards = index.header.num_shards
        self._store = store
        self._shards: dict[int, files.InputFile] = {}
        self._held: Mapping[int, files.InputFile] = {}
        self._maps: dict[int, memoryview] = {}
        self._lock = allocate_lock()

    def locate(self, key: bytes, entry: Entry) -> files.InputFile:
        """The shard that holds all bytes of an entry.

        Raises:
          CorruptDataError: it is missing or short.
        """
        try:
            shard = self._open(entry.shard_id)
        except CheckpointNotFoundError:
            path = shard_path(self._prefix, entry.shard_id, self._num_shards)
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

    def view(self, entry: Entry, shard: files.InputFile) -> memoryview:
        """The bytes of an entry in its shard, which is mapped for that."""
        with self._lock:
            if entry.shard_id not in self._maps:
                self._maps[entry.shard_id] = shard.map()
            data = self._maps[entry.shard_id]
        return data[entry.offset : entry.offset + entry.size]

    def verify(self, key: bytes, entry: Entry, shard: files.InputFile) -> None:
        """Compares the bytes of an entry with its checksum, in little memory.

        Raises:
          CorruptDataError: they differ, or their framing is damaged.
        """
        try:
            if entry.dtype == dtypes.STRING:
                strings = framing.Strings(shard, entry, self.swapped)
                for _ in strings.lengths():
                    pass
                found = strings.checksum()
            elif entry.dtype == dtypes.VARIANT:
                found = framing.variant_checksum(shard, entry)
            else:
                found = checksum.of_chunks(shard.chunks(entry.offset, entry.size))
        except ValueError as error:
            raise _damaged(shard, key, entry, error) from None
        found = checksum.mask(found)
        if found != (entry.crc32c or 0):
            stored = "none" if entry.crc32c is None else f"{entry.crc32c:08x}"
            raise CorruptDataError(
                f"{shard.path}: {show_key(key)} is damaged: its {entry.size} bytes at "
                f"byte {entry.offset} have the checksum {found:08x}, not the {stored} "
                f"stored in the index"
            )

    def strings(self, key: bytes, entry: Entry, shard: files.InputFile) -> list[bytes]:
        """The elements of a string tensor, in row-major order.

        Raises:
          CorruptDataError: their framing is damaged.
        """
        framed = framing.Strings(shard, entry, self.swapped)
        items: list[bytes] = []
        try:
            lengths = array("Q")
            for block in framed.lengths():
                lengths.extend(block)
        except ValueError as error:
            raise _damaged(shard, key, entry, error) from None
        data = self.view(entry, shard)
        position = framed.position - entry.offset
        for length in lengths:
            items.append(bytes(data[position : position + length]))
            position += length
        return items

    def hold(
        self, shards: Mapping[int, files.InputFile]
    ) -> Mapping[int, files.InputFile]:
        """Takes more open files for shards; their owner closes them.

        Args:
          shards: open files by shard number.

        Returns:
          Those that were held before, for `hold_only`.
        """
        before = self._held
        self.hold_only({**before, **shards})
        return before

    def hold_only(self, shards: Mapping[int, files.InputFile]) -> None:
        """Takes these open files for shards, and no others."""
        with self._lock:
            self._held = shards
            self._shards.clear()
            self._maps.clear()

    def unmap(self) -> None:
        """Lets go of mapped shards, whose pages count as ours until then."""
        with self._lock:
            self._maps.clear()

    def close(self) -> None:
        """Closes the shards. Views of them stay valid."""
        with self._lock:
            self._shards.clear()
            self._maps.clear()

    def _open(self, shard_id: int) -> files.InputFile:
        held = self._held.get(shard_id)
        if held is not None:
            return held
        with self._lock:
            shard = self._shards.pop(shard_id, None)
            if shard is None:
                path = shard_path(self._prefix, shard_id, self._num_shards)
                shard = self._store.open_file(path)
            self._shards[shard_id] = shard
            if len(self._shards) > _MAX_OPEN_SHARDS:
                # The file closes when the last thread that uses it lets go of it.
                oldest = next(iter(self._shards))
                del self._shards[oldest]
                self._maps.pop(oldest, None)
            return shard


def _damaged(
    shard: files.InputFile, key: bytes, entry: Entry, error: ValueError
) -> CorruptDataError:
    return CorruptDataError(
        f"{shard.path}: {show_key(key)} at byte {entry.offset} is damaged: {error}"
    )
