"""The bytes of a file get a second name by the cheapest way that is allowed."""

import errno
import os

import pytest

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, NoSpaceError
from estimator_ckpt.bundle.local_files import linking, system_calls
from tests.bundle.helpers import fail


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(bytes(range(256)) * 100)
    os.utime(path, ns=(10**18, 10**18))
    return path


def test_a_link_is_the_same_file(tmp_path, source):
    assert files.link_or_copy(source, tmp_path / "d") == "link"
    assert os.path.samefile(source, tmp_path / "d")


def test_the_target_of_a_symbolic_link_is_linked(tmp_path, source):
    (tmp_path / "dir").mkdir()
    os.symlink("../source", tmp_path / "dir" / "link")
    files.link_or_copy(tmp_path / "dir" / "link", tmp_path / "d")
    assert os.path.samefile(source, tmp_path / "d")
    assert not os.path.islink(tmp_path / "d")


@pytest.mark.parametrize("mode", ["link", "copy"])
def test_what_is_there_is_replaced(tmp_path, source, mode):
    (tmp_path / "d").write_bytes(b"old")
    files.link_or_copy(source, tmp_path / "d", mode)
    assert (tmp_path / "d").read_bytes() == source.read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["d", "source"]


def test_linking_a_file_to_itself_leaves_nothing_behind(tmp_path, source):
    files.link_or_copy(source, tmp_path / "d")
    files.link_or_copy(source, tmp_path / "d")
    files.link_or_copy(source, source)
    assert sorted(os.listdir(tmp_path)) == ["d", "source"]


def test_a_copy_is_a_file_of_its_own_with_the_time_of_the_original(tmp_path, source):
    assert files.link_or_copy(source, tmp_path / "d", "copy") in ("copy", "clone")
    assert (tmp_path / "d").read_bytes() == source.read_bytes()
    assert not os.path.samefile(source, tmp_path / "d")
    assert os.stat(tmp_path / "d").st_mtime_ns == 10**18


@pytest.mark.parametrize(
    "refused",
    [(), ("link",), ("link", "clone"), ("link", "clone", "copy")],
    ids="-".join,
)
@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.ENOTSUP])
def test_every_way_that_is_refused_leads_to_the_next(
    tmp_path, source, monkeypatch, refused, number
):
    original = system_calls.change

    def change(name, call, *arguments):
        if name in refused:
            raise OSError(number, os.strerror(number))
        return original(name, call, *arguments)

    monkeypatch.setattr(system_calls, "change", change)
    monkeypatch.setattr(system_calls, "CHUNK", 10000)
    done = []
    how = files.link_or_copy(source, tmp_path / "d", "auto", done.append)
    assert (how == "link") == (not refused)
    assert (tmp_path / "d").read_bytes() == source.read_bytes()
    assert sum(done) == source.stat().st_size
    assert sorted(os.listdir(tmp_path)) == ["d", "source"]


def test_a_link_that_is_impossible_says_what_to_do(tmp_path, source, monkeypatch):
    fail(monkeypatch, "link", errno.EXDEV)
    with pytest.raises(CheckpointError, match=r"--data=copy"):
        files.link_or_copy(source, tmp_path / "d", "link")


@pytest.mark.parametrize("operation", ["clone", "copy", "set times", "sync", "rename"])
def test_a_copy_onto_a_full_disk_names_the_bytes_needed(
    tmp_path, source, monkeypatch, operation
):
    fail(monkeypatch, operation, errno.ENOSPC)
    if operation != "clone":
        monkeypatch.setattr(linking, "_cloned", lambda *_: False)
    with pytest.raises(NoSpaceError, match=r"d: .*: 25600 bytes are needed"):
        files.link_or_copy(source, tmp_path / "d", "copy")
    assert os.listdir(tmp_path) == ["source"]


def test_an_unknown_way_is_refused(tmp_path, source):
    with pytest.raises(ValueError, match="'auto', 'link' or 'copy'"):
        files.link_or_copy(source, tmp_path / "d", "move")
