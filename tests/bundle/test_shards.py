"""Shards: opened when needed, held against entries, let go of."""

import pytest

from estimator_ckpt.bundle import checksum, files, shards
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CorruptDataError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import Index, shard_path
from estimator_ckpt.bundle.shards import Shards

CONTENT = bytes(range(64))


@pytest.fixture
def prefix(tmp_path):
    prefix = str(tmp_path / "c")
    for number in range(3):
        path = tmp_path / shard_path("c", number, 4)
        path.write_bytes(bytes([number]) + CONTENT)
    return prefix


def opened(prefix):
    return Shards(prefix, Index(prefix, Header(num_shards=4), {}, b""), files)


def entry(shard_id=1, offset=1, size=16, data=CONTENT[:16]):
    crc = checksum.mask(checksum.value(data))
    return Entry(1, (size // 4,), shard_id, offset, size, crc)


def test_the_bytes_of_an_entry(prefix):
    found = opened(prefix)
    shard = found.locate(b"v", entry())
    assert bytes(found.view(entry(), shard)) == CONTENT[:16]
    found.verify(b"v", entry(), shard)
    found.close()


def test_damage_says_where_and_what(prefix):
    found = opened(prefix)
    with pytest.raises(
        CorruptDataError, match=r"00001-of-00004: 'v' is damaged: its 16"
    ):
        found.verify(b"v", entry(data=b"x"), found.locate(b"v", entry()))


def test_a_shard_that_is_missing_or_cut_off_is_named(prefix):
    with pytest.raises(CorruptDataError, match="00003-of-00004: the shard is missing"):
        opened(prefix).locate(b"v", entry(shard_id=3))
    with pytest.raises(
        CorruptDataError, match="it has 65 bytes, and 'v' takes the byte"
    ):
        opened(prefix).locate(b"v", entry(offset=60))


def test_views_stay_valid_when_shards_are_let_go_of(prefix, monkeypatch):
    monkeypatch.setattr(shards, "_MAX_OPEN_SHARDS", 1)
    found = opened(prefix)
    views = [
        found.view(entry(number), found.locate(b"v", entry(number)))
        for number in (0, 1, 2, 0)
    ]
    found.unmap()
    found.close()
    assert {bytes(view) for view in views} == {CONTENT[:16]}


def test_open_files_can_stand_for_shards(prefix, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(bytes(100))
    found = opened(prefix)
    with files.open_file(str(other)) as file:
        before = found.hold({1: file})
        assert found.locate(b"v", entry()) is file
        found.hold_only(before)
    assert found.locate(b"v", entry()).size == 65
