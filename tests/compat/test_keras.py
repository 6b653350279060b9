"""Leaving Estimator with the newest TensorFlow, and the way back with the oldest.

The tests of `convert_for` run again in TensorFlow 2.21.0, with tf-keras and with
Keras 3; and what Keras saved, in 2.15.1 and in 2.21.0, is trained on by a real
TensorFlow 1.15.5.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from tests.compat.environments import READERS
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.compat
TESTS = pathlib.Path(REPOSITORY) / "tests"
NEWEST, OLDEST = READERS["2.21.0"], READERS["1.15.5"]


def run(python, files, **environment):
    """Runs tests in another TensorFlow; they pass, and some are run at all."""
    if not python.exists():
        pytest.skip("no interpreter with that TensorFlow (see make compat)")
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *(str(TESTS / file) for file in files)],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
    print(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("uses_tf_keras", ["1", "0"], ids=["tf-keras", "Keras 3"])
def test_leaving_estimator_in_2_21(uses_tf_keras):
    files = [
        "keras/test_convert_for.py",
        "keras/test_load_into.py",
        "keras/optimizers/test_saved_optimizers.py",
        "layouts/test_layer_rules.py",
        "keras/optimizers/test_trajectories.py",
        "tf_private/test_keras_api.py",
        "tf_private/test_trackables_api.py",
    ]
    run(NEWEST, files, TF_USE_LEGACY_KERAS=uses_tf_keras)


@pytest.mark.parametrize(
    ("python", "uses_tf_keras"),
    [(pathlib.Path(sys.executable), "0"), (NEWEST, "1"), (NEWEST, "0")],
    ids=["2.15", "2.21, tf-keras", "2.21, Keras 3"],
)
def test_1_15_goes_on_from_what_keras_saved(python, uses_tf_keras):
    if not OLDEST.exists():
        pytest.skip("no interpreter with TensorFlow 1.15.5 (see make compat)")
    run(
        python,
        ["keras/test_to_names.py"],
        TF_USE_LEGACY_KERAS=uses_tf_keras,
        ESTIMATOR_CKPT_TF1_PYTHON=str(OLDEST),
    )
