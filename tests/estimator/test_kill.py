"""A killed job loses no step that a completed checkpoint had."""

import pytest

from tests import processes
from tests.conftest import REPOSITORY

JOB = "tests.estimator.killed_job"


def run(*arguments, seconds):
    done = processes.run(
        ["-m", JOB, *map(str, arguments)], cwd=REPOSITORY, timeout=seconds
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return int(done.stdout.split()[-1])


# A dual save makes every change of files that a tf2 save makes, and the same ones.
@pytest.mark.parametrize(
    "format", [pytest.param("tf2", marks=pytest.mark.soak), "dual"]
)
def test_killed_at_every_change_of_a_resumed_save(tmp_path, format):
    # The mark, two shards, the index, what was left beside, the state file, retention.
    assert run("operations", tmp_path / "model", format, seconds=300) >= 4


def test_killed_at_random_moments(tmp_path):
    assert run("random", tmp_path / "model", 10, 1, seconds=300) == 10


def test_a_reader_finishes_whatever_is_saved_anew(tmp_path):
    assert run("read", tmp_path / "model", 10, 3, seconds=300) > 10


@pytest.mark.soak
def test_a_reader_finishes_beside_hundreds_of_kills(tmp_path):
    assert run("read", tmp_path / "model", 200, 4, seconds=1500) > 300


@pytest.mark.soak
def test_killed_hundreds_of_times(tmp_path):
    assert run("random", tmp_path / "model", 300, 2, seconds=1500) == 300
