"""A fixed budget of the bundle's fuzzer; `python -m tests.fuzz.bundle` has no limit."""

import pathlib
import random
import subprocess
import sys

import pytest

from estimator_ckpt.bundle.shards import Shards
from tests.fuzz import bundle

REPOSITORY = pathlib.Path(__file__).parent.parent.parent


def _fuzz(seconds, seed):
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.bundle",
            f"--seconds={seconds}",
            f"--seed={seed}",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_bundles_raise_a_checkpoint_error_or_give_the_right_answer(seed):
    process = _fuzz(2, seed)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "cases" in process.stdout


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 20))
def test_damaged_bundles_for_a_long_time(seed):
    process = _fuzz(60, seed)
    assert process.returncode == 0, process.stdout + process.stderr


def test_the_fuzzer_finds_a_reader_that_believes_everything(tmp_path, monkeypatch):
    seed = bundle.make_seeds()[0]
    monkeypatch.setattr(Shards, "verify", lambda *_: None)
    caught = 0
    for number in range(300):
        case = bundle.damage(seed, random.Random(number))
        try:
            bundle.run(str(tmp_path / "c"), case, seed)
        except AssertionError:
            caught += 1
    assert caught > 0
