"""Modules of TensorFlow's whose contents are in tensorflow-estimator.

Up to 2.15 TensorFlow had modules of these names that only forwarded. User code imports
them, and Estimator imports four that TensorFlow removed: ours take their place.

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0.
"""

from __future__ import annotations

from typing import Optional

_OURS = "estimator_ckpt.tf_private.estimator_runtime"
_THEIRS = "tensorflow_estimator.python.estimator"
_SOURCES = {
    "tensorflow.python.distribute.estimator_training": f"{_OURS}.estimator_training",
    "tensorflow.python.tpu.tpu_embedding": f"{_OURS}.tpu_embedding",
    "tensorflow.python.tpu.tpu_embedding_gradient": (f"{_OURS}.tpu_embedding_gradient"),
    "tensorflow.python.tpu.session_support": f"{_OURS}.session_support",
    "tensorflow.python.estimator.keras": f"{_THEIRS}.keras_lib",
    **{
        f"tensorflow.python.tpu.{name}": f"{_THEIRS}.tpu.{name}"
        for name in (
            "error_handling",
            "tpu_config",
            "tpu_context",
            "tpu_estimator",
            "util",
        )
    },
}
_PREFIX = "tensorflow.python.estimator"


def source(name: str) -> Optional[str]:
    """The module with the contents of a module that TensorFlow had, or None."""
    if name == _PREFIX or name.startswith(f"{_PREFIX}."):
        return _SOURCES.get(name, _THEIRS + name[len(_PREFIX) :])
    return _SOURCES.get(name)
