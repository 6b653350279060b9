"""The sorted string table that an index is, and reading it.

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

All integers are little-endian. Keys rise bytewise. The reader holds the file to all of
this before it believes a byte. Writing: table_writer.py.

Source: `tensorflow/core/lib/io/table_builder.cc`.
"""

from __future__ import annotations

import bisect
import contextlib
from collections.abc import Iterator
from typing import Optional

from estimator_ckpt.bundle.coding import show
from estimator_ckpt.bundle.errors import CorruptIndexError, UnsupportedCheckpointError
from estimator_ckpt.bundle.files import InputFile
from estimator_ckpt.bundle.sstable.table_blocks import (
    FOOTER_SIZE,
    MAGIC,
    TRAILER_SIZE,
    Budget,
    Handle,
    check_handle,
    read_block,
    read_entries,
    read_footer,
    read_handle,
)


def is_table(tail: bytes) -> bool:
    """Whether the last bytes of a file are those of a table."""
    return len(tail) >= FOOTER_SIZE and tail.endswith(MAGIC)


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


def _read_table(data: bytes) -> dict[bytes, bytes]:
    metaindex, index = read_footer(data[-FOOTER_SIZE:])
    end = len(data) - FOOTER_SIZE
    budget = Budget(len(data))
    free = check_handle(index, 0, end)
    check_handle(metaindex, 0, free - TRAILER_SIZE - index[1])
    read_entries(read_block(data, metaindex, budget), budget, {}, None)
    blocks: dict[bytes, bytes] = {}
    read_entries(read_block(data, index, budget), budget, blocks, None)

    table: dict[bytes, bytes] = {}
    start, last = 0, None
    for separator, value in blocks.items():
        handle, position = read_handle(value, 0)
        if position != len(value):
            raise ValueError("a block's handle is followed by something")
        # Blocks that share bytes could expand without end, and no writer makes them.
        start = check_handle(handle, start, metaindex[0])
        last = read_entries(read_block(data, handle, budget), budget, table, last)
        if last is not None and separator < last:
            raise ValueError(
                f"the block's last key {show(last)} is over its index entry"
            )
        last = separator
    return table


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
        self._handles: list[Handle] = []
        self._latest: tuple[int, dict[bytes, bytes]] = (-1, {})
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
        if number != self._latest[0]:
            with self._reporting():
                self._latest = (number, self._block(number))
        return self._latest[1].get(key)

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
        metaindex, index = read_footer(footer)
        free = check_handle(index, 0, size - FOOTER_SIZE)
        check_handle(metaindex, 0, free - TRAILER_SIZE - index[1])
        self._entries(metaindex)
        start = 0
        for key, value in self._entries(index).items():
            handle, position = read_handle(value, 0)
            if position != len(value):
                raise ValueError("a block's handle is followed by something")
            start = check_handle(handle, start, metaindex[0])
            self._last_keys.append(key)
            self._handles.append(handle)

    def _block(self, number: int) -> dict[bytes, bytes]:
        entries = self._entries(self._handles[number])
        if entries and next(reversed(entries)) > self._last_keys[number]:
            raise ValueError("a block's last key is over its index entry")
        return entries

    def _entries(self, handle: Handle) -> dict[bytes, bytes]:
        offset, size = handle
        stored = self._file.read(offset, size + TRAILER_SIZE)
        found: dict[bytes, bytes] = {}
        # Blocks are read again and again: each has the bounds of a whole file.
        budget = Budget(self._file.size)
        content = read_block(stored, (0, size), budget)
        read_entries(content, budget, found, None)
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
