"""Straight-line code that reads or writes one message, for who has 100,000 of them.

It is made of a message's declaration, as dataclasses and namedtuples make their
methods. An entry of an index, say, is read by

    def read(data, at=0, end=None):
        if end is None:
            end = len(data)
        start = at
        v0, v1, ... = d0, d1, ...
        try:
            tag = data[at] if at < end else 0
            if tag == 8:
                v0 = data[at + 1]
                at += 2
                if v0 > 127:
                    v0, at = varint(data, at - 1)
                    if v0 > 0x7FFFFFFF:
                        v0 = t0(v0)
                tag = data[at] if at < end else 0
            ...
        except (IndexError, ValueError):
            at = -1
        return new(cls, (v0, v1, ...)) if at == end else general(data[start:end])

This takes what protobuf writes: known fields, by rising numbers, each once. On anything
else it gives up, and the general way, which is wire.py's, reads the message from its
beginning. So what is unusual is judged in one place, and errors come from there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from estimator_ckpt.bundle.protobuf.declarations import (
    Declaration,
    long_varint,
)
from estimator_ckpt.bundle.protobuf.field_types import (
    BYTES,
    LENGTH,
    STRING,
    VARINT,
    Field,
)
from estimator_ckpt.bundle.protobuf.varints import ONE_BYTE, Bytes, write_varint

#: Bytes, and where in them a message begins and ends (all of them) -> its value.
Read = Callable[..., Any]
Write = Callable[[Any], bytes]

_NEXT = "tag = data[at] if at < end else 0"


def reader(
    declaration: Declaration, general: Callable[[Declaration, Bytes], Any]
) -> Read:
    """Makes the function that reads messages of one class.

    Args:
      declaration: what is declared of the class.
      general: reads any message, and raises the errors.

    Returns:
      A function of bytes and, if these are not all of it, of where in them a message
      begins and ends: its value.
    """
    slots = range(len(declaration.defaults))
    known: dict[str, Any] = {
        "cls": declaration.cls,
        "general": lambda data: general(declaration, data),
        "new": tuple.__new__,
        "varint": long_varint,
        **{f"d{slot}": declaration.defaults[slot] for slot in slots},
    }
    body = [_NEXT]
    for slot, field in enumerate(declaration.fields):
        # A tag of two bytes and packed numbers are left to the general way.
        if field.number > 15 or (field.repeated and field.type.code):
            continue
        known[f"take{slot}"], known[f"zero{slot}"] = field.type.read, field.type.zero
        if _has_code(field):
            known[f"read{slot}"] = reader(field.type.declaration, general)
        if field.type.wire_type not in (VARINT, LENGTH):
            known[f"unpack{slot}"] = struct.Struct(f"<{field.type.code}").unpack_from
        body += _reading(slot, field)
    values = "".join(f"v{slot}, " for slot in slots)
    lines = [
        "if end is None:",
        "    end = len(data)",
        "start = at",
        f"{values}= {''.join(f'd{slot}, ' for slot in slots)}",
        "try:",
        *_indented(body),
        "except (IndexError, ValueError):",
        "    at = -1",
        f"return new(cls, ({values})) if at == end else general(data[start:end])",
    ]
    read: Read = _function("data, at=0, end=None", lines, known)
    return read


def _has_code(field: Field) -> bool:
    """Whether a field's messages are read and written by code of their own.

    Those that are read as something else, as a shape is, are short, and often cached.
    """
    declaration = field.type.declaration
    return declaration is not None and declaration.cls is not None


def _reading(slot: int, field: Field) -> Iterator[str]:
    """The lines that read a field, if it is what comes next."""
    tag = field.number << 3 | field.type.wire_type
    if not field.repeated:
        yield f"if tag == {tag}:"
        yield from _indented((*_taking(slot, field, f"v{slot}"), _NEXT))
        return
    yield f"if tag == {tag}:"
    yield "    items = []"
    yield f"    while tag == {tag}:"
    yield from _indented(
        _indented((*_taking(slot, field, "item"), "items.append(item)"))
    )
    yield f"        {_NEXT}"
    yield f"    v{slot} = tuple(items)"


def _taking(slot: int, field: Field, name: str) -> Iterator[str]:
    """The lines that take the value behind the tag at `at`, and go on behind it."""
    type = field.type
    if type.wire_type == VARINT:
        yield f"{name} = data[at + 1]"
        yield "at += 2"
        yield f"if {name} > 127:"
        yield f"    {name}, at = varint(data, at - 1)"
        yield f"    if {name} > 0x7FFFFFFF:"
        yield f"        {name} = take{slot}({name})"
        return
    if type.wire_type != LENGTH:
        size = struct.calcsize(f"<{type.code}")
        yield f"if at + {1 + size} > end:"
        yield "    return general(data[start:end])"
        yield f"({name},) = unpack{slot}(data, at + 1)"
        yield f"at += {1 + size}"
        return
    yield "size = data[at + 1]"
    yield "at += 2"
    yield "if size > 127:"
    yield "    size, at = varint(data, at - 1)"
    yield "stop = at + size"
    yield "if stop > end:"
    yield "    return general(data[start:end])"
    if _has_code(field):
        yield f"{name} = read{slot}(data, at, stop) if size else zero{slot}"
    elif type is STRING:
        yield f'{name} = str(data[at:stop], "utf-8")'
    elif type is BYTES:
        yield f"{name} = data[at:stop]"
    else:
        yield f"{name} = take{slot}(data[at:stop])"
    yield "at = stop"


def writer(declaration: Declaration) -> Write:
    """Makes the function that writes messages of one class: value -> bytes."""
    known: dict[str, Any] = {"small": ONE_BYTE, "varint": write_varint}
    body: list[str] = []
    for slot, field in enumerate(declaration.fields):
        known[f"tag{slot}"], write, known[f"d{slot}"] = declaration.writers[slot]
        known[f"put{slot}"] = write
        if _has_code(field):
            known[f"write{slot}"] = writer(field.type.declaration)
        body += _writing(slot, field)
    slots = range(len(declaration.defaults))
    if declaration.keeps_unknown:
        body.append(f"out.append(v{slots[-1]})")
    lines = [
        f"{''.join(f'v{slot}, ' for slot in slots)}= value",
        "out = []",
        *body,
        'return b"".join(out)',
    ]
    write_: Write = _function("value", lines, known)
    return write_


def _writing(slot: int, field: Field) -> Iterator[str]:
    """The lines that write a field."""
    type = field.type
    if field.repeated and not type.code:
        yield f"for item in v{slot}:"
    else:
        yield f"if v{slot} != d{slot}:"
        yield f"    item = v{slot}"
    if _has_code(field):
        yield f"    item = write{slot}(item)"
    elif type is STRING:
        yield '    item = item.encode("utf-8")'
    elif type.wire_type == VARINT and not field.repeated:
        yield "    item = small[item] if 0 <= item < 128 else varint(item)"
        yield f"    out += (tag{slot}, item)"
        return
    else:
        yield f"    out += (tag{slot}, put{slot}(item))"
        return
    yield "    size = len(item)"
    yield f"    out += (tag{slot}, small[size] if size < 128 else varint(size), item)"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _function(parameters: str, lines: list[str], known: dict[str, Any]) -> Any:
    """Makes a function of its lines, and of what they know by name."""
    source = "\n".join([f"def made({parameters}):", *_indented(lines)])
    exec(compile(source, "<message code>", "exec"), known)
    return known["made"]
