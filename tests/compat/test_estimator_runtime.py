"""tf.estimator on TensorFlow 2.21.0: tests of training, through the runtime."""

import os
import subprocess

import pytest

from tests.conftest import REPOSITORY

PYTHON = os.path.join(REPOSITORY, ".venvs", "tf221py313", "bin", "python")
pytestmark = [
    pytest.mark.compat,
    pytest.mark.skipif(not os.path.exists(PYTHON), reason="no .venvs/tf221py313"),
]


@pytest.mark.parametrize(
    "selection",
    [
        ["tests/estimator/test_runtime.py"],
        ["tests/estimator/test_cluster.py", "-k", "dual"],
        ["tests/estimator/test_scaffolds.py"],
    ],
    ids=["runtime", "clusters", "scaffolds"],
)
def test_training_on_2_21(selection):
    done = subprocess.run(
        [
            *(PYTHON, "-m", "estimator_ckpt", "run", "-m", "pytest"),
            *("-q", "-p", "no:cacheprovider", *selection),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
