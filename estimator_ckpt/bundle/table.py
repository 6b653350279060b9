"""The sorted string table that an index is: reading and writing, bytes to bytes.

    table     data block ... | metaindex block | index block | footer
    block     content | compression, 1 byte: 0 none, 1 snappy | masked CRC32C of both
    content   entry ... | restart, 4 bytes ... | number of restarts, 4 bytes
    entry     shared, unshared, length: varints | unshared key bytes | value
    footer    metaindex handle | index handle | zeros up to 40 bytes | magic, 8 bytes
    handle    offset, size of content: varints

A key is the first `shared` bytes of the key before it and the unshared bytes. Restarts
are offsets of entries with shared = 0: every 16th in a data block, every one in the
index block. The index block has for each data block its handle under a key that is not
below the block's last key and below the next block's first. The metaindex is empty.

All integers are little-endian. Keys rise bytewise. The writer makes the same bytes as
TensorFlow's (`tensorflow/core/lib/io/table_builder.cc`). The reader holds the file to
all of this before it believes a byte.
"""

from __future__ import annotations

import bisect
import contextlib
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Optional

from estimator_ckpt.bundle import checksum
from estimator_ckpt.bundle.coding import show
from estimator_ckpt.bundle.errors import CorruptIndexError, UnsupportedCheckpointError
from estimator_ckpt.bundle.files import InputFile
from estimator_ckpt.bundle.varints import read_varint, write_varint

FOOTER_SIZE = 48

_MAGIC = bytes.fromhex("57fb808b247547db")
_TRAILER_SIZE = 5
_BLOCK_SIZE = 256 << 10
_RESTART_INTERVAL = 16

# At most this many bytes of keys and uncompressed blocks for each byte of the file. A
# writer with 16 entries between restarts cannot exceed 16 but for snappy, whose ratio
# on an index is below 4; a file made to fill the memory can reach millions.
_MAX_EXPANSION = 64
# The snappy format cannot say more than 64 bytes of output in 3 bytes of input.
_MAX_SNAPPY = 64 / 3


def is_table(tail: bytes) -> bool:
    """Whether the last bytes of a file are those of a table."""
    return len(tail) >= FOOTER_SIZE and tail.endswith(_MAGIC)


def read_table(data: bytes, source: str) -> dict[bytes, bytes]:
    """Reads a table.

    Args:
      data: the bytes of the file.
      source: what to call the file in errors.

    Returns:
      Values by key, in the file's (bytewise) order.

    Raises:
      CorruptIndexError: anything but what a table must be.
      UnsupportedCheckpointError: blocks compressed with snappy, and no library.
    """
    try:
        return _read_table(data)
    except ValueError as error:
        raise CorruptIndexError(
            f"{source}: the index is damaged: {error}. Restore the file from a copy, "
            f"or use another checkpoint"
        ) from None
    except UnsupportedCheckpointError as error:
        raise UnsupportedCheckpointError(f"{source}: {error}") from None


