"""YAML and JSON that users write: assignment maps, layout rules, values of flags.

Read with PyYAML's safe loader (JSON is YAML as far as these files go), within bounds: a
file of a few bytes must not take the memory or the time of a large one. Aliases count
as often as they stand for something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Optional

from estimator_ckpt.bundle.errors import CheckpointError

# Far more than any map or list of rules has.
_MOST_BYTES = 4 << 20
_MOST_VALUES = 200_000
_LONGEST_VALUE = 10_000
_MOST_DIGITS = 80
_DEEPEST = 40


class UserFileError(CheckpointError):
    """What a user wrote is not YAML, or more than can be meant."""


def compose(content: bytes, where: str) -> Optional[Any]:
    """The root node of a YAML document, whose nodes know their lines.

    Args:
      content: the bytes of the file, UTF-8.
      where: what to call the file in errors.

    Returns:
      The node, or None if the document is empty.

    Raises:
      UserFileError: it is no YAML, or too large, too deep or too long; names the line.
    """
    import yaml  # 15 ms that a conversion without a map need not spend

    if len(content) > _MOST_BYTES:
        raise UserFileError(
            f"{where}: has {len(content)} bytes; {_MOST_BYTES} can be read"
        )
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = content.decode("utf-8")
        _check_events(yaml.parse(text, Loader=loader), where)
        node = yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise UserFileError(f"{where}{line}: not YAML: {problem}") from None
    if node is not None:
        _expanded(node, 0, {}, where)
    return node


def load(content: bytes, where: str) -> Any:
    """The values in a YAML document: dicts, lists, strings, numbers, None.

    Args:
      content: the bytes of the file, UTF-8.
      where: what to call the file in errors.

    Raises:
      UserFileError: as `compose`, or a value is none of YAML's.
    """
    node = compose(content, where)
    if node is None:
        return None
    from yaml import YAMLError
    from yaml.constructor import SafeConstructor

    construct: Callable[[Any], Any] = SafeConstructor().construct_document
    try:
        return construct(node)
    except (YAMLError, ValueError, OverflowError, RecursionError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise UserFileError(f"{where}{line}: not YAML: {problem}") from None


def _check_events(events: Any, where: str) -> None:
    """Holds a document to the bounds before anything is made of it."""
    depth = 0
    for count, event in enumerate(events):
        event_type = type(event).__name__
        depth += event_type.endswith("StartEvent") - event_type.endswith("EndEvent")
        if depth > _DEEPEST or count > 2 * _MOST_VALUES:
            raise _too_much(event, where)
        if len(getattr(event, "value", "")) > _LONGEST_VALUE:
            raise UserFileError(
                f"{where}:{event.start_mark.line + 1}: a value of {len(event.value)} "
                f"characters; {_LONGEST_VALUE} can be read"
            )


def _expanded(
    node: Any, depth: int, known: dict[int, Optional[tuple[int, int]]], where: str
) -> tuple[int, int]:
    """How many values a node stands for with its aliases, and how deep it is."""
    number = id(node)
    if number in known:
        found = known[number]
        if found is None:  # an alias of what it is in
            raise _too_much(node, where)
    else:
        known[number] = None
        _check_number(node, where)
        if depth > _DEEPEST:
            raise _too_much(node, where)
        children = _children(node)
        parts = [_expanded(child, depth + 1, known, where) for child in children]
        size = 1 + sum(size for size, _ in parts)
        found = (size, 1 + max([height for _, height in parts], default=0))
        known[number] = found
    if found[0] > _MOST_VALUES or depth + found[1] > _DEEPEST + 1:
        raise _too_much(node, where)
    return found


def _children(node: Any) -> Iterable[Any]:
    """The nodes right below one: a list's items, a mapping's keys and values."""
    if node.id == "mapping":
        return [part for pair in node.value for part in pair]
    found: Iterable[Any] = node.value if node.id == "sequence" else ()
    return found


def _check_number(node: Any, where: str) -> None:
    if node.tag.endswith(":int") and len(node.value) > _MOST_DIGITS:
        raise UserFileError(
            f"{where}:{node.start_mark.line + 1}: a number of {len(node.value)} digits"
        )


def _too_much(place: Any, where: str) -> UserFileError:
    return UserFileError(
        f"{where}:{place.start_mark.line + 1}: lists within lists deeper than "
        f"{_DEEPEST}, or more than {_MOST_VALUES} values"
    )
