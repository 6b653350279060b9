"""All access to files: what is there, what is made, and what is refused."""

import os
import tracemalloc

import pytest

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    UnsupportedCheckpointError,
)


def test_what_is_not_there_is_named(tmp_path):
    for call in (files.read, files.size, files.list_dir, files.delete):
        with pytest.raises(CheckpointNotFoundError, match="nowhere: no such file"):
            call(tmp_path / "nowhere")
    files.delete(tmp_path / "nowhere", missing_ok=True)


@pytest.mark.parametrize("path", ["gs://bucket/model.ckpt.index", "s3://b/c"])
def test_remote_paths_are_refused(path):
    for call in (files.read, files.exists, files.list_dir, files.File):
        with pytest.raises(UnsupportedCheckpointError, match="remote paths"):
            call(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / "f").touch(mode=0)
    with pytest.raises(CheckpointError, match="f: cannot be read: Permission denied"):
        files.read(tmp_path / "f")


def test_directories_are_made_as_far_as_they_are_missing(tmp_path):
    files.make_dirs(tmp_path / "a" / "b")
    files.make_dirs(tmp_path / "a" / "b")
    assert files.is_dir(tmp_path / "a" / "b")


@pytest.mark.parametrize("path", ["file", "file/", "file/b", "file/b/c"])
def test_a_file_in_the_way_of_a_directory_is_named(tmp_path, path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=f"{tmp_path}/file: is a file, where"):
        files.make_dirs(f"{tmp_path}/{path}")
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize("path", ["a/" * 100_000, "x" * 4096, "a\0b", "\ud800"])
def test_what_no_file_can_be_called_is_refused_at_once(tmp_path, path):
    calls = (files.make_dirs, files.exists, files.read, files.require_no_file)
    tracemalloc.start()
    for call in calls:
        with pytest.raises(CheckpointError, match="too long for a path, or not made"):
            call(f"{tmp_path}/{path}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 << 20


def test_many_directories_are_made_one_in_another(tmp_path):
    deep = os.path.join(tmp_path, *["d"] * 1500)
    files.make_dirs(deep)
    assert files.is_dir(deep)
    os.removedirs(deep)  # pytest would recurse too deep
