"""tf.estimator on TensorFlow 2.16 and later, which no longer have it.

tensorflow-estimator 2.15.0 still installs beside any TensorFlow. `enable_estimator`
puts in place what it misses there, and `tf.estimator` is back; what is put in place is
in `tf_private/estimator_runtime`. On TensorFlow 2.12 to 2.15 nothing is done.

`prepare` and `offer` do the same for TensorFlow that is yet to be imported: a command
that runs a user's code must not import it before that code does.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Optional

from estimator_ckpt.bundle import install_hints
from estimator_ckpt.tf_private.estimator_runtime import installation, legacy_keras
from estimator_ckpt.tf_private.estimator_runtime.refusals import (
    EstimatorUnavailableError as EstimatorUnavailableError,
)
from estimator_ckpt.tf_private.estimator_runtime.refusals import (
    NotInRuntimeError as NotInRuntimeError,
)

# The rest is loaded where TensorFlow needs it, which 2.12 to 2.15 do not.
if TYPE_CHECKING:
    from estimator_ckpt.tf_private.estimator_runtime import import_hook

#: What is raised for what cannot be had here: one line each.
REFUSALS = (EstimatorUnavailableError, NotInRuntimeError)

OLDEST = (2, 12)  # TensorFlow
ESTIMATOR = (2, 15)  # tensorflow-estimator, beside TensorFlow 2.16 and later
_watcher: Optional[import_hook.Watcher] = None
_is_prepared = False


def enable_estimator() -> Any:
    """Makes tf.estimator work on TensorFlow 2.16 and later.

    `tf.estimator`, `tf.compat.v1.estimator`, `import tensorflow.estimator`,
    `tensorflow.python.estimator.*` and `tensorflow_estimator` are then as in TensorFlow
    2.15, and `tf.keras` is tf-keras. May be called before or after `import tensorflow`,
    and more than once. On TensorFlow 2.12 to 2.15 it does nothing.

    Returns:
      `tf.estimator`.

    Raises:
      EstimatorUnavailableError: a package is missing or too old, or tf.keras is Keras 3
        in this process already. One line says what to do.
    """
    check()
    if not installation.is_native():
        prepare()
        legacy_keras.settle()
    tensorflow = importlib.import_module("tensorflow")
    return tensorflow.estimator


def check() -> None:
    """Raises where tf.estimator cannot run with what is installed.

    Raises:
      EstimatorUnavailableError: a package is missing or too old.
    """
    problem = next(iter(problems()), None)
    if problem is not None:
        raise EstimatorUnavailableError(problem)


def problems() -> list[str]:
    """What keeps tf.estimator from running here, each in a line; [] if nothing."""
    if not installation.is_there("tensorflow"):
        return [
            f"tf.estimator needs tensorflow, which is not installed: "
            f"{install_hints.install('estimator-ckpt[estimator]')}",
        ]
    found = []
    version = installation.version("tensorflow")
    numbers = installation.numbers(version)
    if numbers and numbers < OLDEST:
        return [
            f"TensorFlow {version} is too old: 2.12 or later is needed "
            f"({install_hints.install('tensorflow', upgrade=True)})"
        ]
    if installation.is_native():
        if not installation.is_there("tensorflow_estimator"):
            wanted = ".".join(map(str, numbers or ESTIMATOR))
            found.append(
                f"tensorflow-estimator is not installed: "
                f"{install_hints.install(f'tensorflow-estimator=={wanted}.*')}"
            )
        return found
    estimator = installation.version("tensorflow_estimator")
    if not installation.is_there("tensorflow_estimator"):
        found.append(
            f"TensorFlow {version} has no tf.estimator of its own, and "
            f"tensorflow-estimator is not installed: "
            f"{install_hints.install('tensorflow-estimator==2.15.0')}"
        )
    elif (installation.numbers(estimator) or ESTIMATOR) < ESTIMATOR:
        found.append(
            f"tensorflow-estimator {estimator} is older than TensorFlow {version} "
            f"allows: {install_hints.install('tensorflow-estimator==2.15.0')}"
        )
    if not installation.is_there("tf_keras"):
        found.append(legacy_keras.missing())
    return found


def prepare() -> None:
    """As `enable_estimator`, for a TensorFlow that this process may import later.

    Imports nothing and raises nothing. Whether TensorFlow needs the runtime is looked
    up when it is imported.
    """
    global _is_prepared
    offer()
    if not _is_prepared and _watcher is not None:
        _is_prepared = True
        if "tensorflow" not in sys.modules:
            _watcher.before("tensorflow", _ask_for_legacy_keras)


def offer() -> None:
    """Offers `tf.estimator` without deciding what `tf.keras` is.

    The decision falls when something of tf.estimator is used: then tf.keras must be
    tf-keras, or not have been used yet. For commands whose user's code may be Estimator
    or Keras 3.
    """
    global _watcher
    if _watcher is not None or _is_native_if_there():
        return
    from estimator_ckpt.tf_private.estimator_runtime import (
        api_names,
        forwarders,
        graph_text,
        import_hook,
        load_context,
        no_tpu,
        older_calls,
        private_names,
    )

    _watcher, provider = import_hook.install()
    _watcher.before("tensorflow", _stand_back_if_native)
    _watcher.before("tensorflow_estimator", _settle_keras)
    provider.provide(forwarders.source)
    parts = (api_names, graph_text, load_context, no_tpu, older_calls, private_names)
    for part in parts:
        part.watch(_watcher)


def quiet_deprecations() -> None:
    """Cuts TensorFlow's deprecation warnings down to one line, where it is prepared."""
    if _watcher is not None:
        from estimator_ckpt.tf_private.estimator_runtime import deprecations

        deprecations.watch(_watcher)


def _is_native_if_there() -> bool:
    """Whether a TensorFlow is loaded that needs no runtime."""
    return "tensorflow" in sys.modules and installation.is_native()


def _ask_for_legacy_keras(tensorflow: ModuleType) -> None:
    if not installation.is_native(tensorflow.__spec__):
        legacy_keras.ask_for()


def _settle_keras(tensorflow_estimator: ModuleType) -> None:
    if not installation.is_native():
        legacy_keras.settle()


def _stand_back_if_native(tensorflow: ModuleType) -> None:
    """Takes the runtime out of the way of a TensorFlow that does not need it."""
    if installation.is_native(tensorflow.__spec__):
        from estimator_ckpt.tf_private.estimator_runtime import import_hook

        import_hook.uninstall()
