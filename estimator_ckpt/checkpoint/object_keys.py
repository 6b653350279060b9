"""Variable names and object keys: the one place that knows how they map.

A *variable name* (`dense/kernel`) is a key of a name-based (TF1) checkpoint. An
*object key* is a path through the object graph of a TF2 checkpoint, each step
escaped, with the attribute that holds the value behind it:

    var_list/dense.Skernel/.ATTRIBUTES/VARIABLE_VALUE

The keys that this toolkit writes are those of
`tf.train.Checkpoint(var_list={name: variable}, step=global_step)`.

Source: TensorFlow's `escape_local_name` and the keys that TensorFlow 2.15.1 writes
(`tensorflow/python/trackable/trackable_utils.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Optional

ROOT = "var_list"
STEP = "step"
SAVE_COUNTER = "save_counter"
GLOBAL_STEP = "global_step"

OBJECT_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
VARIABLE_VALUE = "VARIABLE_VALUE"
ATTRIBUTES = ".ATTRIBUTES"
OPTIMIZER_SLOT = ".OPTIMIZER_SLOT"

#: Names of the root's children that hold a dictionary of variables by TF1 name:
#: this toolkit's and the guide's `var_list`, and the guide's converter's `vars`.
NAME_DICTIONARIES = (ROOT, "vars")

#: What hash tables append to their names for their two tensors.
TABLE_ENTRIES = ("-keys", "-values")

_VALUE_SUFFIX = f"/{ATTRIBUTES}/{VARIABLE_VALUE}"
_MOST_SCOPES = 100
_ESCAPED = re.compile(r"\.(.?)", re.DOTALL)
_UNINFORMATIVE = re.compile(r"(Variable(_\d+)?)?")


def endings(name: str) -> Iterator[str]:
    """A name, and what is left of it without leading scopes: `a/b/c`, `b/c`, `c`.

    Without at most 100 of them: no model has more, and of a name that consists of
    slashes there would be as many endings, each as long as the name.
    """
    yield name
    start = 0
    for _ in range(_MOST_SCOPES):
        start = name.find("/", start) + 1
        if not start:
            return
        yield name[start:]


def escape(local_name: str) -> str:
    """One step of an object path as it stands in a key: `a.b/c` -> `a..b.Sc`."""
    return local_name.replace(".", "..").replace("/", ".S")


def unescape(escaped: str) -> str:
    """The exact inverse of `escape`: `a..b.Sc` -> `a.b/c`.

    Raises:
      ValueError: `escaped` holds a `.` that is followed by neither `.` nor `S`,
        which `escape` never produces (`.ATTRIBUTES` and `.OPTIMIZER_SLOT` do).
    """

    def original(match: re.Match[str]) -> str:
        if match[1] == ".":
            return "."
        if match[1] == "S":
            return "/"
        raise ValueError(f"{escaped!r} is not an escaped name: {match[0]!r} in it")

    return _ESCAPED.sub(original, escaped)


def object_key(*path: str) -> str:
    """The object key of the node at `path` (unescaped local names from the root)."""
    return "/".join([*map(escape, path), ATTRIBUTES, VARIABLE_VALUE])


def variable_key(name: str, root: str = ROOT) -> str:
    """The object key that this toolkit gives a variable."""
    return variable_keys(root)(name)


def variable_keys(root: str = ROOT) -> Callable[[str], str]:
    """What gives variables of a dictionary their object keys, by their names."""
    before = f"{escape(root)}/"
    return lambda name: f"{before}{escape(name)}{_VALUE_SUFFIX}"


STEP_KEY = object_key(STEP)
SAVE_COUNTER_KEY = object_key(SAVE_COUNTER)


def is_object_key(key: str) -> bool:
    """Whether `key` is where an object-based checkpoint keeps an attribute."""
    return f"/{ATTRIBUTES}/" in key


def path_of(key: str) -> Optional[str]:
    """The unescaped object path of an object key: `v/a.Sb/.ATTR...` -> `v/a/b`.

    Slot variables, whose key goes through `.OPTIMIZER_SLOT`, keep that step as it
    is. Returns None for a key that is no variable's object key.
    """
    return node_path(key) if key.endswith(_VALUE_SUFFIX) else None


def node_path(key: str) -> Optional[str]:
    """The unescaped object path of whatever has an attribute under this key."""
    path, attributes, _ = key.rpartition(f"/{ATTRIBUTES}/")
    if not attributes:
        return None
    steps = path.split("/")
    try:
        return "/".join(s if s == OPTIMIZER_SLOT else unescape(s) for s in steps)
    except ValueError:
        return None


def says_nothing(full_name: str) -> bool:
    """Whether TensorFlow made up a full name: none, `Variable` or `Variable_3`.

    The guide's converter saves every variable under the full name `Variable`.
    """
    return _UNINFORMATIVE.fullmatch(full_name) is not None
