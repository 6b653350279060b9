"""Entries: as protobuf reads and writes them, and what is asked of one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry, parser, renumbered
from estimator_ckpt.bundle.protobuf import wire
from tests.bundle import protobufs

ENTRY = Entry(dtype=1, shape=(2, 3), shard_id=0, offset=8, size=24, crc32c=7)


#: dtype, shape, shard_id, offset, size, crc32c
FIELDS = (
    st.integers(1, 127),
    st.lists(st.integers(0, 2**62), max_size=6),
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**32 - 1),
)


@given(*FIELDS)
def test_entries_are_read_as_protobuf_reads_them(
    dtype, shape, shard_id, offset, size, crc32c
):
    message = protobufs.BundleEntryProto(
        dtype=dtype, shard_id=shard_id, offset=offset, size=size, crc32c=crc32c
    )
    for length in shape:
        message.shape.dim.add(size=length, name="ignored")
    expected = Entry(dtype, tuple(shape), shard_id, offset, size, crc32c or None)
    assert wire.decode(Entry, message.SerializeToString()) == expected


@given(st.binary(max_size=60), st.lists(st.integers(0, 40)), st.data())
def test_a_damaged_entry_is_read_as_protobuf_reads_it_or_refused(junk, shape, data):
    raw = bytearray(Entry(1, tuple(shape), 3, 2**20, 2**40, 77).serialize() + junk)
    for _ in range(data.draw(st.integers(0, 2))):
        position = data.draw(st.integers(0, len(raw) - 1))
        raw[position] = data.draw(st.integers(0, 255))
    try:
        found = wire.decode(Entry, bytes(raw))
    except ValueError:
        return
    message = protobufs.BundleEntryProto.FromString(bytes(raw))
    assert found.dtype == message.dtype
    assert found.shape == tuple(dim.size for dim in message.shape.dim)
    assert found[2:5] == (message.shard_id, message.offset, message.size)
    assert (found.crc32c or 0) == message.crc32c
    assert found.slices == tuple(
        tuple((e.start, e.length if e.HasField("length") else -1) for e in s.extent)
        for s in message.slices
    )


#: Entries of two dtypes and shapes, as an index has many.
ALIKE = [
    Entry(dtype, shape, 0, offset, size, crc32c)
    for dtype, shape, size in ((1, (2, 3), 24), (9, (), 8))
    for offset, crc32c in ((1, 5), (300, 0x80808080), (2**40, 2**32 - 1), (2**57, 1))
]


@given(st.sampled_from(ALIKE), st.data())
def test_one_of_many_that_are_alike_is_read_as_one_alone(entry, data):
    raw = bytearray(entry.serialize())
    for _ in range(data.draw(st.integers(0, 2))):
        position = data.draw(st.integers(0, len(raw) - 1))
        if data.draw(st.booleans()):
            raw[position] = data.draw(st.integers(0, 255))
        else:
            del raw[position:]
            raw += data.draw(st.binary(max_size=6)) + b"\x28"
    among_many = parser(1)
    assert [among_many(each.serialize()) for each in ALIKE] == ALIKE
    assert read(among_many, bytes(raw)) == read(parser(1), bytes(raw))
    assert read(among_many, entry.serialize()) == entry


def read(parse, raw):
    """What a parser makes of an entry, or says of it."""
    try:
        return parse(raw)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("offset", [2**62, 2**63 - 24, 2**63 - 23, 2**63 - 1])
def test_an_offset_that_cannot_be_is_refused_of_those_alike_too(offset):
    parse = parser(1)
    assert parse(ENTRY.serialize()) == ENTRY
    raw = ENTRY._replace(offset=offset).serialize()
    assert read(parse, raw) == read(parser(1), raw)


def test_without_a_shard_there_is_no_entry():
    for raw in (ENTRY.serialize(), ENTRY._replace(offset=9).serialize()):
        assert "shard 0 of 0" in read(parser(0), raw)


def test_an_entry_whose_shards_are_renumbered_keeps_what_is_not_known():
    raw = ENTRY._replace(shard_id=2).serialize() + b"\xf2\x07\x03abc"
    new = ENTRY._replace(shard_id=7).serialize() + b"\xf2\x07\x03abc"
    assert renumbered(raw, {2: 7}) == new
    whole = Entry(1, (2,), shard_id=9, slices=((Extent(0, 2),),))
    assert renumbered(whole.serialize(), {}) == whole._replace(shard_id=0).serialize()


@given(*FIELDS)
def test_entries_are_written_as_protobuf_writes_them(
    dtype, shape, shard_id, offset, size, crc32c
):
    message = protobufs.BundleEntryProto(
        dtype=dtype, shard_id=shard_id, offset=offset, size=size, crc32c=crc32c
    )
    message.shape.SetInParent()
    for length in shape:
        message.shape.dim.add(size=length)
    entry = Entry(dtype, tuple(shape), shard_id, offset, size, crc32c or None)
    assert entry.serialize() == message.SerializeToString(deterministic=True)


def test_what_an_entry_says():
    assert (ENTRY.dtype_name, ENTRY.num_elements) == ("float32", 6)
    assert not ENTRY.is_partitioned
    assert Entry(1, (2,), slices=((Extent(0, 2),),)).is_partitioned
    assert parser(1)(ENTRY.serialize()) == ENTRY


def test_a_checksum_of_zero_is_none():
    """As TensorFlow reads it; nothing is written of it."""
    assert wire.decode(Entry, ENTRY._replace(crc32c=0).serialize()).crc32c is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"size": 23}, r"float32\[2, 3\] takes 24 bytes, not 23"),
        ({"shard_id": 1}, "shard 1 of 1"),
        ({"offset": -1}, "at offset -1"),
        ({"dtype": 7, "size": 9}, "6 strings take 10 bytes or more, not 9"),
        ({"shape": (2, -3)}, "the shape"),
        ({"slices": ((Extent(0, 3), Extent(0, 3)),)}, ""),
    ],
)
def test_what_cannot_be_true_is_a_value_error(change, why):
    with pytest.raises(ValueError, match=why):
        parser(1)(ENTRY._replace(**change).serialize())
