"""Checkpoints of the V1 format are told by how their files end."""

import pytest

from estimator_ckpt.bundle.sstable.table_writer import write_table
from estimator_ckpt.checkpoint.paths import v1_files

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
