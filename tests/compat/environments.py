"""The environments of `make compat`, and what is run in them."""

import os
import pathlib
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

VENVS = pathlib.Path(REPOSITORY) / ".venvs"
#: The TensorFlows that read checkpoints back.
READERS = {
    "1.15.5": VENVS / "tf115" / "bin" / "python",
    "2.15.1": pathlib.Path(sys.executable),
    "2.21.0": VENVS / "tf221" / "bin" / "python",
}
#: PyTorch with transformers and torchvision; Keras 3 with PyTorch and JAX; playwright.
TORCH = VENVS / "torch" / "bin" / "python"
KERAS_3 = VENVS / "keras3" / "bin" / "python"
BROWSER = VENVS / "browser" / "bin" / "python"
_READ_BACK = pathlib.Path(__file__).with_name("read_back.py")


def run(python, *arguments, **environment):
    """Runs a Python of another environment; returns what it says."""
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
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def read_back(version, manifest):
    """Has a TensorFlow hold every checkpoint of a manifest against it."""
    python = READERS[version]
    if not python.exists():
        pytest.skip(f"no interpreter with TensorFlow {version} (see make compat)")
    done = subprocess.run(
        [str(python), str(_READ_BACK), str(manifest)],
        cwd=manifest.parent,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert f"TensorFlow {version} read" in done.stdout
    print(done.stdout)
