"""Files appear whole or not at all, whatever fails and whenever the process dies."""

import errno
import os
import signal
import stat

import pytest

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, NoSpaceError
from estimator_ckpt.bundle.local_files.output_file import Output
from tests import forks
from tests.bundle.helpers import fail


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
    output = Output(tmp_path / "f")
    with pytest.raises(TypeError), output:
        output.write("no bytes")
    assert os.listdir(tmp_path) == []


def test_temporaries_of_a_crash_are_not_listed(tmp_path):
    output = Output(tmp_path / "f")
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
    fail(monkeypatch, operation, number)
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
    output = forks.run(program, tmp_path / "f").stdout
    assert "f: File too large: 5000 bytes are needed, and" in output
    assert os.listdir(tmp_path) == []


# Killing.

_KILLED = """
import os, signal, sys
from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.local_files import system_calls

directory, deadly = sys.argv[1], int(sys.argv[2])
original, count = system_calls.change, 0

def change(name, call, *arguments):
    global count
    if count == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    count += 1
    return original(name, call, *arguments)

system_calls.change = change
from estimator_ckpt.bundle.writer import write_bundle
write_bundle(os.path.join(directory, "new", "c"), {"v": [1.5, 2.5], "s": [b"text"]})
files.put(os.path.join(directory, "state"), b"new")
files.link_or_copy(
    os.path.join(directory, "data"), os.path.join(directory, "linked"), "copy"
)
print("done")
"""


def test_killed_at_any_operation_every_file_is_whole_or_not_there(tmp_path):
    from estimator_ckpt.bundle.reader import BundleReader

    finished = []
    for deadly in range(100):
        directory = tmp_path / str(deadly)
        directory.mkdir()
        (directory / "state").write_bytes(b"old")
        (directory / "data").write_bytes(b"data" * 1000)
        process = forks.run(_KILLED, directory, deadly)
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
