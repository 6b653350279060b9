"""Which Keras is `tf.keras` for an object that a user's function makes.

On TensorFlow 2.16 and later it is Keras 3, unless TF_USE_LEGACY_KERAS=1 is set before
TensorFlow is imported: then it is tf-keras, which is Keras 2. An object of Keras 3 must
stay one, and only the function knows what it needs. So it is called with Keras 3, as
`python` would call it; where it fails over that, the command begins anew in tf-keras,
and says so. A variable that is set decides, and so does a job: an Estimator takes
tf-keras only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import NoReturn, Optional

from estimator_ckpt.bundle.printing import one_line
from estimator_ckpt.tf_private.estimator_runtime import installation, legacy_keras
from estimator_ckpt.tf_private.estimator_runtime.refusals import (
    EstimatorUnavailableError,
)

#: What the function raised with Keras 3, in the process that begins anew.
KERAS_3_ERROR = "ESTIMATOR_CKPT_KERAS_3_ERROR"
_KERAS = {"tensorflow", "keras"}  # packages
_MAIN = "from estimator_ckpt.cli.main import main; main()"

_keras_3_error: Optional[str] = os.environ.pop(KERAS_3_ERROR, None)


class NeedsTfKerasError(Exception):
    """A command is to begin anew, with tf-keras as tf.keras: see `begin_anew`."""


def reconsider(error: BaseException, said: str) -> str:
    """What to say of an error of a user's function, if tf-keras cannot mend it.

    Args:
      error: what the function raised.
      said: the error in one line.

    Raises:
      NeedsTfKerasError: with tf-keras the function may run.
    """
    if _keras_3_error is not None:
        is_other = _keras_3_error != said
        return f"{said}; with Keras 3: {_keras_3_error}" if is_other else said
    if not (_may_change() and concerns_keras(error)):
        return said
    if not installation.is_there("tf_keras"):
        return f"{said}; if it is for Keras 2: {legacy_keras.to_install()}"
    raise NeedsTfKerasError(said) from error


def say(path: str) -> None:
    """Says that tf.keras is tf-keras for the function at `path`, if it had to be."""
    if _keras_3_error is not None:
        text = (
            f"estimator-ckpt: {path} runs with tf-keras as tf.keras, which was decided "
            f"because with Keras 3: {_keras_3_error} ({legacy_keras.VARIABLE}=0 or 1 "
            f"decides beforehand)"
        )
        print(one_line(text), file=sys.stderr)


def concerns_keras(error: BaseException) -> bool:
    """Whether another Keras might keep an error from being raised."""
    return any(_is_of_keras(each) for each in _chain(error))


def begin_anew(error: NeedsTfKerasError, arguments: Sequence[str]) -> NoReturn:
    """Replaces this process by one of the same command, with tf-keras as tf.keras."""
    from estimator_ckpt.cli.commands import run_command

    os.environ[legacy_keras.VARIABLE] = "1"
    os.environ[KERAS_3_ERROR] = str(error)
    sys.stdout.flush()
    sys.stderr.flush()
    code = f"import sys; sys.path[:] = {sys.path!r}; {_MAIN}"
    options = run_command.python_options()
    os.execv(sys.executable, [sys.executable, *options, "-c", code, *arguments])


def _may_change() -> bool:
    """Whether tf.keras was used as Keras 3, with nobody having asked for it."""
    return (
        "tensorflow" in sys.modules
        and not installation.is_native()
        and not os.environ.get(legacy_keras.VARIABLE)
        and legacy_keras.is_keras_3_used()
    )


def _is_of_keras(error: BaseException) -> bool:
    """Whether an error is about what a module has, or came up inside of Keras."""
    if isinstance(error, (AttributeError, TypeError, EstimatorUnavailableError)):
        return True
    if isinstance(error, ImportError) and error.name:
        return error.name.partition(".")[0] in _KERAS
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        if module.partition(".")[0] in _KERAS:
            return True
        trace = trace.tb_next
    return False


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those in whose handling it was raised."""
    seen: list[BaseException] = []
    following: Optional[BaseException] = error
    while following is not None and following not in seen:
        seen.append(following)
        yield following
        following = following.__cause__ or following.__context__
