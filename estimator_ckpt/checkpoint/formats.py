"""The formats of a checkpoint: which keys each has, and what follows from that.

Whoever needs to know what a format means asks its `Format`; nobody compares names. A
new format is one more constant here.
"""

from __future__ import annotations

from typing import NamedTuple, Union


class Format(NamedTuple):
    """A format of checkpoints.

    Attributes:
      name: what users call it.
      has_name_keys: whether every variable has its name as a key: a tf1 Saver reads
        it.
      has_object_keys: whether variables have object keys, and there is an object
        graph: `tf.train.Checkpoint` reads it by objects.
    """

    name: str
    has_name_keys: bool
    has_object_keys: bool

    @property
    def has_both_keys(self) -> bool:
        """Whether each variable has two keys for the same bytes."""
        return self.has_name_keys and self.has_object_keys

    @property
    def keeps_meta(self) -> bool:
        """Whether the graph in a `.meta` file restores from it.

        Without name keys, a stock Saver goes through full names, which loses all parts
        but one of a partitioned variable, without an error.
        """
        return self.has_name_keys

    def __str__(self) -> str:
        return self.name


TF1 = Format("tf1", has_name_keys=True, has_object_keys=False)
TF2 = Format("tf2", has_name_keys=False, has_object_keys=True)
DUAL = Format("dual", has_name_keys=True, has_object_keys=True)

FORMATS = (TF1, TF2, DUAL)
#: What users may say, in the order in which help and errors list it.
CHOICES = tuple(format.name for format in FORMATS)

#: A format, or its name.
FormatLike = Union[str, Format]


def parse(given: FormatLike) -> Format:
    """The format that a user names.

    Raises:
      ValueError: there is no such format.
    """
    for format in FORMATS:
        if given in (format, format.name):
            return format
    raise ValueError(
        f"unknown checkpoint format {given!r}: use one of "
        f"{', '.join(map(repr, CHOICES))}"
    )


def having(*, name_keys: bool, object_keys: bool) -> Format:
    """The format with these keys.

    Raises:
      ValueError: there is none without any.
    """
    for format in FORMATS:
        if (format.has_name_keys, format.has_object_keys) == (name_keys, object_keys):
            return format
    raise ValueError("a checkpoint without name keys and object keys has no format")
