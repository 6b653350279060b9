"""The messages of docs/errors.md that only TensorFlow 2.16 and later say."""

import os
import subprocess

import pytest

from tests.compat.environments import READERS
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.compat

SAID_BY = {
    "module 'tensorflow' has no attribute 'estimator'": (
        "import tensorflow; tensorflow.estimator"
    ),
    "module 'tensorflow._api.v2.compat.v1' has no attribute 'estimator'": (
        "import tensorflow; tensorflow.compat.v1.estimator"
    ),
    "No module named 'tensorflow_estimator'": "import tensorflow_estimator",
    "keras.optimizers.legacy... is not supported in Keras 3": (
        "import tensorflow; tensorflow.keras.optimizers.legacy.Adam()"
    ),
    "cannot import name 'estimator' from 'tensorflow.compat.v1'": (
        "from tensorflow.compat.v1 import estimator"
    ),
    "No module named 'tensorflow.python.estimator'": (
        "from tensorflow.python.estimator import gc"
    ),
    "File format not supported: filepath=... Keras 3 only supports V3 ... files": (
        "import tensorflow; tensorflow.keras.models.load_model('tests/testdata/digits')"
    ),
}


def test_these_are_the_ones_of_the_index():
    from tests.test_error_messages import SAID_SINCE_2_16

    assert set(SAID_BY) == SAID_SINCE_2_16


@pytest.mark.parametrize("message", SAID_BY)
def test_tensorflow_2_21_says_it(message):
    from tests.test_error_messages import matches

    python = READERS["2.21.0"]
    if not python.exists():
        pytest.skip("no interpreter with that TensorFlow (see make compat)")
    done = subprocess.run(
        [str(python), "-c", SAID_BY[message]],
        cwd=REPOSITORY,
        env={k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert matches(message, done.stderr), done.stderr[-3000:]
