"""What happens in a process of `estimator-ckpt run` before the user's code.

Called by `startup/sitecustomize.py`, in the script's process and in the Python
processes that it starts. It loads next to nothing: whether TensorFlow is imported, and
when, is up to the script.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from estimator_ckpt.estimator import runtime

#: Set to the prefix of the Python whose processes run with tf.estimator.
RUN = "ESTIMATOR_CKPT_RUN"
#: Set where TensorFlow's deprecation warnings are to be shown.
WARNINGS = "ESTIMATOR_CKPT_RUN_WARNINGS"
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "startup")


def prepare() -> None:
    """Makes tf.estimator work in this process, once TensorFlow is imported."""
    runtime.prepare()
    if not os.environ.get(WARNINGS):
        runtime.quiet_deprecations()
    _shorten_refusals()


def _shorten_refusals() -> None:
    """Ends a script that asks for what cannot be had with one line and exit code 2."""
    previous = sys.excepthook

    def hook(error_type: type[BaseException], error: BaseException, trace: Any) -> None:
        if not isinstance(error, runtime.REFUSALS):
            previous(error_type, error, trace)
            return
        from estimator_ckpt.cli.user_functions import place

        line = " ".join(str(error).split())
        print(f"estimator-ckpt: error: {line} ({place(error)})", file=sys.stderr)
        raise SystemExit(2)

    sys.excepthook = hook
