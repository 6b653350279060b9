"""Varints: the integers of protobuf messages, of an index and of string tensors.

Seven bits a byte, the least first; the high bit says that more follow.
"""

from __future__ import annotations

from array import array
from typing import Union

#: What varints are read from.
Bytes = Union[bytes, memoryview]

_MASK_64 = (1 << 64) - 1
#: The varints of one byte, by value.
ONE_BYTE = [bytes([value]) for value in range(0x80)]


def write_varint(value: int) -> bytes:
    """A value below 2**64 as a varint; a negative one as 64 bits."""
    if 0 <= value <= 0x7F:
        return ONE_BYTE[value]
    if 0 <= value <= 0x3FFF:  # as most lengths that are longer
        return bytes((value & 0x7F | 0x80, value >> 7))
    if value < 0:
        value &= _MASK_64
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: Bytes, position: int, end: int) -> tuple[int, int]:
    """The varint at `position`, and the position behind it.

    Raises:
      ValueError: it does not end before `end`, exceeds 64 bits, or is padded with
        zeros, as no writer pads it.
    """
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            raise ValueError("a varint is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > _MASK_64:
                break
            if not byte and shift:
                raise ValueError("a varint is padded with zeros")
            return value, position
    raise ValueError("a varint is longer than 64 bits")


def read_varints(data: Bytes, most: int) -> tuple[array[int], int]:
    """The varints that bytes begin with.

    Args:
      data: the bytes.
      most: how many to read at most.

    Returns:
      The varints, and how many bytes they take. One that the end of the data cuts off
      is not among them.

    Raises:
      ValueError: as `read_varint`.
    """
    head = bytes(data[:most])
    if head.isascii():  # Each byte is one varint.
        return array("Q", list(head)), len(head)
    out = array("Q")
    position, end = 0, len(data)
    while len(out) < most and position < end:
        if position + 10 > end and not any(b < 0x80 for b in data[position:]):
            break
        value, position = read_varint(data, position, end)
        out.append(value)
    return out, position
