"""CPython 3.7, the newest that TensorFlow 1.15 runs on, is told what is needed."""

import subprocess

import pytest

from tests.compat.environments import READERS
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.compat


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-m", "estimator_ckpt", "doctor"], 2),
        (["-m", "estimator_ckpt", "run", "train.py"], 2),
        (["-m", "estimator_ckpt"], 2),
        (["-c", "import estimator_ckpt as ec; ec.enable_estimator()"], 1),
    ],
    ids=["doctor", "run", "nothing", "enable_estimator"],
)
def test_a_python_that_is_too_old_is_one_line(arguments, code):
    python = READERS["1.15.5"]
    if not python.exists():
        pytest.skip("no interpreter with TensorFlow 1.15.5 (see make compat)")
    done = subprocess.run(
        [str(python), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert "needs CPython 3.9 or later" in done.stderr.splitlines()[-1]
    assert code == 1 or len(done.stderr.splitlines()) == 1
