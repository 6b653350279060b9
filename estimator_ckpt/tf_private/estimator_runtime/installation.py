"""What is installed here: TensorFlow, Estimator and Keras, without importing them."""

from __future__ import annotations

import os
import sys
from importlib import util
from importlib.machinery import ModuleSpec
from typing import Optional

#: A module of TensorFlow's that Estimator needs, and that 2.16 removed.
_NATIVE = os.path.join("python", "distribute", "estimator_training.py")
_TENSORFLOW = (
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-intel",
    "tensorflow-gpu",
    "tensorflow-rocm",
    "tensorflow-macos",
    "tensorflow-aarch64",
    "tensorflow-cpu-aws",
    "tf-nightly",
    "tf-nightly-cpu",
)
_DISTRIBUTIONS = {
    "tensorflow": _TENSORFLOW,
    "tensorflow_estimator": ("tensorflow-estimator", "tf-estimator-nightly"),
    "tf_keras": ("tf-keras", "tf_keras", "tf-keras-nightly"),
    "keras": ("keras", "keras-nightly"),
    "google.protobuf": ("protobuf",),
}


def spec(package: str) -> Optional[ModuleSpec]:
    """Where a package is, or None; the package is not imported."""
    loaded = sys.modules.get(package)
    if loaded is not None:
        return getattr(loaded, "__spec__", None)
    try:
        return util.find_spec(package)
    except ModuleNotFoundError:  # the package that it is in is not there
        return None


def is_there(package: str) -> bool:
    """Whether a package can be imported."""
    return spec(package) is not None


def version(package: str) -> Optional[str]:
    """The version of a package, None if it is not there or says none."""
    loaded = getattr(sys.modules.get(package), "__version__", None)
    if loaded is not None:
        return str(loaded)
    if not is_there(package):
        return None
    from importlib import metadata  # which is slow to load

    for distribution in _DISTRIBUTIONS.get(package, (package,)):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return _version_of_any(package)


def _version_of_any(package: str) -> Optional[str]:
    """The version of whichever distribution brings a package: builds of one's own."""
    from importlib import metadata

    for distribution in metadata.distributions():
        top_level = distribution.read_text("top_level.txt") or ""
        if package in top_level.split():
            return distribution.version
    return None


def numbers(text: Optional[str]) -> tuple[int, ...]:
    """Major and minor of a version: (2, 15); () for None and for what is no version."""
    parts = (text or "").split(".")[:2]
    return tuple(int(part) for part in parts) if all(map(str.isdigit, parts)) else ()


def is_native(found: Optional[ModuleSpec] = None) -> bool:
    """Whether TensorFlow has what Estimator needs, as 2.15 and earlier do.

    Args:
      found: TensorFlow's spec, where it is known.
    """
    found = found or spec("tensorflow")
    if found is None:
        return False
    where = found.submodule_search_locations or []
    return any(os.path.exists(os.path.join(path, _NATIVE)) for path in where)
