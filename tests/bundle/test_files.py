"""Files appear whole or not at all, whatever fails and whenever the process dies."""

import errno
import os
import signal
import stat
import subprocess
import sys

import pytest

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    NoSpaceError,
    UnsupportedCheckpointError,
)


def _fail(monkeypatch, operation, number, after=0):
    """Makes an operation fail with an errno, the first `after` times not."""
    original, calls = files._change, []

    def change(name, call, *arguments):
        if name == operation:
            calls.append(name)
            if len(calls) > after:
                raise OSError(number, os.strerror(number))
        return original(name, call, *arguments)

    monkeypatch.setattr(files, "_change", change)


# Reading.


def test_a_file_is_read_at_any_offset(tmp_path):
    (tmp_path / "f").write_bytes(bytes(range(100)))
    with files.File(tmp_path / "f") as file:
        assert file.size == 100
        assert file.read(10, 5) == bytes(range(10, 15))
        assert file.map() == bytes(range(100))
        with pytest.raises(CheckpointError, match="ends before byte 101"):
            file.read(99, 2)


def test_an_empty_file_can_be_mapped(tmp_path):
    (tmp_path / "f").touch()
    with files.File(tmp_path / "f") as file:
        assert file.map() == b""
        assert list(file.chunks(0, 0)) in ([], [b""])


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(CheckpointError, match="not a regular file"):
            files.read(path)


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


# Writing.


def test_a_file_is_put_with_the_mode_of_any_new_file(tmp_path):
    umask = os.umask(0o022)
    try:
        files.put(tmp_path / "f", b"abc")
    finally:
        os.umask(umask)
    assert (tmp_path / "f").read_bytes() == b"abc"
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o644


def test_put_replaces_the_file_and_not_its_bytes(tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    os.link(tmp_path / "f", tmp_path / "other name")
    files.put(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    assert (tmp_path / "other name").read_bytes() == b"old"


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path):
    output = files.Output(tmp_path / "f")
    with pytest.raises(TypeError), output:
        output.write("no bytes")
    assert os.listdir(tmp_path) == []


def test_temporaries_of_a_crash_are_not_listed(tmp_path):
    output = files.Output(tmp_path / "f")
    output.write(b"half")
    (tmp_path / "b").touch()
    (tmp_path / "a").touch()
    assert len(os.listdir(tmp_path)) == 3
    assert files.list_dir(tmp_path) == ["a", "b"]
    output.discard()


@pytest.mark.parametrize("operation", ["create", "write", "sync", "rename"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_failed_write_says_what_failed_and_leaves_the_old_file(
    tmp_path, monkeypatch, operation, number
):
    files.put(tmp_path / "f", b"old")
    _fail(monkeypatch, operation, number)
    with pytest.raises(CheckpointError, match=f"f: .*{os.strerror(number)}") as caught:
        files.put(tmp_path / "f", bytes(12345))
    assert os.listdir(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"
    if number != errno.EIO:
        assert isinstance(caught.value, NoSpaceError)
        assert "12345 bytes are needed" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_really_full_disk_is_reported(tmp_path):
    # Beyond RLIMIT_FSIZE the kernel refuses to write, as on a full disk.
    program = (
        "import resource, signal, sys\n"
        "from estimator_ckpt.bundle import errors, files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: files.put(sys.argv[1], bytes(5000))\n"
        "except errors.NoSpaceError as error: print(error)\n"
    )
    output = _python(program, str(tmp_path / "f")).stdout
    assert "f: File too large: 5000 bytes are needed, and" in output
    assert os.listdir(tmp_path) == []


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


# Linking and copying.


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
    original = files._change

    def change(name, call, *arguments):
        if name in refused:
            raise OSError(number, os.strerror(number))
        return original(name, call, *arguments)

    monkeypatch.setattr(files, "_change", change)
    monkeypatch.setattr(files, "CHUNK", 10000)
    done = []
    how = files.link_or_copy(source, tmp_path / "d", "auto", done.append)
    assert (how == "link") == (not refused)
    assert (tmp_path / "d").read_bytes() == source.read_bytes()
    assert sum(done) == source.stat().st_size
    assert sorted(os.listdir(tmp_path)) == ["d", "source"]


def test_a_link_that_is_impossible_says_what_to_do(tmp_path, source, monkeypatch):
    _fail(monkeypatch, "link", errno.EXDEV)
    with pytest.raises(CheckpointError, match=r"--data=copy"):
        files.link_or_copy(source, tmp_path / "d", "link")


@pytest.mark.parametrize("operation", ["clone", "copy", "set times", "sync", "rename"])
def test_a_copy_onto_a_full_disk_names_the_bytes_needed(
    tmp_path, source, monkeypatch, operation
):
    _fail(monkeypatch, operation, errno.ENOSPC)
    if operation != "clone":
        monkeypatch.setattr(files, "_cloned", lambda *_: False)
    with pytest.raises(NoSpaceError, match=r"d: .*: 25600 bytes are needed"):
        files.link_or_copy(source, tmp_path / "d", "copy")
    assert os.listdir(tmp_path) == ["source"]


def test_an_unknown_way_is_refused(tmp_path, source):
    with pytest.raises(ValueError, match="'auto', 'link' or 'copy'"):
        files.link_or_copy(source, tmp_path / "d", "move")


# Killing.

_KILLED = """
import os, signal, sys
from estimator_ckpt.bundle import files

directory, deadly = sys.argv[1], int(sys.argv[2])
original, count = files._change, 0

def change(name, call, *arguments):
    global count
    if count == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    count += 1
    return original(name, call, *arguments)

files._change = change
from estimator_ckpt.bundle.writer import write_bundle
write_bundle(os.path.join(directory, "new", "c"), {"v": [1.5, 2.5], "s": [b"text"]})
files.put(os.path.join(directory, "state"), b"new")
files.link_or_copy(
    os.path.join(directory, "data"), os.path.join(directory, "linked"), "copy"
)
print("done")
"""


def _python(program, *arguments):
    import pathlib

    import estimator_ckpt

    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(estimator_ckpt.__path__[0]).parent,
    )


def test_killed_at_any_operation_every_file_is_whole_or_not_there(tmp_path):
    from estimator_ckpt.bundle.reader import BundleReader

    finished = []
    for deadly in range(100):
        directory = tmp_path / str(deadly)
        directory.mkdir()
        (directory / "state").write_bytes(b"old")
        (directory / "data").write_bytes(b"data" * 1000)
        process = _python(_KILLED, str(directory), str(deadly))
        states = (directory / "state").read_bytes()
        assert states in (b"old", b"new")
        if (directory / "new" / "c.index").exists():
            reader = BundleReader(directory / "new" / "c")
            assert reader.read("v").tolist() == [1.5, 2.5]
            finished.append(deadly)
        else:
            assert states == b"old"
        if (directory / "linked").exists():
            assert (directory / "linked").read_bytes() == b"data" * 1000
        known = {"state", "data", "new", "linked"}
        assert set(files.list_dir(directory)) <= known
        if process.stdout == "done\n":
            assert process.returncode == 0
            break
        assert process.returncode == -signal.SIGKILL
    assert deadly > 20  # The three together take more operations than that.
    assert 0 not in finished
