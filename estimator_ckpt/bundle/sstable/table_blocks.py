"""Blocks and handles of a table, each held to its bounds. What they are: table.py.

Errors are ValueErrors; table.py says of which file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from estimator_ckpt.bundle import checksum
from estimator_ckpt.bundle.coding import show
from estimator_ckpt.bundle.errors import UnsupportedCheckpointError
from estimator_ckpt.bundle.protobuf.varints import read_varint

FOOTER_SIZE = 48
MAGIC = bytes.fromhex("57fb808b247547db")
TRAILER_SIZE = 5

#: Offset and size of a block's content.
Handle = tuple[int, int]

# At most this many bytes of keys and uncompressed blocks for each byte of the file. A
# writer with 16 entries between restarts cannot exceed 16 but for snappy, whose ratio
# on an index is below 4; a file made to fill the memory can reach millions.
_MAX_EXPANSION = 64
# The snappy format cannot say more than 64 bytes of output in 3 bytes of input.
_MAX_SNAPPY = 64 / 3


class Budget:
    """Counts down the bytes that a file may still expand to."""

    def __init__(self, size: int) -> None:
        self.left = _MAX_EXPANSION * size

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise ValueError(
                f"it would expand to more than {_MAX_EXPANSION} times its size"
            )


def read_footer(footer: bytes) -> tuple[Handle, Handle]:
    """The handles of the metaindex block and of the index block."""
    if len(footer) < FOOTER_SIZE or not footer.endswith(MAGIC):
        raise ValueError("it does not end in the footer of a table")
    handles = footer[: -len(MAGIC)]
    metaindex, position = read_handle(handles, 0)
    index, position = read_handle(handles, position)
    if any(handles[position:]):
        raise ValueError("the footer is not padded with zeros")
    return metaindex, index


def read_handle(data: bytes, position: int) -> tuple[Handle, int]:
    offset, position = read_varint(data, position, len(data))
    size, position = read_varint(data, position, len(data))
    return (offset, size), position


def check_handle(handle: Handle, start: int, end: int) -> int:
    """Returns the first byte behind the block, its trailer included."""
    offset, size = handle
    if offset < start or offset + size + TRAILER_SIZE > end:
        raise ValueError(
            f"a block is said to take {size} bytes from {offset} on, outside of the "
            f"bytes {start} to {end} where it can be"
        )
    return offset + size + TRAILER_SIZE


def read_block(data: bytes, handle: Handle, budget: Budget) -> bytes:
    offset, size = handle
    end = offset + size
    content = data[offset:end]
    stored = int.from_bytes(data[end + 1 : end + TRAILER_SIZE], "little")
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


def _unsnap(content: bytes, budget: Budget) -> bytes:
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
        from estimator_ckpt.bundle import install_hints  # few indexes are compressed

        raise UnsupportedCheckpointError(
            f"the index is compressed with snappy; reinstall cramjam to read it "
            f"({install_hints.install('cramjam')})"
        ) from None
    decompress: Callable[[bytes], Any] = snappy.decompress_raw
    return decompress


def read_entries(
    content: bytes, budget: Budget, table: dict[bytes, bytes], floor: Any
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
    later = iter(restarts)
    restart = next(later, -1)
    while position < limit:
        entry = position
        # Nothing here can run over the end: a count of four bytes follows `limit`.
        shared, unshared = content[position], content[position + 1]
        length = content[position + 2]
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
        if entry == restart:
            restart = next(later, -1)
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
    if limit:
        _require_none_left(restart)
    budget.spend(spent)
    return last


def _require_none_left(restart: int) -> None:
    if restart >= 0:
        raise ValueError(f"the restart {restart} of a block is no entry's")


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
