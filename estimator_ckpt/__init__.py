"""estimator_ckpt: migrate `tf.estimator` jobs and their checkpoints to TensorFlow 2.

The public names are here, and nothing else: each is imported from the module that
defines it when it is first used (PEP 562). Importing this package imports neither
TensorFlow nor NumPy.
"""

from __future__ import annotations

import importlib
import sys

# As in typing, which takes longer to import than all that is here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

__version__ = "0.1.0"

_OLDEST_PYTHON = (3, 9)

_ESTIMATOR = {
    "warm_start_from": "estimator_ckpt.estimator.warm_starts.warm_start",
    "warm_start_settings": "estimator_ckpt.estimator.warm_starts.warm_start",
    "with_scaffold": "estimator_ckpt.estimator.scaffolds",
}
_TENSORFLOW = {
    "scaffold": "estimator_ckpt.estimator.scaffolds",
}
_PLAIN = {
    "CheckpointError": "estimator_ckpt.bundle.errors",
    "average": "estimator_ckpt.conversion.average",
    "convert": "estimator_ckpt.conversion.convert",
    "convert_model_dir": "estimator_ckpt.conversion.model_dirs",
    "diff": "estimator_ckpt.checkpoint.diff",
    # Keras 3 may have another backend than TensorFlow.
    "convert_for": "estimator_ckpt.keras.convert_for",
    "load_into": "estimator_ckpt.keras.load_into",
    "plan_for": "estimator_ckpt.keras.convert_for",
    "enable_estimator": "estimator_ckpt.estimator.runtime",
    "open_checkpoint": "estimator_ckpt.checkpoint.opening",
    "plan": "estimator_ckpt.planning.any_target",
    "slim": "estimator_ckpt.conversion.slim",
    "suggest": "estimator_ckpt.planning.any_target",
    "verify": "estimator_ckpt.checkpoint.verify",
    "warm_start_model_dir": "estimator_ckpt.conversion.first_checkpoint",
    "write_report": "estimator_ckpt.reports.report_file",
}
_MODULES = {
    "flags": "estimator_ckpt.cli.flags",
}

_DEFINED_IN = {**_ESTIMATOR, **_TENSORFLOW, **_PLAIN}

__all__ = ["__version__", *sorted({**_DEFINED_IN, **_MODULES})]

if TYPE_CHECKING:
    from estimator_ckpt.bundle.errors import CheckpointError as CheckpointError
    from estimator_ckpt.checkpoint.diff import diff as diff
    from estimator_ckpt.checkpoint.opening import open_checkpoint as open_checkpoint
    from estimator_ckpt.checkpoint.verify import verify as verify
    from estimator_ckpt.cli import flags as flags
    from estimator_ckpt.conversion.average import average as average
    from estimator_ckpt.conversion.convert import convert as convert
    from estimator_ckpt.conversion.first_checkpoint import (
        warm_start_model_dir as warm_start_model_dir,
    )
    from estimator_ckpt.conversion.model_dirs import (
        convert_model_dir as convert_model_dir,
    )
    from estimator_ckpt.conversion.slim import slim as slim
    from estimator_ckpt.estimator.runtime import enable_estimator as enable_estimator
    from estimator_ckpt.estimator.scaffolds import scaffold as scaffold
    from estimator_ckpt.estimator.scaffolds import with_scaffold as with_scaffold
    from estimator_ckpt.estimator.warm_starts.warm_start import (
        warm_start_from as warm_start_from,
    )
    from estimator_ckpt.estimator.warm_starts.warm_start import (
        warm_start_settings as warm_start_settings,
    )
    from estimator_ckpt.keras.convert_for import convert_for as convert_for
    from estimator_ckpt.keras.convert_for import plan_for as plan_for
    from estimator_ckpt.keras.load_into import load_into as load_into
    from estimator_ckpt.planning.any_target import plan as plan
    from estimator_ckpt.planning.any_target import suggest as suggest
    from estimator_ckpt.reports.report_file import write_report as write_report


def __getattr__(name: str) -> Any:
    value: Any
    problem = _problem_of_python()
    if problem and name in __all__:
        raise ImportError(problem)
    if name in _MODULES:
        value = importlib.import_module(_MODULES[name])
    elif name in _DEFINED_IN:
        if name in _ESTIMATOR:
            from estimator_ckpt.estimator.runtime import enable_estimator

            enable_estimator()
        elif name in _TENSORFLOW:
            _require_tensorflow(name)
        value = getattr(importlib.import_module(_DEFINED_IN[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _problem_of_python() -> Optional[str]:
    """One line if this Python is too old, as that of TensorFlow 1.15 (3.7) is.

    pip would not install it there, but a clone's modules can be found.
    """
    if sys.version_info >= _OLDEST_PYTHON:
        return None
    return (
        f"estimator_ckpt needs CPython {'.'.join(map(str, _OLDEST_PYTHON))} or later, "
        f"and this is {sys.version.split()[0]}: it reads what TensorFlow 1 wrote from "
        f"an environment of its own"
    )


def __dir__() -> list[str]:
    return sorted(__all__)


def _require_tensorflow(name: str) -> None:
    """Raises an ImportError that says what to install, if TensorFlow is missing."""
    from importlib.util import find_spec

    if find_spec("tensorflow") is None:
        from estimator_ckpt.bundle import install_hints

        raise ImportError(
            f"estimator_ckpt.{name} needs tensorflow: "
            f"{install_hints.install('tensorflow')}"
        )
