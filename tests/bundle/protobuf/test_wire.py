"""Messages are read and written as protobuf does it, and nothing in them is trusted."""

from __future__ import annotations

import functools
import tracemalloc
from array import array
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator_ckpt.bundle.protobuf import field_types, wire
from estimator_ckpt.bundle.protobuf.field_types import Field
from estimator_ckpt.bundle.protobuf.schema import (
    SerializedTensor,
    TrackableObject,
    TrackableObjectGraph,
)

INT64 = st.integers(-(2**63), 2**63 - 1)


@wire.message(
    Field(1, field_types.INT32),
    Field(2, field_types.INT64),
    Field(3, field_types.UINT64),
    Field(4, field_types.FIXED32),
    Field(5, field_types.FLOAT),
    Field(6, field_types.DOUBLE),
    Field(7, field_types.STRING),
    Field(8, field_types.BYTES),
)
class Everything(NamedTuple):
    int32: int = 0
    int64: int = 0
    uint64: int = 0
    fixed32: int = 0
    float: float = 0.0
    double: float = 0.0
    string: str = ""
    bytes: bytes = b""


@wire.message(
    Field(1, field_types.INT64, repeated=True),
    Field(2, field_types.FLOAT, repeated=True),
    Field(3, wire.embedded(Everything), repeated=True),
    Field(4, wire.embedded(Everything)),
    Field(5, field_types.INT32, default=-1),
)
class Nested(NamedTuple):
    numbers: tuple = ()
    floats: tuple = ()
    many: tuple = ()
    one: Everything = Everything()
    optional: int = -1


