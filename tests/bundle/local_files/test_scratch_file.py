"""A file without a name keeps bytes, and leaves nothing behind."""

import os

import pytest

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.local_files import scratch_file
from estimator_ckpt.bundle.local_files.scratch_file import ScratchFile


@pytest.mark.parametrize("has_nameless_files", [True, False])
def test_what_is_written_is_read_at_any_place(
    tmp_path, monkeypatch, has_nameless_files
):
    if not has_nameless_files:
        before = os.open

        def without(path, flags, *mode):
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(95, "Operation not supported")
            return before(path, flags, *mode)

        monkeypatch.setattr(scratch_file.os, "open", without)
    file = ScratchFile(str(tmp_path), 11)
    assert os.listdir(tmp_path) == []
    file.write(b"hello ")
    file.write(memoryview(b"world"))
    assert file.read(6, 5) == b"world"
    assert file.read(0, 11) == b"hello world"
    with pytest.raises(EOFError):
        file.read(6, 6)
    file.close()
    assert os.listdir(tmp_path) == []


def test_where_none_can_be_made_is_one_line(tmp_path):
    with pytest.raises(CheckpointError, match="a temporary file") as caught:
        ScratchFile(str(tmp_path / "missing"), 1)
    assert "\n" not in str(caught.value)
