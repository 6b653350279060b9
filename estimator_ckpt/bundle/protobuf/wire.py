"""Protobuf messages as bytes, read and written as schema.py declares them.

    message   field ...
    field     tag, a varint: number << 3 | wire type; then the value
    value     wire type 0: a varint; a negative number takes 64 bits
                        1: 8 bytes
                        2: a length, a varint, and as many bytes
                        5: 4 bytes

All little-endian. A repeated number is written packed: one value of wire type 2 that
holds them all; it is read either way. What has its default value is not written.

The protobuf package is not needed: importing it takes longer than reading an index.
What is read is distrusted. No value reaches over its message's end, and memory is
bounded by the bytes: empty messages of one type are one object, numbers are arrays.
Fields that are not declared are passed over. Errors are ValueErrors.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Optional, TypeVar

from estimator_ckpt.bundle.protobuf import message_code
from estimator_ckpt.bundle.protobuf.declarations import EACH, TOO_LONG, Declaration
from estimator_ckpt.bundle.protobuf.field_types import (
    BYTES_4,
    BYTES_8,
    LENGTH,
    VARINT,
    Field,
    Type,
    write_bytes,
)
from estimator_ckpt.bundle.protobuf.varints import Bytes, read_varint

_Message = TypeVar("_Message")


_DECLARED: dict[type, Declaration] = {}


def message(*fields: Field) -> Callable[[type[_Message]], type[_Message]]:
    """Declares a NamedTuple to be a protobuf message.

    Its attributes are the fields, in their order. A last one more called `unknown` gets
    the bytes of all fields that are not declared, and they are written again.
    """

    def declare(cls: type[_Message]) -> type[_Message]:
        names: tuple[str, ...] = cls._fields  # type: ignore[attr-defined]
        declaration = Declaration(fields, cls, keeps_unknown=names[-1] == "unknown")
        if len(declaration.defaults) != len(names):
            raise TypeError(f"{cls.__name__} has other attributes than fields")
        _DECLARED[cls] = declaration
        return cls

    return declare


def embedded(cls: type[Any]) -> Type:
    """The type of a field whose value is a message."""
    declaration = _DECLARED[cls]
    empty = tuple.__new__(cls, declaration.defaults)
    return Type(
        LENGTH,
        lambda data: _message(declaration, data) if data else empty,
        lambda value: write_bytes(_encode(declaration, value)),
        empty,
        declaration=declaration,
    )


def only(field: Field) -> Type:
    """The type of a message that has one field and is read as the value of that."""
    declaration = Declaration((field,))
    (zero,) = declaration.defaults
    return Type(
        LENGTH,
        lambda data: _message(declaration, data) if data else zero,
        lambda value: write_bytes(_write(declaration, (value,))),
        zero,
        declaration=declaration,
    )


# Reading.


def decode(cls: type[_Message], data: Bytes) -> _Message:
    """Reads a message.

    Args:
      cls: a class that `message` declared.
      data: its bytes. Values of the type BYTES are slices of it.

    Raises:
      ValueError: it is no such message.
    """
    found: _Message = _message(_DECLARED[cls], data)
    return found


def decoder(cls: type[_Message]) -> Callable[..., _Message]:
    """What reads as `decode` does, for who has hundreds of messages, or one with them.

    It is made when it is first asked for, in the time of some 200 messages, and then
    takes half as long for each. It also takes where in the bytes the message begins
    and ends, if these are not all of it.
    """
    found: Callable[..., _Message] = _decoder(_DECLARED[cls])
    return found


@functools.cache
def _decoder(declaration: Declaration) -> message_code.Read:
    return message_code.reader(declaration, _message)


def _message(declaration: Declaration, data: Bytes) -> Any:
    if declaration.cls is None:
        return _read(declaration, data, None)[0]
    if not declaration.keeps_unknown:
        return tuple.__new__(declaration.cls, _read(declaration, data, None))
    unknown = bytearray()
    values = _read(declaration, data, unknown)
    values[-1] = bytes(unknown)
    return tuple.__new__(declaration.cls, values)


def undeclared(cls: type[Any], data: Bytes) -> bytes:
    """The fields of a message that its class does not know, as they stand there."""
    unknown = bytearray()
    _read(_DECLARED[cls], data, unknown)
    return bytes(unknown)


def _read(
    declaration: Declaration, data: Bytes, unknown: Optional[bytearray]
) -> list[Any]:
    """The values of a message's fields, in the order of their declaration."""
    values, places = declaration.defaults.copy(), declaration.places
    stop, end = 0, len(data)
    try:
        while stop < end:
            start = stop
            tag, position = data[start], start + 1
            if tag > 0x7F:
                tag, position = read_varint(data, start, end)
            place = places.get(tag)
            if place is not None:
                value, stop = place.take(data, position)
                if stop > end:
                    raise ValueError(TOO_LONG)
                if place.put is None:
                    values[place.slot] = value
                else:
                    place.put(values, value)
            else:
                _, stop = _span(data, tag, position, end)
                if unknown is not None:
                    unknown += data[start:stop]
    except IndexError:
        raise ValueError("a varint is cut off") from None
    for slot in declaration.lists:
        if type(values[slot]) is list:
            values[slot] = tuple(values[slot])
    return values


def _span(data: Bytes, tag: int, position: int, end: int) -> tuple[int, int]:
    """Where the value behind a tag begins, without its length, and where it ends."""
    wire_type, length = tag & 7, 0
    if wire_type in (VARINT, LENGTH):
        length, position = read_varint(data, position, end)
    if wire_type not in (VARINT, LENGTH, BYTES_4, BYTES_8) or not 8 <= tag < 1 << 32:
        raise ValueError(f"there is no field with the tag {tag}")
    stop = position + {VARINT: 0, LENGTH: length, BYTES_4: 4, BYTES_8: 8}[wire_type]
    if stop > end:
        raise ValueError(TOO_LONG)
    return position, stop


def each(data: Bytes, number: int) -> Iterator[Bytes]:
    """The values of one field that are messages or bytes, one after another.

    So that what is large need not be held at once.

    Raises:
      ValueError: it is no message.
    """
    stop, end = 0, len(data)
    while stop < end:
        tag, position = read_varint(data, stop, end)
        position, stop = _span(data, tag, position, end)
        if tag == number << 3 | LENGTH:
            yield data[position:stop]


# Writing.


def encode(value: Any) -> bytes:
    """The bytes of a message, as protobuf would write them."""
    return _encode(_DECLARED[type(value)], value)


def encoder(cls: type[_Message]) -> Callable[[_Message], bytes]:
    """What writes as `encode` does, for who has hundreds of messages, or one with them.

    As `decoder`, it is made when it is first asked for.
    """
    found: Callable[[_Message], bytes] = _encoder(_DECLARED[cls])
    return found


_encoder = functools.cache(message_code.writer)


def _encode(declaration: Declaration, value: Any) -> bytes:
    data = _write(declaration, value)
    return data + value.unknown if declaration.keeps_unknown else data


def _write(declaration: Declaration, values: tuple[Any, ...]) -> bytes:
    out: list[bytes] = []
    for (tag, write, left_out), value in zip(declaration.writers, values):
        if left_out is EACH:
            for item in value:
                out.append(tag)
                out.append(write(item))
        elif value != left_out:
            out.append(tag)
            out.append(write(value))
    return b"".join(out)
