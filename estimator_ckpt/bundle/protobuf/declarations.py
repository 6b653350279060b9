"""A message's fields, prepared for reading and writing: what wire.py works with."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable
from typing import Any, Optional

from estimator_ckpt.bundle.protobuf.field_types import (
    BYTES_4,
    BYTES_8,
    LENGTH,
    VARINT,
    Field,
    Type,
    write_bytes,
)
from estimator_ckpt.bundle.protobuf.varints import (
    Bytes,
    read_varints,
    write_varint,
)

#: The value of a repeated field that is not there.
NONE: tuple[Any, ...] = ()

#: Per field its tag, what writes a value, and the value that is left out; or `EACH`,
#: whose values are written one by one, or `ALWAYS`, of which none is left out.
Writer = tuple[bytes, Callable[[Any], bytes], Any]
EACH, ALWAYS = object(), object()

#: What is said of a value that is longer than its message.
TOO_LONG = "a field exceeds its message"

_MASK_64 = (1 << 64) - 1
_NO_VARINT = "a varint is longer than 64 bits"

#: Bytes and a position -> the value there, and the position behind it.
Take = Callable[[Bytes, int], tuple[Any, int]]


class Place:
    """A field as it is met in a message: what is behind its tag, and where that goes.

    Attributes:
      field: what was declared.
      slot: the place of its value among the message's.
      take: bytes and a position in them -> the value there, and the position behind it.
        Where that is beyond the bytes, the value is cut off, and means nothing.
      put: puts a value among the others; None if it takes its slot and that is all.
    """

    __slots__ = ("field", "put", "slot", "take")

    def __init__(self, slot: int, field: Field, packed: bool, default: Any) -> None:
        self.field = field
        self.slot = slot
        if packed:
            self.take = _behind_length(_packed_reader(field.type))
        else:
            self.take = _TAKING[field.type.wire_type](field.type.read)
        self.put: Optional[Callable[[list[Any], Any], None]] = None
        if field.repeated:
            self.put = _adding(slot, field.type.code, packed)
        elif field.type.is_message:
            self.put = _once(slot, field.number, default)


# Taking a value from behind its tag, one way for each wire type.


def long_varint(data: Bytes, position: int) -> tuple[int, int]:
    """A varint of several bytes; zeros at its end do no harm, as to protobuf itself.

    Raises:
      IndexError: it is cut off.
      ValueError: it is longer than 64 bits.
    """
    value, byte = data[position] & 0x7F, data[position + 1]
    if byte < 0x80:  # as most lengths
        return value | byte << 7, position + 2
    value |= (byte & 0x7F) << 7
    position += 2
    shift = 14
    while (byte := data[position]) > 0x7F:
        value |= (byte & 0x7F) << shift
        position += 1
        shift += 7
        if shift > 63:
            raise ValueError(_NO_VARINT)
    value |= byte << shift
    if value > _MASK_64:
        raise ValueError(_NO_VARINT)
    return value, position + 1


def _varint(read: Callable[[int], Any]) -> Take:
    def take(data: Bytes, position: int) -> tuple[Any, int]:
        value = data[position]
        if value < 0x80:
            return value, position + 1
        value, position = long_varint(data, position)
        return value if value <= 0x7FFFFFFF else read(value), position

    return take


def _behind_length(read: Callable[[Bytes], Any]) -> Take:
    def take(data: Bytes, position: int) -> tuple[Any, int]:
        size = data[position]
        position += 1
        if size > 0x7F:
            size, position = long_varint(data, position - 1)
        stop = position + size
        return read(data[position:stop]) if stop <= len(data) else None, stop

    return take


def _fixed(size: int) -> Callable[[Callable[[Bytes], Any]], Take]:
    def of(read: Callable[[Bytes], Any]) -> Take:
        def take(data: Bytes, position: int) -> tuple[Any, int]:
            stop = position + size
            return read(data[position:stop]) if stop <= len(data) else None, stop

        return take

    return of


_TAKING: dict[int, Callable[[Callable[[Any], Any]], Take]] = {
    VARINT: _varint,
    LENGTH: _behind_length,
    BYTES_4: _fixed(4),
    BYTES_8: _fixed(8),
}


# Putting a value among the others of its message.


def _adding(slot: int, code: str, packed: bool) -> Callable[[list[Any], Any], None]:
    """To those of a repeated field: a list, of numbers an `array`."""

    def put(values: list[Any], value: Any) -> None:
        if values[slot] is NONE:
            values[slot] = array(code) if code else []
        if packed:
            values[slot].extend(value)
        else:
            values[slot].append(value)

    return put


def _once(slot: int, number: int, default: Any) -> Callable[[list[Any], Any], None]:
    """In its slot, where no other message is: two would have to be merged."""

    def put(values: list[Any], value: Any) -> None:
        if values[slot] is not default:
            raise ValueError(f"there are two of the field {number}")
        values[slot] = value

    return put


class Declaration:
    """A message's fields, as reading and writing want them.

    Attributes:
      fields: the fields, in the order of their slots.
      cls: the class of its values; None if a value is that of its one field.
      keeps_unknown: whether the last slot is for the bytes of what is not declared.
      defaults: by slot, the value of what is not there.
      places: by tag, how what stands behind it is read.
      lists: the slots whose values are tuples.
      writers: by slot, how values are written.
    """

    __slots__ = (
        *("cls", "defaults", "fields", "keeps_unknown", "lists", "places", "writers"),
    )

    def __init__(
        self, fields: tuple[Field, ...], cls: Any = None, keeps_unknown: bool = False
    ) -> None:
        self.fields = fields
        self.cls = cls
        self.keeps_unknown = keeps_unknown
        self.defaults: list[Any] = []
        self.places: dict[int, Place] = {}
        self.lists: list[int] = []
        self.writers: list[Writer] = []
        for slot, field in enumerate(fields):
            type, tag = field.type, field.number << 3 | field.type.wire_type
            zero = type.zero if field.default is ... else field.default
            self.defaults.append(NONE if field.repeated else zero)
            self.places[tag] = Place(slot, field, False, self.defaults[slot])
            if not field.repeated:
                skip = ALWAYS if field.always else zero
                self.writers.append((write_varint(tag), type.write, skip))
            elif not type.code:
                self.lists.append(slot)
                self.writers.append((write_varint(tag), type.write, EACH))
            else:
                tag = field.number << 3 | LENGTH
                self.places[tag] = Place(slot, field, True, NONE)
                write = _packed_writer(type)
                self.writers.append((write_varint(tag), write, NONE))
        if keeps_unknown:
            self.defaults.append(b"")


def _packed_reader(type: Type) -> Callable[[Bytes], array[Any]]:
    def fixed(data: Bytes) -> array[Any]:
        out = array(type.code)
        if len(data) % out.itemsize:
            raise ValueError("packed numbers are cut off")
        out.frombytes(data)
        if sys.byteorder == "big":
            out.byteswap()
        return out

    def varints(data: Bytes) -> array[Any]:
        found, used = read_varints(data, len(data))
        if used != len(data):
            raise ValueError("packed numbers are cut off")
        return array(type.code, found.tobytes())  # two's complement, as it is

    return varints if type.wire_type == VARINT else fixed


def _packed_writer(type: Type) -> Callable[[Iterable[Any]], bytes]:
    return lambda values: write_bytes(b"".join(map(type.write, values)))
