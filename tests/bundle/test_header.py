"""The header of a bundle: read, written, and not believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator_ckpt.bundle.errors import CorruptIndexError, UnsupportedCheckpointError
from estimator_ckpt.bundle.header import Header, parse_header
from estimator_ckpt.bundle.index import parse_index, serialize_index
from tests.bundle import protobufs


def _index(items, header):
    return parse_index(serialize_index(header, items), "c.index")


def test_a_header_makes_the_round_trip():
    header = Header(num_shards=12, big_endian=True, producer=1, bad_consumers=(5, 7))
    assert _index([], header).header == header


@pytest.mark.parametrize(
    "header", [Header(min_consumer=2), Header(bad_consumers=(1, 2))]
)
def test_a_bundle_for_newer_readers_is_refused(header):
    with pytest.raises(UnsupportedCheckpointError, match="newer"):
        _index([], header)


def test_a_bundle_for_readers_of_this_version_is_read():
    assert _index([], Header(min_consumer=1)).header.min_consumer == 1


@pytest.mark.parametrize("raw", [b"", b"\xff", b"\x08\x00", b"\x08\x01\x10\x07"])
def test_a_damaged_header_is_refused(raw):
    from estimator_ckpt.bundle.sstable.table_writer import write_table

    with pytest.raises(CorruptIndexError, match="header is damaged"):
        parse_index(write_table([(b"", raw)]), "c.index")


@given(st.integers(1, 2**31 - 1), st.booleans(), st.integers(0, 2))
def test_headers_are_written_as_protobuf_writes_them(num_shards, big_endian, least):
    message = protobufs.BundleHeaderProto(
        num_shards=num_shards, endianness=int(big_endian)
    )
    message.version.producer = 1
    message.version.min_consumer = least
    header = Header(num_shards, big_endian, min_consumer=least)
    assert header.serialize() == message.SerializeToString()


def test_where_a_v1_checkpoint_begins_is_no_header():
    with pytest.raises(UnsupportedCheckpointError, match=r"^c: a table of the V1"):
        parse_header(b"\x0a\x00", "c")
