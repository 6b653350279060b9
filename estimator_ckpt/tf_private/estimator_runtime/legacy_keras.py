"""`tf.keras` as Estimator needs it: tf-keras, not Keras 3.

TensorFlow 2.16 and later reads TF_USE_LEGACY_KERAS twice: when it is imported, to put a
Keras's folders into its `__path__`, and when something of `tf.keras` (or `tf.losses`,
`tf.compat.v1.layers`, ...) is used first, to load that Keras. What was not used yet can
still be turned over to tf-keras.

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import Any

from estimator_ckpt.bundle import install_hints, logs
from estimator_ckpt.tf_private.estimator_runtime import installation
from estimator_ckpt.tf_private.estimator_runtime.refusals import (
    EstimatorUnavailableError,
)

VARIABLE = "TF_USE_LEGACY_KERAS"
_YES = ("1", "true", "True")  # what TensorFlow takes for yes


def is_asked_for() -> bool:
    """Whether TensorFlow would take tf-keras for tf.keras."""
    return os.environ.get(VARIABLE) in _YES


def ask_for() -> None:
    """Makes the TensorFlow that is imported next take tf-keras for tf.keras."""
    if is_asked_for():
        return
    given = os.environ.get(VARIABLE)
    if given:
        logs.logger().warning(
            "%s=%s asks for Keras 3, which tf.estimator does not take: it is 1 now",
            VARIABLE,
            given,
        )
    os.environ[VARIABLE] = "1"


def settle() -> None:
    """Makes tf-keras the tf.keras of a TensorFlow that may be imported already.

    Raises:
      EstimatorUnavailableError: tf-keras is not installed, or tf.keras has been used
        as Keras 3 in this process.
    """
    if not installation.is_there("tf_keras"):
        raise EstimatorUnavailableError(missing())
    if is_keras_3_used():
        raise EstimatorUnavailableError(
            "tf.estimator needs tf-keras, but tf.keras is Keras 3 in this process "
            "already: call estimator_ckpt.enable_estimator() before tf.keras is used, "
            f"set {VARIABLE}=1, or start the job with: estimator-ckpt run"
        )
    was_asked_for = is_asked_for()
    ask_for()
    if "tensorflow" in sys.modules and not was_asked_for:
        _turn_paths_over()
        importlib.import_module("tf_keras.src.optimizers")  # as TensorFlow does


def missing() -> str:
    """One line that says that tf-keras is needed, and which to install."""
    return (
        "tf.estimator on TensorFlow 2.16 and later needs tf-keras, which is not "
        f"installed: {to_install()}"
    )


def to_install() -> str:
    """What installs the tf-keras of the TensorFlow that is here."""
    numbers = installation.numbers(installation.version("tensorflow"))
    pinned = "==" + ".".join(map(str, numbers)) + ".*" if numbers else ""
    return install_hints.install(f"tf-keras{pinned}")


def is_keras_3_used() -> bool:
    """Whether a name of TensorFlow's stands for Keras 3 already.

    TensorFlow puts a lazy loader under each such name, and the module itself once it is
    loaded. Looking at an attribute of a loader loads it: only their `vars` are read.
    """
    for name, module in list(sys.modules.items()):
        if module is None or name.partition(".")[0] != "tensorflow":
            continue
        if name.endswith(".keras") and "_tf_keras" in str(vars(module).get("__file__")):
            return True
        inner = vars(module).get("_tfmw_wrapped_module", module)
        for value in list(vars(inner).values()):
            if isinstance(value, ModuleType) and _is_keras_3(vars(value)):
                return True
    return False


def _is_keras_3(attributes: dict[str, Any]) -> bool:
    """Whether a module, or a lazy loader, is (of) Keras 3; by its `vars`."""
    if "_tfll_initialized" in attributes:
        return attributes.get("_tfll_keras_version") == "keras_3"
    return str(attributes.get("__name__", "")).startswith("keras._tf_keras")


def _turn_paths_over() -> None:
    """Puts tf-keras's folders before Keras's in the `__path__` of TensorFlow's API.

    `import tensorflow.keras` looks there. With the variable set beforehand, TensorFlow
    writes .../tf_keras/api/... where it wrote .../keras/api/....
    """
    separator = os.sep
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "tensorflow" or module is None:
            continue
        path = getattr(module, "__path__", None)
        if isinstance(path, list) and any(
            f"{separator}keras{separator}api" in p for p in path
        ):
            module.__path__ = [
                part.replace(
                    f"{separator}keras{separator}api",
                    f"{separator}tf_keras{separator}api",
                )
                for part in path
            ]
