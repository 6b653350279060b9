"""A process killed at any file-system operation of a conversion loses nothing."""

import os
import pathlib
import shutil
import signal

import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import CheckpointError
from tests.conversion import nth_change
from tests.testdata_paths import TESTDATA

CONVERTS = """
what, source, destination = arguments
if what == "all":
    ec.convert_model_dir(source, destination, to="dual", overwrite=True)
else:
    ec.convert(source, destination, to="tf2", overwrite=True, data=what)
print(count)
"""


def run(at, what, source, destination):
    """Converts, and is killed before the n-th change of the file system."""
    return nth_change.run(CONVERTS, at, signal.SIGKILL, what, source, destination)


def snapshot(directory):
    return {p.name: p.read_bytes() for p in directory.iterdir() if p.is_file()}


def readable(path):
    """What a checkpoint holds, or None if there is none; damage is an error."""
    if not os.path.isdir(path) and not os.path.exists(f"{path}.index"):
        return None
    with ec.open_checkpoint(path) as checkpoint:
        found = {name: checkpoint.read(name).tobytes() for name in checkpoint}
    assert ec.verify(path).ok
    return found


def operations(tmp_path, what, source, make_destination):
    destination = tmp_path / "count"
    make_destination(destination)
    done = run(0, what, source, target(what, destination))
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def target(what, directory):
    return directory if what == "all" else directory / "model.ckpt"


def kill_at_every(tmp_path, what, old, step):
    source = tmp_path / "source"
    shutil.copytree(TESTDATA / "digits", source)
    before = snapshot(source)

    def make_destination(directory):
        if old:
            for prefix in ("model.ckpt", "model.ckpt-300"):
                ec.convert(TESTDATA / "est-tf1", directory / prefix, to="dual")

    total = operations(tmp_path, what, source, make_destination)
    assert total > 10
    expected_new = readable(source)
    expected_old = readable(TESTDATA / "est-tf1")
    for at in range(1, total + 1, step):
        directory = tmp_path / f"kill-{at}"
        make_destination(directory)
        done = run(at, what, source, target(what, directory))
        assert done.returncode == -signal.SIGKILL, (at, done.stderr)
        assert snapshot(source) == before
        prefixes = ["model.ckpt"]
        if what == "all":
            prefixes = [f"model.ckpt-{n}" for n in (100, 200, 300)]
            if (directory / "checkpoint").exists():  # it is last: all is there
                assert all((directory / f"{p}.index").exists() for p in prefixes)
        for prefix in prefixes:
            found = readable(directory / prefix)
            if old and prefix != "model.ckpt-100" and prefix != "model.ckpt-200":
                assert found in (expected_old, expected_new) or what == "all"
                assert found is not None
            elif prefix in ("model.ckpt", "model.ckpt-300"):
                assert found in (None, expected_new)
        again = run(0, what, source, target(what, directory))
        assert again.returncode == 0, again.stderr
        assert readable(directory / prefixes[-1]) == expected_new
        shutil.rmtree(directory)


CASES = [
    ("auto", False),
    ("copy", False),
    ("auto", True),
    ("copy", True),
    ("all", False),
    ("all", True),
]


@pytest.mark.parametrize(("what", "old"), CASES)
def test_killed_at_some_operations(tmp_path, what, old):
    kill_at_every(tmp_path, what, old, step=11 if what != "all" else 29)


@pytest.mark.soak
@pytest.mark.parametrize(("what", "old"), CASES)
def test_killed_at_every_operation(tmp_path, what, old):
    kill_at_every(tmp_path, what, old, step=1)


def test_what_a_kill_leaves_behind_is_no_checkpoint(tmp_path):
    run(8, "copy", TESTDATA / "digits", tmp_path / "model.ckpt")
    assert list(tmp_path.iterdir())
    with pytest.raises(CheckpointError, match="without a checkpoint state file"):
        ec.open_checkpoint(pathlib.Path(tmp_path))
