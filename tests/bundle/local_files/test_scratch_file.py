"""A file without a name holds what was written, and leaves nothing."""

import os

import pytest

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.local_files.scratch_file import ScratchFile


def test_what_is_written_is_read_and_no_name_is_there(tmp_path):
    file = ScratchFile(str(tmp_path), 10)
    file.write(b"01234")
    file.write(memoryview(b"56789"))
    assert file.read(3, 4) == b"3456"
    assert not list(tmp_path.iterdir())
    with pytest.raises(EOFError, match="ends before 11"):
        file.read(8, 3)
    file.close()
    assert not list(tmp_path.iterdir())


def test_a_file_system_without_nameless_files(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "O_TMPFILE", os.O_EXCL | os.O_CREAT)  # refused there
    file = ScratchFile(str(tmp_path), 3)
    file.write(b"abc")
    assert file.read(0, 3) == b"abc"
    assert not list(tmp_path.iterdir())
    file.close()


def test_a_directory_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        ScratchFile(str(tmp_path / "none"), 3)
