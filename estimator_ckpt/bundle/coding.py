"""Keys as bytes: names, slice keys, TensorFlow's OrderedCode.

An ordinary tensor's key is its name. A slice of a partitioned variable has

    00 | name, 00 -> 00 ff and ff -> ff 00, closed by 00 01 | rank | start length ...

with the numbers in OrderedCode, whose bytewise order is that of the values:

    unsigned  one byte n, then the n bytes of the value, big-endian (0 -> 00)
    signed    n bytes of big-endian two's complement, XORed with n leading one bits;
              n is the least for which (v < 0 ? ~v : v) < 2**(7n - 1)

A full dimension is written with the length -1. Extents are kept exactly as found:
`(0, 4)` and a full dimension of 4 are two different keys.

Source: `tensorflow/core/lib/strings/ordered_code.cc`,
`tensorflow/core/util/saved_tensor_slice_util.cc`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Optional, Union

from estimator_ckpt.bundle.errors import CorruptIndexError

#: The most dimensions a tensor can have in TensorFlow.
MAX_RANK = 254
#: The length of an extent that spans its whole dimension.
FULL = -1

_INT64_MAX = 2**63 - 1
_SHOWN = 100
#: Not compiled before a slice is met.
_SPECIAL = rb"[\x00\xff]"


class Extent(NamedTuple):
    """What a slice takes of one dimension: `length` elements from `start` on."""

    start: int
    length: int


#: One extent per dimension.
Slice = tuple[Extent, ...]


def name_to_key(name: str) -> bytes:
    """The key of a name. Bytes that are no UTF-8 stand as lone surrogates in names."""
    return name.encode("utf-8", "surrogateescape")


def key_to_name(key: bytes) -> str:
    """The exact inverse of `name_to_key`."""
    return key.decode("utf-8", "surrogateescape")


def show(key: Union[bytes, str]) -> str:
    """A key or a name for a message: quoted, and cut off where it is far too long."""
    text = repr(key[:_SHOWN])
    return text if len(key) <= _SHOWN else f"{text}... ({len(key)} characters)"


def is_slice_key(key: bytes) -> bool:
    """Whether a key belongs to a slice; no TensorFlow name begins with a zero byte."""
    return key.startswith(b"\x00")


def slice_key(name: str, extents: Sequence[tuple[int, int]]) -> bytes:
    """The key under which a slice of the variable `name` is stored."""
    parts = [b"\x00", _write_string(name_to_key(name)), _write_unsigned(len(extents))]
    for start, length in extents:
        parts += (_write_signed(start), _write_signed(length))
    return b"".join(parts)


def parse_key(key: bytes) -> tuple[str, Optional[Slice]]:
    """The name in a key, and the extents if it is the key of a slice.

    `slice_key(*parse_key(key)) == key` for every slice key that this accepts, so a
    rename can replace the name and nothing else.

    Raises:
      CorruptIndexError: the key begins like a slice's but does not go on like one.
    """
    if not is_slice_key(key):
        return key_to_name(key), None
    try:
        name, position = _read_string(key, 1)
        rank, position = _read_unsigned(key, position)
        if rank > MAX_RANK:
            raise ValueError(f"{rank} dimensions")
        extents = []
        for _ in range(rank):
            start, position = _read_signed(key, position)
            length, position = _read_signed(key, position)
            extents.append(Extent(start, length))
        if position != len(key):
            raise ValueError(f"{len(key) - position} bytes too many")
    except ValueError as error:
        raise CorruptIndexError(
            f"{show(key)} is not the key of a slice: {error}"
        ) from None
    return key_to_name(name), tuple(extents)


def _write_string(value: bytes) -> bytes:
    escaped = re.sub(
        _SPECIAL,
        lambda match: b"\x00\xff" if match[0] == b"\x00" else b"\xff\x00",
        value,
    )
    return escaped + b"\x00\x01"


def _read_string(data: bytes, position: int) -> tuple[bytes, int]:
    out, search = bytearray(), re.compile(_SPECIAL).search
    while True:
        special = search(data, position)
        if special is None:
            raise ValueError("its name has no end")
        out += data[position : special.start()]
        position = special.start() + 2
        pair = data[special.start() : position]
        if pair == b"\x00\x01":
            return bytes(out), position
        if pair not in (b"\x00\xff", b"\xff\x00"):
            raise ValueError("its name is not escaped as it should be")
        out.append(pair[0])


def _write_unsigned(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def _read_unsigned(data: bytes, position: int) -> tuple[int, int]:
    size = data[position] if position < len(data) else 255
    end = position + 1 + size
    if size > 8 or end > len(data):
        raise ValueError("a number in it is cut off or too long")
    value = int.from_bytes(data[position + 1 : end], "big")
    if _write_unsigned(value) != data[position:end]:
        raise ValueError("a number in it is not in its shortest form")
    return value, end


def _write_signed(value: int) -> bytes:
    magnitude = ~value if value < 0 else value
    size = magnitude.bit_length() // 7 + 1
    header = ((1 << size) - 1) << (7 * size)
    return (value & ((1 << 8 * size) - 1) ^ header).to_bytes(size, "big")


def _read_signed(data: bytes, position: int) -> tuple[int, int]:
    head = int.from_bytes(data[position : position + 2].ljust(2, b"\x00"), "big")
    if not head & 0x8000:
        head ^= 0xFFFF
    size = 16 - (head ^ 0xFFFF).bit_length()
    end = position + size
    if size > 10 or end > len(data):
        raise ValueError("a number in it is cut off or too long")
    header = ((1 << size) - 1) << (7 * size)
    value = int.from_bytes(data[position:end], "big") ^ header
    if value >> (8 * size - 1):
        value -= 1 << 8 * size
    if not -_INT64_MAX - 1 <= value <= _INT64_MAX:
        raise ValueError("a number in it exceeds 64 bits")
    if _write_signed(value) != data[position:end]:
        raise ValueError("a number in it is not in its shortest form")
    return value, end
