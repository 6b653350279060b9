"""A fixed budget of the fuzzer of small files, and that it can find something."""

import pathlib
import random
import subprocess
import sys

import pytest

from tests.fuzz import small_files

REPOSITORY = pathlib.Path(__file__).parent.parent.parent


def _fuzz(seconds, seed):
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.small_files",
            f"--seconds={seconds}",
            f"--seed={seed}",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )


def test_damaged_files_are_values_or_checkpoint_errors():
    process = _fuzz(2, 1)  # for longer: make fuzz
    assert process.returncode == 0, process.stdout + process.stderr
    assert "cases" in process.stdout


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 20))
def test_damaged_files_for_a_long_time(seed):
    process = _fuzz(60, seed)
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.mark.parametrize("name", list(small_files.formats()))
def test_every_format_of_file_is_read_and_refused(tmp_path, name):
    file = small_files.formats()[name]
    path = tmp_path / {"meta": "c.meta"}.get(name, "rules.yaml")
    for seed in file.seeds[:5]:
        assert small_files.run(file, seed, path) == "read"
    found = {
        small_files.run(file, small_files.damage(file, random.Random(number)), path)
        for number in range(60)
    }
    assert "refused" in found