class Table:
    """A table too large to be held in memory: it is read block by block.

    Attributes:
      source: what to call the file in errors.
    """

    def __init__(self, file: InputFile, source: str) -> None:
        """Reads the index of the blocks.

        Args:
          file: the file; it stays open, and its own.
          source: what to call it in errors.

        Raises:
          As `read_table`.
        """
        self.source = source
        self._file = file
        self._last_keys: list[bytes] = []
        self._handles: list[tuple[int, int]] = []
        with self._reporting():
            self._read_handles()

    def get(self, key: bytes) -> Optional[bytes]:
        """The value of a key, or None if it is not there.

        Raises:
          As `read_table`.
        """
        number = bisect.bisect_left(self._last_keys, key)
        if number == len(self._handles):
            return None
        with self._reporting():
            return self._block(number).get(key)

    def blocks(self) -> Iterator[dict[bytes, bytes]]:
        """Each block's values by key, every byte of it checked.

        Raises:
          As `read_table`.
        """
        last = None
        for number in range(len(self._handles)):
            with self._reporting():
                block = self._block(number)
                first = next(iter(block), None)
                if first is not None and last is not None and first <= last:
                    raise ValueError(
                        f"the key {show(first)} follows {show(last)}: out of order"
                    )
                last = self._last_keys[number]
            yield block

    def _read_handles(self) -> None:
        size = self._file.size
        footer = self._file.read(max(size - FOOTER_SIZE, 0), min(size, FOOTER_SIZE))
        metaindex, index = _read_footer(footer)
        free = _check_handle(index, 0, size - FOOTER_SIZE)
        _check_handle(metaindex, 0, free - _TRAILER_SIZE - index[1])
        self._entries(metaindex)
        start = 0
        for key, value in self._entries(index).items():
            handle, position = _read_handle(value, 0)
            if position != len(value):
                raise ValueError("a block's handle is followed by something")
            start = _check_handle(handle, start, metaindex[0])
            self._last_keys.append(key)
            self._handles.append(handle)

    def _block(self, number: int) -> dict[bytes, bytes]:
        entries = self._entries(self._handles[number])
        if entries and next(reversed(entries)) > self._last_keys[number]:
            raise ValueError("a block's last key is over its index entry")
        return entries

    def _entries(self, handle: tuple[int, int]) -> dict[bytes, bytes]:
        offset, size = handle
        stored = self._file.read(offset, size + _TRAILER_SIZE)
        found: dict[bytes, bytes] = {}
        # Blocks are read again and again: each has the bounds of a whole file.
        budget = _Budget(self._file.size)
        content = _read_block(stored, (0, size), budget)
        _read_entries(content, budget, found, None)
        return found

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise CorruptIndexError(
                f"{self.source}: the table is damaged: {error}. Restore the file from "
                f"a copy, or use another checkpoint"
            ) from None
        except UnsupportedCheckpointError as error:
            raise UnsupportedCheckpointError(f"{self.source}: {error}") from None


