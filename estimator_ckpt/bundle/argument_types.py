"""What may be given to a public function, read from how it declares its parameters.

A wrong type is one line where it was given, not the TypeError of what comes to use it.
"""

from __future__ import annotations

import functools
import os
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar, cast

from estimator_ckpt.bundle.errors import CheckpointError

_Function = TypeVar("_Function", bound=Callable[..., Any])


class ArgumentError(CheckpointError, TypeError):
    """An argument of a type that a function does not take."""


class _Declared(NamedTuple):
    """What an annotation of a parameter means.

    Attributes:
      words: what must be given, for messages.
      takes: whether a value is that.
    """

    words: str
    takes: Callable[[Any], bool]


def checked(function: _Function) -> _Function:
    """Decorates a public function: it says which argument is none of what it takes.

    Raises:
      ArgumentError: (when it is called) an argument is of another type than declared.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        _check(function, args, kwargs)
        return function(*args, **kwargs)

    return cast(_Function, call)


def _check(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    # As `inspect.signature` would tell it, whose import takes 6 ms.
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    if len(args) > len(positional) or not kwargs.keys().isdisjoint(
        positional[: len(args)]
    ):
        return  # one too many, which Python says by name
    for name, value in (*zip(positional, args), *kwargs.items()):
        declared, or_none = function.__annotations__.get(name, ""), ""
        if declared.startswith("Optional["):
            declared, or_none = declared[len("Optional[") : -1], " or None"
        meant = _DECLARED.get(declared)
        if meant is None or (or_none and value is None):
            continue
        if not meant.takes(value):
            raise ArgumentError(
                f"{function.__name__}({name}={reprlib.repr(value)}): it is of the type "
                f"{type(value).__name__}; give {meant.words}{or_none}"
            )


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike))


def _is_flag(value: Any) -> bool:
    """NumPy's bools and the numbers 0 and 1 are as good; text, as "no", is none."""
    return isinstance(value, int) or type(value).__name__ in ("bool", "bool_")


def _is_number(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are(is_one: Callable[[Any], bool], value: Any) -> bool:
    """Whether it is several of something; an iterator is looked at when it is used."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(is_one, value))
    return isinstance(value, Iterable) and not isinstance(value, (bytes, Mapping))


def _is_pattern(value: Any) -> bool:
    if isinstance(value, re.Pattern):
        value = value.pattern
    return isinstance(value, str)


def _are_patterns(value: Any) -> bool:
    return value is None or _is_pattern(value) or _are(_is_pattern, value)


def _are_paths(value: Any) -> bool:
    return _is_path(value) or _are(_is_path, value)


def _are_vocabularies(value: Any) -> bool:
    infos = value.values() if isinstance(value, Mapping) else [None]
    return all(hasattr(info, "new_vocab") for info in infos)


_PATH = _Declared("a path, as a str or an os.PathLike", _is_path)
_PATTERNS = _Declared("a regex as a str, a list of them or None", _are_patterns)
#: By annotation, without `Optional[]`; what is not here is checked where it is used.
_DECLARED = {
    "files.PathLike": _PATH,
    "Sources": _Declared("a path, or a list of paths", _are_paths),
    "str": _Declared("a str", _is_text),
    "bool": _Declared("True or False", _is_flag),
    "int": _Declared("a whole number", _is_number),
    "Patterns": _PATTERNS,
    "Regexes": _PATTERNS,
    "Union[bool, Regexes]": _Declared(
        "True, False, a regex as a str or a list of them",
        lambda value: _is_flag(value) or _are_patterns(value),
    ),
    "files.Progress": _Declared("a function of a number of bytes", callable),
    "carried_values.Vocabularies": _Declared(
        "a dict of tf.estimator.VocabInfo by variable name", _are_vocabularies
    ),
    "Callable[..., Any]": _Declared("a function", callable),
}
