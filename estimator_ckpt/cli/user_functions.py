"""What users name on a command line: functions of theirs, and values for them."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from estimator_ckpt.checkpoint import user_files
from estimator_ckpt.cli import keras_choice
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.estimator import runtime


def function(path: str, flag: str) -> Callable[..., Any]:
    """The function that `package.module:function` names.

    Args:
      path: the function's path.
      flag: the flag that gave it, for messages.

    Raises:
      UsageError: the path is malformed, or cannot be imported.
    """
    module_name, colon, function_name = path.partition(":")
    if not (colon and module_name and function_name):
        raise UsageError(f"--{flag}={path}: give it as package.module:function")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # what it likely imports
    runtime.offer()  # the module may use tf.estimator, or Keras of any generation
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        said = keras_choice.reconsider(error, _what(error))
        raise UsageError(
            f"--{flag}={path}: cannot import {module_name!r}: {said}"
        ) from error
    found = getattr(module, function_name, None)
    if not callable(found):
        raise UsageError(
            f"--{flag}={path}: {module_name!r} has no function {function_name!r}"
        )
    return found  # type: ignore[no-any-return]


def params(given: list[str]) -> dict[str, Any]:
    """Hyperparameters from `name=value` texts; values are read as YAML.

    Raises:
      UsageError: one is not of that form.
    """
    found = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not (name and equals):
            raise UsageError(f"--param={item}: give it as name=value")
        try:
            found[name] = user_files.load(
                value.encode("utf-8", "surrogateescape"), item
            )
        except user_files.UserFileError:
            raise UsageError(f"--param={item}: {value!r} is not YAML") from None
    return found


def takes_nothing(given: Callable[..., Any]) -> bool:
    """Whether a function can be called without arguments."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(
        parameter.default is not parameter.empty or parameter.kind in kinds
        for parameter in inspect.signature(given).parameters.values()
    )


def trackable(path: str, flag: str) -> Any:
    """The object that the function at `package.module:function` returns.

    Raises:
      UsageError: as `function`, or it wants arguments, or raises.
    """
    make = function(path, flag)
    if not takes_nothing(make):
        raise UsageError(
            f"--{flag}={path}: the function must return the object when it is called "
            f"without arguments"
        )
    with _reporting(path, flag):
        made = make()
    keras_choice.say(path)
    return made


def for_estimator(path: str, flag: str) -> Callable[..., Any]:
    """As `function`, for a model_fn or an input_fn that a command itself calls.

    What is returned has the arguments that Estimator sees in the function, and raises
    UsageError for whatever the function raises.

    Raises:
      UsageError: as `function`.
      EstimatorUnavailableError: tf.estimator cannot run here.
    """
    runtime.check()
    runtime.prepare()
    given = function(path, flag)
    from estimator_ckpt.tf_private import graph_api  # imports TensorFlow

    def call(*args: Any, **kwargs: Any) -> Any:
        with _reporting(path, flag):
            return given(*args, **kwargs)

    either_way = inspect.Parameter.POSITIONAL_OR_KEYWORD
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, either_way) for name in graph_api.fn_args(given)]
    )
    call.__name__ = getattr(given, "__name__", type(given).__name__)
    return call


@contextlib.contextmanager
def _reporting(path: str, flag: str) -> Iterator[None]:
    """Turns what a user's function raises into UsageError, and prints to stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # ours is for what a command says
            yield
    except Exception as error:
        said = keras_choice.reconsider(error, _what(error))
        raise UsageError(f"--{flag}={path}: {said}") from error


def _what(error: Exception) -> str:
    """An error of the user's code in one line, with the place that raised it."""
    said = " ".join(str(error).split())
    if isinstance(error, ImportError):
        return said
    return f"{type(error).__name__}: {said} ({place(error)})"


def place(error: BaseException) -> str:
    """`train.py:31`: the user's own line that led to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_own(frame.filename)]
    frame = (own or frames)[-1]
    return f"{frame.filename}:{frame.lineno}"


def is_own(path: str) -> bool:
    """Whether a file is the user's: not this package's, nor another's."""
    # By name: packages of a parent environment are elsewhere than sysconfig says.
    is_installed = not {"site-packages", "dist-packages"}.isdisjoint(path.split(os.sep))
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    others = (ours + os.sep, sysconfig.get_path("stdlib"))
    return not is_installed and not path.startswith(("<", *others))
