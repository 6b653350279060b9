"""What is told of a path that cannot be one, and of a call that fails."""

import errno
import os

import pytest

from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    NoSpaceError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.local_files import system_calls


@pytest.mark.parametrize(
    ("path", "error", "why"),
    [
        ("gs://bucket/c", UnsupportedCheckpointError, "remote paths"),
        ("a\0b", CheckpointError, "not made of text"),
        ("x" * 5000, CheckpointError, "too long for a path"),
        ("\ud800", CheckpointError, "not made of text"),
    ],
)
def test_a_path_that_cannot_be_one(path, error, why):
    with pytest.raises(error, match=why):
        system_calls.local(path)


def test_a_url_of_a_local_file_is_its_path():
    assert system_calls.local("file:///tmp/a b//c") == "/tmp/a b//c"
    with pytest.raises(UnsupportedCheckpointError):
        system_calls.local("file://host/c")


def test_any_other_path_is_its_text(tmp_path):
    assert system_calls.local(tmp_path) == str(tmp_path)
    assert system_calls.local("a b\udcff") == "a b\udcff"


@pytest.mark.parametrize(
    ("number", "error", "why"),
    [
        (errno.ENOENT, CheckpointNotFoundError, "no such file or directory"),
        (errno.ENOTDIR, CheckpointNotFoundError, "no such file or directory"),
        (errno.ENOSPC, NoSpaceError, "77 bytes are needed, and .* bytes are free"),
        (errno.EDQUOT, NoSpaceError, "77 bytes are needed"),
        (errno.EACCES, CheckpointError, "cannot be written: Permission denied"),
    ],
)
def test_a_failed_call_names_the_file(tmp_path, number, error, why):
    path = tmp_path / "c"
    with (
        pytest.raises(error, match=f"^{path}: .*{why}"),
        system_calls.reporting(path, "written", 77),
    ):
        raise OSError(number, os.strerror(number))


def test_every_change_passes_one_door(monkeypatch, tmp_path):
    assert system_calls.change("make", os.mkdir, tmp_path / "d") is None
    assert (tmp_path / "d").is_dir()
