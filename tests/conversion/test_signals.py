"""A command that is stopped, or that finds no space, leaves nothing behind."""

import os
import signal
import subprocess
import sys

import pytest

import estimator_ckpt as ec
from tests import processes
from tests.conftest import REPOSITORY
from tests.conversion import nth_change
from tests.conversion.saving import tree
from tests.conversion.writing.test_snapshot import make_model_dir, make_old_destination

RUNS = """
from estimator_ckpt.cli import main
main.main(arguments)
"""

COMMANDS = {
    "convert": ("convert", "--to=dual"),
    "copy": ("convert", "--to=dual", "--data=copy"),
    "all": ("convert", "--to=dual", "--all"),
    "warm_start": ("warm_start",),
    "average": ("average", "--last=2"),
}


def python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=processes.hang_ups_end_it,
        **options,
    )


def readable(directory):
    """The checkpoints in a directory; each is whole, and so is what is there."""
    found = {path.stem for path in directory.glob("*.index")}
    assert all(ec.verify(directory / name).ok for name in found)
    assert not [path for path in directory.iterdir() if path.name.startswith(".")]
    return found


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_stopped_command_cleans_up(tmp_path, command, number, code):
    make_model_dir(tmp_path / "old")
    name, *flags = COMMANDS[command]
    stopped = 0
    for at in (1, 6, 11, 16, 21):
        new = tmp_path / f"new-{at}"
        new.mkdir()
        if at % 2:
            make_old_destination(new)
            before = tree(new)
        options = [*flags, "--overwrite"] if at % 2 else flags
        source = tmp_path / "old"
        done = nth_change.run(RUNS, at, number, name, source, new, *options)
        if done.returncode == 0:  # it was done by then
            continue
        stopped += 1
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        readable(new)
        if at == 1:
            assert tree(new) == before
        elif command != "all" and at == 6:
            assert list(new.iterdir()) == []
    assert stopped > 2


# No space left.

LIMITED = """
import resource, signal, sys
from estimator_ckpt.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
main.main(sys.argv[1:])
"""

WRITING = {
    **{name: COMMANDS[name] for name in ("copy", "average")},
    "stream": ("convert", "--to=tf2", "--data=copy", "--include=out/"),
    "all": ("convert", "--to=tf1", "--all", "--data=copy"),
    "warm_start": ("warm_start", "--data=copy"),
}


def assert_no_space(done, new, before):
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "bytes are needed" in done.stderr
    assert tree(new) == before


@pytest.mark.parametrize("command", WRITING)
def test_a_file_beyond_the_limit_leaves_what_was_there(tmp_path, command):
    make_model_dir(tmp_path / "old")
    (tmp_path / "new").mkdir()
    make_old_destination(tmp_path / "new")
    before = tree(tmp_path / "new")
    name, *flags = WRITING[command]
    paths = (tmp_path / "old", tmp_path / "new")
    done = python("-c", LIMITED, name, *paths, *flags, "--overwrite")
    assert_no_space(done, tmp_path / "new", before)


def has_namespaces():
    try:
        done = subprocess.run(["unshare", "-Urm", "true"], capture_output=True)
    except FileNotFoundError:
        return False
    return done.returncode == 0


@pytest.mark.skipif(not has_namespaces(), reason="nobody may mount here")
@pytest.mark.parametrize(
    ("command", "kilobytes"),
    [
        *((command, 8) for command in ("convert", *WRITING)),
        *((command, 300) for command in ("convert", *WRITING)),
        ("all", 700),  # the first of two fits
    ],
)
def test_a_full_disk_leaves_nothing(tmp_path, command, kilobytes):
    """A real one: a file system of so many kilobytes, too few for the result."""
    make_model_dir(tmp_path / "old")
    (tmp_path / "disk").mkdir()
    name, *flags = WRITING.get(command) or COMMANDS[command]
    script = (
        'mount -t tmpfs -o size="$1" none "$2" || exit 99; shift; disk=$1; shift;'
        '"$@"; code=$?; ls -A "$disk"; exit $code'
    )
    disk, old = str(tmp_path / "disk"), str(tmp_path / "old")
    done = subprocess.run(
        [
            *("unshare", "-Urm", "sh", "-c", script, "sh", f"{kilobytes}k", disk),
            *(sys.executable, "-m", "estimator_ckpt", name, old, disk, *flags),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, (done.stdout, done.stderr)
    lines = [line for line in done.stderr.splitlines() if "error:" in line]
    assert len(lines) == 1
    assert "No space left on device" in lines[0]
    left = done.stdout.split()
    if kilobytes == 700:
        assert {name.partition(".data")[0] for name in left} == {
            "model.ckpt-1",
            "model.ckpt-1.index",
        }
    else:
        assert left == []
    assert os.listdir(disk) == []
