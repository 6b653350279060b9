"""Checkpoints of the V1 format are told by how their files end."""

import os

import pytest

from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.bundle.sstable.table_writer import write_table
from estimator_ckpt.checkpoint.paths import v1_files
from tests import sources

TABLE = write_table([(b"", b"x")])


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "one").write_bytes(TABLE)
    (tmp_path / "c.index").write_bytes(TABLE)
    (tmp_path / "text").write_bytes(b"no table, but long enough to have a footer" * 3)
    for number in range(2):
        (tmp_path / f"many-0000{number}-of-00002").write_bytes(TABLE)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("one", "one"),
        ("many", "many-?????-of-00002"),
        ("many-00001-of-00002", "many-?????-of-00002"),
        ("many-?????-of-00002", "many-?????-of-00002"),
        ("many-?????-of-00003", None),
        ("text", None),
        ("c.index", None),  # an index is none
        ("gone", None),
        ("gone/c", None),
    ],
)
def test_what_a_path_means(directory, given, found):
    expected = None if found is None else str(directory / found)
    assert v1_files.find(str(directory / given)) == expected


def test_its_files_are_those_that_the_pattern_means(directory):
    pattern = str(directory / "many-?????-of-00002")
    assert v1_files.shards(pattern) == [
        str(directory / f"many-0000{number}-of-00002") for number in range(2)
    ]
    assert v1_files.shards("dir/one") == ["dir/one"]


def test_a_checkpoint_of_before_2017_needs_all_of_its_shards(tmp_path):
    path = tmp_path / "job"
    sources.v1_shards(path)
    pattern = str(path / "model.ckpt-7-?????-of-00002")
    shards = [str(path / f"model.ckpt-7-0000{n}-of-00002") for n in range(2)]
    assert v1_files.every_shard(pattern) == shards
    os.unlink(shards[1])
    with pytest.raises(CorruptIndexError) as caught:
        v1_files.every_shard(pattern)
    assert str(caught.value) == (
        f"{shards[1]}: the shard is missing, which the names of the others tell of"
    )
    odd = str(path / "a-?????-of-b")  # a file of its own
    assert v1_files.every_shard(odd) == []
