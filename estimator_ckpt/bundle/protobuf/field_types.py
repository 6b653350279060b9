"""What a protobuf message can be made of: fields, and the types of their values."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from estimator_ckpt.bundle.protobuf.varints import Bytes, write_varint

# What stands behind a tag.
VARINT, BYTES_8, LENGTH, BYTES_4 = 0, 1, 2, 5


class Type(NamedTuple):
    """How the values of a field stand in a file.

    Attributes:
      wire_type: one of the four.
      read: what stands there -> the value. From bytes; of a varint from a number, and
        only if that is over 2**31 - 1: smaller ones stand for themselves.
      write: the value -> what stands behind the tag.
      zero: the value of a field that is not there.
      code: of numbers, the type code of an `array` that holds them.
      declaration: of a message of its own, what is declared of its fields.
    """

    wire_type: int
    read: Callable[[Any], Any]
    write: Callable[[Any], bytes]
    zero: Any
    code: str = ""
    declaration: Any = None

    @property
    def is_message(self) -> bool:
        """Whether it is a message of its own."""
        return self.declaration is not None


class Field(NamedTuple):
    """A field of a message.

    Attributes:
      number: its number.
      type: of its value, or of each of its values.
      repeated: whether there can be many; they are then a tuple, numbers an `array`.
      default: its value where it is not there; left out: the type's zero.
      always: whether it is written even if it has its default value.
    """

    number: int
    type: Type
    repeated: bool = False
    default: Any = ...
    always: bool = False


def _signed_64(value: int) -> int:
    return value if value < 1 << 63 else value - (1 << 64)


def _signed_32(value: int) -> int:
    value &= 0xFFFFFFFF
    return value if value < 1 << 31 else value - (1 << 32)


def write_bytes(data: Bytes) -> bytes:
    """Bytes behind their length."""
    return write_varint(len(data)) + data


def _fixed(wire_type: int, code: str, zero: Any) -> Type:
    packing = struct.Struct(f"<{code}")
    return Type(
        wire_type, lambda data: packing.unpack(data)[0], packing.pack, zero, code
    )


INT32 = Type(VARINT, _signed_32, write_varint, 0, "q")
INT64 = Type(VARINT, _signed_64, write_varint, 0, "q")
UINT64 = Type(VARINT, int, write_varint, 0, "Q")
FIXED32 = _fixed(BYTES_4, "I", 0)
FLOAT = _fixed(BYTES_4, "f", 0.0)
DOUBLE = _fixed(BYTES_8, "d", 0.0)
STRING = Type(
    LENGTH,
    lambda data: str(data, "utf-8"),
    lambda value: write_bytes(value.encode("utf-8")),
    "",
)
BYTES = Type(LENGTH, lambda data: data, write_bytes, b"")
