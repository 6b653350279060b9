"""docs/keras-3.md on each of Keras 3's backends, from each sort of TensorFlow's files.

A real TensorFlow 1.15.5 trains, saves and freezes a model, Keras 2 of TensorFlow 2.15.1
trains it and saves it in its four ways; Keras 3 gives what they gave, to 1e-6, with the
values in place and from its own files, and its optimizer goes on where theirs was.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from tests.compat.test_compat import READERS, VENVS
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.compat
DOOR = "tests.compat.keras_3_door"
WITHOUT_TENSORFLOW = VENVS / "keras3" / "bin" / "python"
#: Which environment has a backend.
PYTHONS = {
    "tensorflow": READERS["2.21.0"],
    "jax": WITHOUT_TENSORFLOW,
    "torch": WITHOUT_TENSORFLOW,
}


def run(python, *arguments, **environment):
    """Runs a module or a script in another environment; returns what it says."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TF")}
    done = subprocess.run(
        [str(python), *map(str, arguments)],
        cwd=REPOSITORY,
        env={**inherited, "PYTHONPATH": REPOSITORY, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """What TensorFlow 1.15.5 and Keras 2 wrote."""
    if not READERS["1.15.5"].exists():
        pytest.skip("no interpreter with TensorFlow 1.15.5 (make compat)")
    directory = tmp_path_factory.mktemp("door")
    run(READERS["1.15.5"], "-m", f"{DOOR}.save_in_tensorflow_1", directory)
    run(sys.executable, "-m", f"{DOOR}.save_in_keras_2", directory)
    return directory


@pytest.mark.parametrize("backend", PYTHONS)
def test_keras_3_gives_what_tensorflow_gave(saved, backend):
    if not PYTHONS[backend].exists():
        pytest.skip(f"no interpreter with Keras 3 on {backend} (make compat)")
    module = f"{DOOR}.load_in_keras_3"
    said = run(PYTHONS[backend], "-m", module, saved, KERAS_BACKEND=backend)
    print(said)
    for source in ("saver", "frozen.pb", "checkpoint", "save_weights", "saved_model"):
        for way in ("in place", ".weights.h5", ".keras"):
            assert any(source in line and way in line for line in said.splitlines())


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch"])
def test_what_keras_3_trained_on_tensorflow(backend, tmp_path):
    if not WITHOUT_TENSORFLOW.exists():
        pytest.skip("no interpreter with Keras 3 (make compat)")
    script = pathlib.Path(__file__).with_name("load_into_keras_3.py")
    run(WITHOUT_TENSORFLOW, script, tmp_path, KERAS_BACKEND=backend)
