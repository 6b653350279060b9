"""The framing of strings and variants in a shard, and what their checksums cover.

    string    length, varint ... | masked CRC32C of the lengths, 4 bytes | bytes ...
    variant   (length, varint | bytes | masked CRC32C so far, 4 bytes) ...

The checksum of an entry covers these bytes, but with the lengths as fixed-width
integers instead of varints: 4 bytes for strings (8 if a length needs them), 8 for
variants. The checksums in between are covered as the bytes that they are.

Source: `tensorflow/core/util/tensor_bundle/tensor_bundle.cc`.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator

from estimator_ckpt.bundle import checksum, files
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.protobuf.varints import (
    read_varint,
    read_varints,
    write_varint,
)

_BLOCK = 64 << 10
_PIECE = 1 << 20


class Strings:
    """The framing of a string tensor.

    `lengths` has to be exhausted before anything else is asked for.
    """

    def __init__(self, shard: files.InputFile, entry: Entry, swapped: bool) -> None:
        self._shard = shard
        self._count = entry.num_elements
        self._swapped = swapped
        self._crc = 0
        self.position = entry.offset
        self.end = entry.offset + entry.size

    def lengths(self) -> Iterator[array[int]]:
        """The lengths of the strings, in blocks; ValueError if they are damaged."""
        left, total = self._count, 0
        rest = b""
        while left:
            start = self.position + len(rest)
            block = rest + self._shard.read(start, min(_BLOCK, self.end - start))
            lengths, used = read_varints(block, left)
            if not used:
                raise ValueError("a string's length is cut off or too long")
            self._crc = checksum.extend(self._crc, _fixed_width(lengths, self._swapped))
            self.position += used
            left -= len(lengths)
            total += sum(lengths)
            rest = block[used:]
            yield lengths
        if self.position + 4 + total != self.end:
            raise ValueError(
                f"its {self._count} strings take {total} bytes, but "
                f"{self.end - self.position - 4} are there"
            )
        stored = self._shard.read(self.position, 4)
        order = "big" if self._swapped != (sys.byteorder == "big") else "little"
        if int.from_bytes(stored, order) != checksum.mask(self._crc):  # type: ignore[arg-type]
            raise ValueError("the checksum of the strings' lengths is wrong")
        self._crc = checksum.extend(self._crc, stored)
        self.position += 4

    def checksum(self) -> int:
        """The CRC32C of the whole tensor."""
        crc = self._crc
        for chunk in self._shard.chunks(self.position, self.end - self.position):
            crc = checksum.extend(crc, chunk)
        return crc


def _fixed_width(lengths: array[int], swapped: bool) -> bytes:
    """Lengths as the checksum sees them."""
    order = ">" if swapped != (sys.byteorder == "big") else "<"
    if max(lengths) < 1 << 32:
        return struct.pack(f"{order}{len(lengths)}I", *lengths)
    return b"".join(
        struct.pack(f"{order}{'I' if length < 1 << 32 else 'Q'}", length)
        for length in lengths
    )


def variant_checksum(shard: files.InputFile, entry: Entry) -> int:
    """The CRC32C of a variant tensor; ValueError if its framing is damaged."""
    crc = 0
    position, end = entry.offset, entry.offset + entry.size
    for _ in range(entry.num_elements):
        head = shard.read(position, min(10, end - position))
        length, used = read_varint(head, 0, len(head))
        position += used
        if position + length + 4 > end:
            raise ValueError("an element of it is cut off")
        crc = checksum.extend(crc, length.to_bytes(8, "little"))
        for chunk in shard.chunks(position, length):
            crc = checksum.extend(crc, chunk)
        position += length
        stored = shard.read(position, 4)
        if int.from_bytes(stored, "little") != checksum.mask(crc):
            raise ValueError("the checksum of an element is wrong")
        crc = checksum.extend(crc, stored)
        position += 4
    if position != end:
        raise ValueError(f"its elements are followed by {end - position} bytes")
    return crc


def frame_strings(strings: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """A string tensor as it stands in a shard.

    Args:
      strings: the elements, in row-major order.

    Yields:
      Pieces of the tensor: what to write, and what the checksum takes instead.
    """
    lengths = array("Q", map(len, strings))
    crc = 0
    for start in range(0, len(lengths), _BLOCK):
        block = lengths[start : start + _BLOCK]
        fixed = _fixed_width(block, swapped=False)
        crc = checksum.extend(crc, fixed)
        yield b"".join(map(write_varint, block)), fixed
    stored = checksum.mask(crc).to_bytes(4, "little")
    yield stored, stored
    pieces: list[bytes] = []
    size = 0
    for string in strings:
        pieces.append(string)
        size += len(string)
        if size >= _PIECE:
            piece = b"".join(pieces)
            yield piece, piece
            pieces, size = [], 0
    piece = b"".join(pieces)
    yield piece, piece