def write_table(items: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Writes a table.

    Args:
      items: keys and values, with rising keys.

    Returns:
      The bytes that TensorFlow would write.
    """
    out = bytearray()
    handles: list[tuple[bytes, bytes]] = []
    block = _Block(_RESTART_INTERVAL)
    last = b""
    pending = b""  # The handle of the block before, until the next key is known.
    for key, value in items:
        if block.content and len(key) + len(value) >= 2 * _BLOCK_SIZE:
            pending = _append_block(out, block.finish())
            block = _Block(_RESTART_INTERVAL)
        if pending:
            handles.append((_separator(last, key), pending))
            pending = b""
        block.add(key, value)
        last = key
        if block.size >= _BLOCK_SIZE:
            pending = _append_block(out, block.finish())
            block = _Block(_RESTART_INTERVAL)
    if block.content:
        pending = _append_block(out, block.finish())
    if pending:
        handles.append((_successor(last), pending))

    metaindex = _append_block(out, _Block(_RESTART_INTERVAL).finish())
    block = _Block(1)
    for key, handle in handles:
        block.add(key, handle)
    index = _append_block(out, block.finish())
    out += (metaindex + index).ljust(FOOTER_SIZE - len(_MAGIC), b"\x00") + _MAGIC
    return bytes(out)


# Reading. The helpers raise ValueError; read_table says of which file.


class _Budget:
    """Counts down the bytes that a file may still expand to."""

    def __init__(self, size: int) -> None:
        self.left = _MAX_EXPANSION * size

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise ValueError(
                f"it would expand to more than {_MAX_EXPANSION} times its size"
            )


def _read_table(data: bytes) -> dict[bytes, bytes]:
    metaindex, index = _read_footer(data[-FOOTER_SIZE:])
    end = len(data) - FOOTER_SIZE
    budget = _Budget(len(data))
    free = _check_handle(index, 0, end)
    _check_handle(metaindex, 0, free - _TRAILER_SIZE - index[1])
    _read_entries(_read_block(data, metaindex, budget), budget, {}, None)
    blocks: dict[bytes, bytes] = {}
    _read_entries(_read_block(data, index, budget), budget, blocks, None)

    table: dict[bytes, bytes] = {}
    start, last = 0, None
    for separator, value in blocks.items():
        handle, position = _read_handle(value, 0)
        if position != len(value):
            raise ValueError("a block's handle is followed by something")
        # Blocks that share bytes could expand without end, and no writer makes them.
        start = _check_handle(handle, start, metaindex[0])
        last = _read_entries(_read_block(data, handle, budget), budget, table, last)
        if last is not None and separator < last:
            raise ValueError(
                f"the block's last key {show(last)} is over its index entry"
            )
        last = separator
    return table


def _read_footer(footer: bytes) -> tuple[tuple[int, int], tuple[int, int]]:
    """The handles of the metaindex block and of the index block."""
    if not is_table(footer):
        raise ValueError("it does not end in the footer of a table")
    handles = footer[: -len(_MAGIC)]
    metaindex, position = _read_handle(handles, 0)
    index, position = _read_handle(handles, position)
    if any(handles[position:]):
        raise ValueError("the footer is not padded with zeros")
    return metaindex, index


def _read_handle(data: bytes, position: int) -> tuple[tuple[int, int], int]:
    offset, position = read_varint(data, position, len(data))
    size, position = read_varint(data, position, len(data))
    return (offset, size), position


def _check_handle(handle: tuple[int, int], start: int, end: int) -> int:
    """Returns the first byte behind the block, its trailer included."""
    offset, size = handle
    if offset < start or offset + size + _TRAILER_SIZE > end:
        raise ValueError(
            f"a block is said to take {size} bytes from {offset} on, outside of the "
            f"bytes {start} to {end} where it can be"
        )
    return offset + size + _TRAILER_SIZE


def _read_block(data: bytes, handle: tuple[int, int], budget: _Budget) -> bytes:
    offset, size = handle
    end = offset + size
    content = data[offset:end]
    stored = int.from_bytes(data[end + 1 : end + _TRAILER_SIZE], "little")
    found = checksum.mask(checksum.value(data[offset : end + 1]))
    if found != stored:
        raise ValueError(
            f"the block at byte {offset} has the checksum {found:08x}, not the "
            f"{stored:08x} stored with it"
        )
    compression = data[end]
    if compression == 1:
        return _unsnap(content, budget)
    if compression != 0:
        raise ValueError(
            f"the block at byte {offset} has the unknown compression {compression}"
        )
    return content


def _unsnap(content: bytes, budget: _Budget) -> bytes:
    size, _ = read_varint(content, 0, len(content))
    if size > _MAX_SNAPPY * len(content):
        raise ValueError(
            f"a snappy block of {len(content)} bytes says that it holds {size}"
        )
    budget.spend(size)
    decompress = _snappy()
    try:
        unsnapped = bytes(decompress(content))
    except Exception as error:  # The library's own.
        raise ValueError(f"a snappy block cannot be decoded: {error}") from None
    if len(unsnapped) != size:
        raise ValueError("a snappy block does not hold as many bytes as it says")
    return unsnapped


def _snappy() -> Callable[[bytes], Any]:
    """A function that decodes a block. Its library is loaded when one is met."""
    try:
        from cramjam import snappy
    except ImportError:
        raise UnsupportedCheckpointError(
            "the index is compressed with snappy; reinstall cramjam to read it (pip "
            "install cramjam)"
        ) from None
    decompress: Callable[[bytes], Any] = snappy.decompress_raw
    return decompress


def _read_entries(
    content: bytes, budget: _Budget, table: dict[bytes, bytes], floor: Any
) -> Any:
    """Adds the entries of a block to `table`.

    Args:
      content: the block, uncompressed.
      budget: what the keys may still expand to.
      table: receives the entries.
      floor: all keys must be above it; None: any first key will do.

    Returns:
      The last key, or `floor` if the block is empty.
    """
    restarts, limit = _read_restarts(content)
    key = b""
    last = floor
    position = 0
    spent = 0
    restart = 0
    while position < limit:
        entry = position
        # Nothing here can run over the end: a count of four bytes follows `limit`.
        shared, unshared, length = content[position : position + 3]
        if shared < 0x80 and unshared < 0x80 and length < 0x80:
            position += 3
        else:
            shared, position = read_varint(content, position, limit)
            unshared, position = read_varint(content, position, limit)
            length, position = read_varint(content, position, limit)
        start = position + unshared
        position = start + length
        if position > limit or shared > len(key):
            raise ValueError(f"the entry at byte {entry} of a block exceeds its bounds")
        if restart < len(restarts) and entry == restarts[restart]:
            restart += 1
            if shared:
                raise ValueError(f"the restart at byte {entry} of a block is none")
        key = key[:shared] + content[start - unshared : start]
        if last is not None and key <= last:
            raise ValueError(f"the key {show(key)} follows {show(last)}: out of order")
        spent += len(key)
        if spent > 1 << 20:
            budget.spend(spent)
            spent = 0
        table[key] = content[start:position]
        last = key
    if restart < len(restarts) and limit:
        raise ValueError(f"the restart {restarts[restart]} of a block is no entry's")
    budget.spend(spent)
    return last


def _read_restarts(content: bytes) -> tuple[Sequence[int], int]:
    """The restarts of a block, and where its entries end."""
    count = int.from_bytes(content[-4:], "little")
    limit = len(content) - 4 * (count + 1)
    if len(content) < 4 or limit < 0:
        raise ValueError(f"a block of {len(content)} bytes has {count} restarts")
    restarts = struct.unpack_from(f"<{count}I", content, limit)
    if limit and (not restarts or restarts[0] != 0):
        raise ValueError("a block has no restart at its first entry")
    return restarts, limit


# Writing.


class _Block:
    """A block being written."""

    def __init__(self, interval: int) -> None:
        self.content = bytearray()
        self._interval = interval
        self._restarts = [0]
        self._since_restart = 0
        self._last = b""

    @property
    def size(self) -> int:
        """The size of the content if it ended here."""
        return len(self.content) + 4 * len(self._restarts) + 4

    def add(self, key: bytes, value: bytes) -> None:
        if self._since_restart < self._interval:
            shared = _shared(self._last, key)
        else:
            self._restarts.append(len(self.content))
            self._since_restart = 0
            shared = 0
        lengths = (shared, len(key) - shared, len(value))
        if max(lengths) < 0x80:
            self.content += bytes(lengths)
        else:
            self.content += b"".join(map(write_varint, lengths))
        self.content += key[shared:]
        self.content += value
        self._since_restart += 1
        self._last = key

    def finish(self) -> bytes:
        count = len(self._restarts)
        return bytes(self.content) + struct.pack(
            f"<{count + 1}I", *self._restarts, count
        )


def _append_block(out: bytearray, content: bytes) -> bytes:
    """Appends a block and returns its handle."""
    handle = write_varint(len(out)) + write_varint(len(content))
    content += b"\x00"
    out += content
    out += checksum.mask(checksum.value(content)).to_bytes(4, "little")
    return handle


def _shared(a: bytes, b: bytes) -> int:
    """The length of the longest common prefix, by bisection."""
    low, high = 0, min(len(a), len(b))
    if a[:high] == b[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low


def _separator(low: bytes, high: bytes) -> bytes:
    """The short key that TensorFlow puts between two blocks: low <= it < high."""
    at = _shared(low, high)
    if at < min(len(low), len(high)) and low[at] + 1 < high[at]:
        return low[:at] + bytes([low[at] + 1])
    return low


def _successor(key: bytes) -> bytes:
    """The short key that TensorFlow puts behind the last block: key <= it."""
    for at, byte in enumerate(key):
        if byte != 0xFF:
            return key[:at] + bytes([byte + 1])
    return key
