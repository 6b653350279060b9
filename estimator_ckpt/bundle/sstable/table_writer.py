"""Writing a table, with the bytes that TensorFlow would write: see table.py."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable

from estimator_ckpt.bundle import checksum
from estimator_ckpt.bundle.protobuf.varints import write_varint
from estimator_ckpt.bundle.sstable.table_blocks import FOOTER_SIZE, MAGIC

_BLOCK_SIZE = 256 << 10
_RESTART_INTERVAL = 16


def write_table(items: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Writes a table.

    Args:
      items: keys and values, with rising keys.

    Returns:
      The bytes that TensorFlow would write.
    """
    out = io.BytesIO()  # gives its bytes without another copy of them
    handles: list[tuple[bytes, bytes]] = []
    block = _Block(_RESTART_INTERVAL)
    last = b""
    pending = b""  # The handle of the block before, until the next key is known.
    for key, value in items:
        if len(key) + len(value) >= 2 * _BLOCK_SIZE and block.content:
            pending = _append_block(out, block.finish())
            block = _Block(_RESTART_INTERVAL)
        if pending:
            handles.append((_separator(last, key), pending))
            pending = b""
        last = key
        if block.add(key, value) >= _BLOCK_SIZE:
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
    out.write((metaindex + index).ljust(FOOTER_SIZE - len(MAGIC), b"\x00") + MAGIC)
    return out.getvalue()


class _Block:
    """A block being written."""

    def __init__(self, interval: int) -> None:
        self.content = bytearray()
        self._interval = interval
        self._restarts = [0]
        self._since_restart = 0
        self._last = b""

    def add(self, key: bytes, value: bytes) -> int:
        """Adds an entry; returns the size of the content if it ended here."""
        content = self.content
        if self._since_restart < self._interval:
            shared = _shared(self._last, key)
        else:
            self._restarts.append(len(content))
            self._since_restart = 0
            shared = 0
        lengths = (shared, len(key) - shared, len(value))
        if max(lengths) < 0x80:
            content += bytes(lengths)
        else:
            content += b"".join(map(write_varint, lengths))
        content += key[shared:]
        content += value
        self._since_restart += 1
        self._last = key
        return len(content) + 4 * len(self._restarts) + 4

    def finish(self) -> bytes:
        count = len(self._restarts)
        return bytes(self.content) + struct.pack(
            f"<{count + 1}I", *self._restarts, count
        )


def _append_block(out: io.BytesIO, content: bytes) -> bytes:
    """Appends a block and returns its handle."""
    handle = write_varint(out.tell()) + write_varint(len(content))
    content += b"\x00"
    out.write(content)
    out.write(checksum.mask(checksum.value(content)).to_bytes(4, "little"))
    return handle


def _shared(a: bytes, b: bytes) -> int:
    """The length of the longest common prefix."""
    length = min(len(a), len(b))
    # As numbers they differ from the first byte on in which they differ.
    of_a, of_b = int.from_bytes(a[:length], "big"), int.from_bytes(b[:length], "big")
    return length - ((of_a ^ of_b).bit_length() + 7) // 8


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
