"""What PyTorch calls a tensor: the names of variables, with `.` for `/`."""

from __future__ import annotations

from collections.abc import Sequence


def of_variable(name: str, ending: Sequence[str], drops_last: bool) -> str:
    """The name of a tensor: `dense/kernel` -> `dense.weight`.

    Args:
      name: the variable's.
      ending: what comes at the end: `weight`.
      drops_last: whether the last part of the variable's name (`kernel`) goes.
    """
    parts = bare(name).split("/")
    kept = parts[:-1] if drops_last else parts
    return ".".join([*kept, *ending])


def of_module(scope: str) -> str:
    """The name of a module: `layers/lstm` -> `layers.lstm`."""
    return scope.replace("/", ".")


def bare(name: str) -> str:
    """A name without the `:0` of a `Saver({v.name: v})`."""
    return name[:-2] if name.endswith(":0") else name
