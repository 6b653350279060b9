"""A file is read at any offset, and nothing is waited for."""

import os

import pytest

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.local_files.input_file import File


def test_a_file_is_read_at_any_offset(tmp_path):
    (tmp_path / "f").write_bytes(bytes(range(100)))
    with File(tmp_path / "f") as file:
        assert file.size == 100
        assert file.read(10, 5) == bytes(range(10, 15))
        assert file.map() == bytes(range(100))
        with pytest.raises(CheckpointError, match="ends before byte 101"):
            file.read(99, 2)


def test_an_empty_file_can_be_mapped(tmp_path):
    (tmp_path / "f").touch()
    with File(tmp_path / "f") as file:
        assert file.map() == b""
        assert list(file.chunks(0, 0)) in ([], [b""])


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(CheckpointError, match="not a regular file"):
            files.read(path)
