"""What the variables of an object-based checkpoint are called: `names=`, `--names`."""

from __future__ import annotations

import enum
from typing import Union


class NamesBy(enum.Enum):
    """Where the names of an object-based checkpoint's variables come from."""

    #: The object graph's full names; the path where TensorFlow made the name up.
    FULL_NAME = "full_name"
    #: Their unescaped object paths, which are unique.
    PATH = "path"


#: One of `NamesBy`, or its value.
NamesLike = Union[str, NamesBy]

#: What users may say.
CHOICES = tuple(names_by.value for names_by in NamesBy)


def parse(given: NamesLike) -> NamesBy:
    """What a user says with `names=`.

    Raises:
      ValueError: it is neither.
    """
    try:
        return NamesBy(given)
    except ValueError:
        raise ValueError(
            f"unknown names {given!r}: use {' or '.join(map(repr, CHOICES))}"
        ) from None
