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
from estimator_ckpt.bundle.protobuf.varints import Bytes, read_varints, write_varint

#: The value of a repeated field that is not there.
NONE: tuple[Any, ...] = ()

#: Per field its tag, what writes a value, and the value that is left out; or `EACH`,
#: whose values are written one by one, or `ALWAYS`, of which none is left out.
Writer = tuple[bytes, Callable[[Any], bytes], Any]
EACH, ALWAYS = object(), object()


class Place:
    """Where values go that are found behind a tag."""

    __slots__ = ("add", "fixed_size", "has_length", "is_message", "new", "read", "slot")

    def __init__(self, slot: int, field: Field, packed: bool) -> None:
        self.slot = slot
        self.read = _packed_reader(field.type) if packed else field.type.read
        self.has_length = packed or field.type.wire_type == LENGTH
        self.fixed_size = {BYTES_4: 4, BYTES_8: 8}.get(field.type.wire_type, 0)
        if packed:
            self.fixed_size = 0
        self.is_message = field.type.is_message
        self.new: Callable[[], Any] = list
        self.add: Optional[Callable[[Any, Any], None]] = None
        if field.repeated:
            self.add = list.append
        if field.repeated and field.type.code:
            self.new = lambda: array(field.type.code)
            self.add = array.extend if packed else array.append


class Declaration:
    """A message's fields, as reading and writing want them."""

    __slots__ = ("defaults", "keeps_unknown", "lists", "places", "writers")

    def __init__(self, fields: tuple[Field, ...], keeps_unknown: bool = False) -> None:
        self.keeps_unknown = keeps_unknown
        self.defaults: list[Any] = []
        self.places: dict[int, Place] = {}  # by tag
        self.lists: list[int] = []  # the slots whose values are tuples
        self.writers: list[Writer] = []
        for slot, field in enumerate(fields):
            type, tag = field.type, field.number << 3 | field.type.wire_type
            zero = type.zero if field.default is ... else field.default
            self.defaults.append(NONE if field.repeated else zero)
            self.places[tag] = Place(slot, field, packed=False)
            if not field.repeated:
                skip = ALWAYS if field.always else zero
                self.writers.append((write_varint(tag), type.write, skip))
            elif not type.code:
                self.lists.append(slot)
                self.writers.append((write_varint(tag), type.write, EACH))
            else:
                tag = field.number << 3 | LENGTH
                self.places[tag] = Place(slot, field, packed=True)
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
