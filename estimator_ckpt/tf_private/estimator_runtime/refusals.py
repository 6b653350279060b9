"""What cannot be had here, as exceptions of one line."""

from __future__ import annotations

from typing import Any, NoReturn


class EstimatorUnavailableError(ImportError):
    """tf.estimator cannot run with what is installed, or loaded, here."""


class NotInRuntimeError(NotImplementedError):
    """A part of tf.estimator that TensorFlow no longer has, and nothing replaces."""


def refuse(what: str, instead: str) -> NoReturn:
    """Says that a part of TensorFlow is gone.

    Args:
      what: the part, as a user would name it.
      instead: what to do.

    Raises:
      NotInRuntimeError: always.
    """
    raise NotInRuntimeError(
        f"{what} does not work on TensorFlow 2.16 and later: {instead}"
    )


def refused_class(name: str, what: str, instead: str) -> type:
    """A class that can be named, imported and tested for, but not made."""

    def refuse_to_be_made(self: Any, *args: Any, **kwargs: Any) -> None:
        refuse(what, instead)

    return type(name, (), {"__init__": refuse_to_be_made})


def refused_function(name: str, what: str, instead: str) -> Any:
    """A function that can be imported, but not called."""

    def refuse_to_be_called(*args: Any, **kwargs: Any) -> None:
        refuse(what, instead)

    refuse_to_be_called.__name__ = refuse_to_be_called.__qualname__ = name
    return refuse_to_be_called