def protobuf_class(cls):
    """The same message in protobuf's own implementation."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="t", package="t", syntax="proto3")
    for name, fields in {
        "Everything": [(1, "int32", "INT32"), (2, "int64", "INT64")]
        + [(3, "uint64", "UINT64"), (4, "fixed32", "FIXED32"), (5, "float", "FLOAT")]
        + [(6, "double", "DOUBLE"), (7, "string", "STRING"), (8, "bytes", "BYTES")],
        "Nested": [(1, "numbers", "INT64*"), (2, "floats", "FLOAT*")]
        + [(3, "many", "Everything*"), (4, "one", "Everything"), (5, "optional", "?")],
    }.items():
        message = file.message_type.add(name=name)
        for number, label, declared in fields:
            field = message.field.add(name=label, number=number)
            field.label = 3 if declared.endswith("*") else 1
            declared = declared.rstrip("*")
            if declared == "?":
                field.proto3_optional, field.oneof_index = True, 0
                message.oneof_decl.add(name="_optional")
                declared = "INT32"
            if declared == "Everything":
                field.type, field.type_name = field.TYPE_MESSAGE, ".t.Everything"
            else:
                field.type = getattr(field, f"TYPE_{declared}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"t.{cls.__name__}")
    )


EVERYTHING = st.builds(
    Everything,
    st.integers(-(2**31), 2**31 - 1),
    INT64,
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.floats(width=32, allow_nan=False).filter(lambda x: x or str(x) == "0.0"),
    st.floats(allow_nan=False).filter(lambda x: x or str(x) == "0.0"),
    st.text(st.characters(codec="utf-8"), max_size=200),
    st.binary(max_size=200),
)
NESTED = st.builds(
    Nested,
    st.lists(INT64, max_size=20).map(lambda v: array("q", v) if v else ()),
    st.lists(st.floats(width=32, allow_nan=False), max_size=20).map(
        lambda v: array("f", v) if v else ()
    ),
    st.lists(EVERYTHING, max_size=3).map(tuple),
    EVERYTHING.filter(lambda one: one != Everything()),
    st.integers(-(2**31), 2**31 - 1).filter(lambda v: v != -1),
)


@given(EVERYTHING)
def test_every_type_is_written_and_read_as_protobuf_does(value):
    theirs = protobuf_class(Everything)(**value._asdict())
    data = theirs.SerializeToString()
    assert wire.encode(value) == data
    assert wire.decode(Everything, data) == value
    assert wire.decode(Everything, memoryview(data)) == value


@given(NESTED)
def test_nested_and_repeated_fields_too(value):
    make = protobuf_class(Everything)
    theirs = protobuf_class(Nested)(
        numbers=list(value.numbers),
        floats=list(value.floats),
        optional=value.optional,
    )
    for one in value.many:
        theirs.many.add().MergeFromString(wire.encode(one))
    theirs.one.MergeFromString(make(**value.one._asdict()).SerializeToString())
    data = theirs.SerializeToString()
    assert wire.encode(value) == data
    assert wire.decode(Nested, data) == value


def test_numbers_may_be_packed_or_not():
    assert wire.decode(Nested, bytes.fromhex("0801 0a020203 08ac02")).numbers == array(
        "q", [1, 2, 3, 300]
    )
    assert wire.decode(Nested, bytes.fromhex("08" + "ff" * 9 + "01")).numbers == array(
        "q", [-1]
    )


def test_a_varint_of_zeros_at_the_end_is_what_it_is_to_tensorflow():
    assert wire.decode(Everything, bytes.fromhex("1085808000")).int64 == 5


def test_the_last_of_two_numbers_counts_as_in_protobuf():
    assert wire.decode(Everything, bytes.fromhex("10011002")).int64 == 2


def test_a_known_number_under_another_wire_type_is_unknown():
    assert wire.decode(Everything, bytes.fromhex("1203616263")) == Everything()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("08", "cut off"),
        ("0880", "cut off"),
        ("80", "cut off"),
        ("08" + "ff" * 9 + "02", "64 bits"),
        ("08" + "ff" * 100_000 + "01", "64 bits"),
        ("25010203", "exceeds"),
        ("3101020304050607", "exceeds"),
        ("3a05616263", "exceeds"),
        ("3affffffffffffffffff01616263", "exceeds"),
        ("3a02c328", "utf-8"),
        ("0001", "no field"),
        ("0b0c", "no field"),
        ("0e", "no field"),
        ("808080802001", "no field"),
        ("7a05616263", "exceeds"),
        ("7d0102", "exceeds"),
    ],
)
def test_a_message_that_is_none(code, reason):
    with pytest.raises(ValueError, match=reason):
        wire.decode(Everything, bytes.fromhex(code))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1203010203", "cut off"),
        ("0a0180", "cut off"),
        ("1a03080122", "exceeds|cut off"),
        ("220208012202080222020803", "two of the field 4"),
    ],
)
def test_a_nested_message_that_is_none(code, reason):
    with pytest.raises(ValueError, match=reason):
        wire.decode(Nested, bytes.fromhex(code))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_value_error(data):
    for cls in (Everything, Nested, TrackableObjectGraph):
        try:
            value = wire.decode(cls, data)
        except ValueError:
            continue
        assert wire.decode(cls, wire.encode(value)) == value or "nan" in repr(value)


def test_fields_that_are_not_declared_are_kept_where_the_class_says_so():
    known = wire.encode(TrackableObject(attributes=(SerializedTensor("n"),)))
    unknown = bytes.fromhex("2205 0a03616263 f207 03616263 f807 05")
    node = wire.decode(TrackableObject, known + unknown)
    assert node.unknown == unknown
    assert wire.encode(node) == known + unknown
    assert wire.undeclared(TrackableObject, unknown + known) == unknown
    assert wire.encode(node._replace(attributes=())) == unknown


def test_one_field_after_another_without_holding_the_message():
    data = memoryview(bytes.fromhex("0a0161 1005 0a0162 15 00000000 12 0163"))
    assert [bytes(value) for value in wire.each(data, 1)] == [b"a", b"b"]
    assert [bytes(value) for value in wire.each(data, 2)] == [b"c"]
    with pytest.raises(ValueError, match="exceeds"):
        list(wire.each(data[:-1], 1))


def test_text_that_is_no_utf_8_cannot_be_written():
    with pytest.raises(ValueError, match="surrogates"):
        wire.encode(Everything(string="\udc80"))


def _by_decode(cls):
    return functools.partial(wire.decode, cls)


@pytest.mark.parametrize(
    ("message", "most"),
    [
        (b"\x0a\x00", 10),  # empty nodes
        (b"\x0a\x02\x0a\x00", 40),  # nodes of one empty child
        (b"\x0a\x05\x0a\x03\x08\x85\x08", 60),
        (b"\xf2\x07\x00", 4),  # unknown fields
    ],
)
@pytest.mark.parametrize("of", [_by_decode, wire.decoder])
def test_memory_is_bounded_by_the_bytes(of, message, most):
    data = message * (100_000 // len(message))
    read = of(TrackableObjectGraph)
    tracemalloc.start()
    graph = read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert graph is not None
    assert peak < most * len(data)
