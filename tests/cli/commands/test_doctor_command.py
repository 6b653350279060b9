"""estimator-ckpt doctor: what it says of what is installed.

The packages that a situation names are folders with a version and nothing else; what
imports them is the last case, with those that are really here.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

FAMILY = ("tensorflow", "tensorflow_estimator", "tf_keras", "keras")
IN_A_PLACE = f"""
import importlib.util, sys
sys.path[:0] = [{REPOSITORY!r}]
family, folder, find = {FAMILY!r}, sys.argv.pop(1), importlib.util.find_spec
def find_spec(name, package=None):
    if name == "google.protobuf":
        raise ModuleNotFoundError("No module named 'google'")  # as without protobuf
    spec = find(name, package)
    hides = name in family and spec and not str(spec.origin).startswith(folder)
    return None if hides else spec
importlib.util.find_spec = find_spec
sys.path.insert(0, folder)
from estimator_ckpt.cli.main import main
main()
"""


def doctor(folder, packages, *arguments):
    """Runs doctor where only `packages`, by version, are to be found."""
    for package, version in packages.items():
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text(f"__version__ = {version!r}")
        if package == "tensorflow" and version < "2.16":
            native = folder / package / "python" / "distribute"
            native.mkdir(parents=True)
            (native / "estimator_training.py").touch()
        name = package.replace("_", "-")
        about = folder / f"{package}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    return subprocess.run(
        [sys.executable, "-c", IN_A_PLACE, str(folder), "doctor", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


NEWEST = {"tensorflow": "2.21.0", "tensorflow_estimator": "2.15.0", "keras": "3.15.1"}


@pytest.mark.parametrize(
    ("packages", "says"),
    [
        ({}, "tf.estimator needs tensorflow, which is not installed"),
        ({"tensorflow": "2.11.1"}, "TensorFlow 2.11.1 is too old: 2.12 or later"),
        (
            {"tensorflow": "2.14.1"},
            "pip install 'tensorflow-estimator==2.14.*'",
        ),
        (
            {"tensorflow": "2.21.0", "tf_keras": "2.21.0"},
            "pip install tensorflow-estimator==2.15.0",
        ),
        (
            {
                "tensorflow": "2.21.0",
                "tensorflow_estimator": "2.14.0",
                "tf_keras": "2.21.0",
            },
            "tensorflow-estimator 2.14.0 is older than TensorFlow 2.21.0 allows",
        ),
        (NEWEST, "pip install 'tf-keras==2.21.*'"),
        ({**NEWEST, "tf_keras": "2.21.0"}, "importing tf.estimator fails: "),
    ],
)
def test_what_keeps_jobs_from_running_is_a_line(packages, says, tmp_path):
    done = doctor(tmp_path, packages)
    assert done.returncode == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len([line for line in lines if says in line]) == 1
    assert lines[-1] == "tf.estimator jobs do not run here"
    for version in packages.values():
        assert version in done.stdout


def test_a_file_that_hides_a_package_is_named(tmp_path):
    (tmp_path / "tensorflow.py").write_text('raise ImportError("one\\n  two\\nthree")')
    done = subprocess.run(
        [sys.executable, "-m", "estimator_ckpt", "doctor"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    (failure,) = (line for line in done.stdout.splitlines() if "fails" in line)
    assert failure == "importing tf.estimator fails: ImportError: one   two three"
    assert f"tensorflow is imported from {tmp_path / 'tensorflow.py'}" in done.stdout


@pytest.mark.parametrize(
    ("tf_keras", "says"),
    [
        ("2.15.0", "tf-keras 2.15.0 is tf.keras in a job; `import tf_keras` elsewhere"),
        ("2.18.0", "tf-keras 2.18.0 is not the one for this TensorFlow"),
        ("2.21.0", None),
    ],
)
def test_another_tf_keras_is_a_remark(tf_keras, says, tmp_path):
    done = doctor(tmp_path, {**NEWEST, "tf_keras": tf_keras}, "--json")
    found = json.loads(done.stdout)
    about = [remark for remark in found["remarks"] if remark.startswith("tf-keras")]
    assert len(about) == (says is not None)
    if says:
        assert about[0].startswith(says)
        assert "pip install 'tf-keras==2.21.*'" in about[0]
    assert any("which Estimator does not take" in r for r in found["remarks"])
    assert any("TPU" in line for line in found["unsupported"])


def test_what_is_here_is_told_and_jobs_run():
    import tensorflow as tf

    done = subprocess.run(
        [sys.executable, "-m", "estimator_ckpt", "doctor", "--json"],
        cwd=REPOSITORY,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = json.loads(done.stdout)
    assert done.returncode == 0, found
    is_native = tf.__version__ < "2.16"
    assert found["estimator"] == ("native" if is_native else "runtime")
    assert found["versions"]["tensorflow"] == tf.__version__
    assert found["versions"]["python"] == sys.version.split()[0]
    assert found["versions"]["tensorflow_estimator"].startswith("2.")
    assert found["problems"] == []
    assert bool(found["unsupported"]) == (not is_native)
