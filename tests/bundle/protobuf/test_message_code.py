"""Straight-line code does what the general way does, and takes what protobuf writes."""

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.protobuf import message_code, wire
from estimator_ckpt.bundle.protobuf.schema import (
    ObjectReference,
    SerializedTensor,
    TrackableObject,
    TrackableObjectGraph,
)
from estimator_ckpt.bundle.protobuf.v1_schema import SavedTensorSlices
from estimator_ckpt.bundle.protobuf.varints import write_varint
from tests.bundle.protobuf.test_wire import EVERYTHING, NESTED, Everything, Nested

CLASSES = (Everything, Nested, Entry, TrackableObjectGraph, SavedTensorSlices)

#: Fields as they may come, in any order, of any number and wire type, cut off or not.
FIELD = st.tuples(
    st.one_of(st.integers(1, 8), st.integers(0, 2**30)),
    st.sampled_from((0, 0, 1, 2, 2, 2, 5, 3)),
    st.integers(0, 2**64 - 1) | st.integers(0, 300),
    st.binary(max_size=9)
    | EVERYTHING.map(wire.encode)
    | st.just(wire.encode(ObjectReference(3, "w"))),
).map(lambda field: _field(*field))
MESSAGE = st.lists(FIELD, max_size=6).map(b"".join)
NESTED_MESSAGE = st.lists(
    st.one_of(FIELD, st.tuples(st.integers(1, 7), MESSAGE).map(lambda m: _sized(*m))),
    max_size=4,
).map(b"".join)


def _sized(number, content):
    return write_varint(number << 3 | 2) + write_varint(len(content)) + content


def _field(number, wire_type, value, content):
    if wire_type == 2:
        return _sized(number, content)
    data = {0: write_varint(value), 1: content[:8].ljust(8), 5: content[:4].ljust(4)}
    return write_varint(number << 3 | wire_type) + data.get(wire_type, b"")


def outcome(read, data):
    """What is read, so that NaNs are equal; or what is said of it."""
    try:
        return repr(read(data))
    except ValueError as error:
        return type(error), str(error)


@given(st.one_of(NESTED_MESSAGE, NESTED.map(wire.encode), st.binary(max_size=40)))
def test_whatever_is_read_is_what_the_general_way_reads(data):
    for cls in CLASSES:
        for cut in (data, data[:-1]):
            expected = outcome(functools.partial(wire.decode, cls), cut)
            assert outcome(wire.decoder(cls), cut) == expected


@given(EVERYTHING, NESTED)
def test_what_is_written_is_what_the_general_way_writes(everything, nested):
    assert wire.encoder(Everything)(everything) == wire.encode(everything)
    assert wire.encoder(Nested)(nested) == wire.encode(nested)


ENTRY = Entry(1, (300, 4), 2, 2**40, 4800, 0xFFFFFFFF, ())
GRAPH = TrackableObjectGraph(
    (
        TrackableObject((ObjectReference(1, "kernel"), ObjectReference(0, ""))),
        TrackableObject(
            attributes=(SerializedTensor("VARIABLE_VALUE", "n" * 200, "ä"),),
            has_checkpoint_values=b"\x08\x01",
        ),
        TrackableObject(),
    )
)


def test_what_protobuf_writes_does_not_take_the_general_way():
    def general(declaration, data):
        raise AssertionError(f"the general way was taken for {data!r}")

    for value in (ENTRY, GRAPH):
        read = message_code.reader(wire._DECLARED[type(value)], general)
        data = wire.encode(value)
        # What is around a message is none of its business.
        assert read(b"\x08" + data + b"\x08", 1, 1 + len(data)) == value


@pytest.mark.parametrize(
    "unusual",
    [
        wire.encode(ENTRY)[2:] + b"\x08\x01",  # another order
        b"\x08\x09" + wire.encode(ENTRY),  # a number twice
        wire.encode(ENTRY) + b"\xf8\x07\x05",  # a field that is not known
    ],
)
def test_what_is_unusual_is_read_too(unusual):
    assert wire.decoder(Entry)(unusual) == ENTRY


def test_unknown_fields_are_written_again():
    node = GRAPH.nodes[1]._replace(unknown=bytes.fromhex("f2070161"))
    graph = GRAPH._replace(nodes=(node,), unknown=bytes.fromhex("f80705"))
    data = wire.encode(graph)
    assert wire.encoder(TrackableObjectGraph)(graph) == data
    assert wire.decoder(TrackableObjectGraph)(data) == graph
    assert wire.decoder(TrackableObjectGraph)(memoryview(data)) == graph
