"""docs/keras-3.md on each of Keras 3's backends, from each sort of TensorFlow's files.

A real TensorFlow 1.15.5 trains, saves and freezes a model, Keras 2 of TensorFlow 2.15.1
trains it and saves it in its four ways; Keras 3 gives what they gave, to 1e-6, with the
values in place and from its own files, and its optimizer goes on where theirs was.
"""

import pathlib
import sys

import pytest

from tests.compat.environments import KERAS_3, READERS, run

pytestmark = pytest.mark.compat
DOOR = "tests.compat.keras_3_door"
#: Which environment has a backend.
PYTHONS = {
    "tensorflow": READERS["2.21.0"],
    "jax": KERAS_3,
    "torch": KERAS_3,
}


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
    if not KERAS_3.exists():
        pytest.skip("no interpreter with Keras 3 (make compat)")
    script = pathlib.Path(__file__).with_name("load_into_keras_3.py")
    run(KERAS_3, script, tmp_path, KERAS_BACKEND=backend)
