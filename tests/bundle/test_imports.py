"""What importing the bundle costs: not TensorFlow, not NumPy, not even protobuf."""

import pathlib
import subprocess
import sys

import pytest

import estimator_ckpt

MODULES = [
    "estimator_ckpt.bundle",
    *(
        f"estimator_ckpt.bundle.{path.stem}"
        for path in sorted(
            pathlib.Path(estimator_ckpt.__path__[0], "bundle").glob("[a-z]*.py")
        )
    ),
]
HEAVY = ("tensorflow", "numpy", "rich", "ml_dtypes", "google.protobuf", "yaml")


def _modules_after(program):
    output = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=pathlib.Path(estimator_ckpt.__path__[0]).parent,
    ).stdout
    return set(output.split())


@pytest.mark.parametrize("module", MODULES)
def test_importing_brings_in_nothing_heavy(module):
    loaded = _modules_after(f"import {module}")
    assert loaded.isdisjoint(HEAVY)
    assert "importlib.metadata" not in loaded


def test_listing_and_verifying_needs_neither_numpy_nor_tensorflow(tmp_path):
    import numpy as np

    from estimator_ckpt.bundle.writer import write_bundle

    prefix = tmp_path / "model.ckpt"
    write_bundle(prefix, {"a": np.ones(3), "b": np.array([b"text"], object)})
    loaded = _modules_after(
        "from estimator_ckpt.bundle.reader import BundleReader\n"
        f"reader = BundleReader({str(prefix)!r})\n"
        "assert [e.dtype_name for e in reader.index.values()]\n"
        "for key in reader.index.records: reader.verify(key)\n"
    )
    assert loaded.isdisjoint(("tensorflow", "numpy", "rich", "ml_dtypes"))
