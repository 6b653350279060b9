"""Which of a source's variables each variable of an object is, by their names.

A variable has the name that the object's description gives it. Where the source has
none of that name, others count that mean the same variable:

    net/dense/kernel     the full name, with the model's own, which Keras 3 puts before
                         the names in a checkpoint and another model of it may lack
    model/_operations/1  the object path, where the source's variables are called so
    dense/depthwise_kernel   what Keras 2 calls the kernel of a DepthwiseConv2D
    lstm/kernel          what Keras in TensorFlow 1 calls that of `lstm/lstm_cell`
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, Optional

from estimator_ckpt.checkpoint import object_keys, roles
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import ObjectDescription

#: The cell of a recurrent layer, and what its variables are called.
_CELL = re.compile(r"(?:lstm|gru|simple_rnn)_cell(?:_\d+)?")
_OF_CELLS = ("kernel", "recurrent_kernel", "bias")


class Named(NamedTuple):
    """What a variable of an object is called.

    Attributes:
      name: its name.
      full_name: the same with the model's own, where that stands before it.
      path: its object path, where the source's variables are called by theirs.
      is_trained: whether it is trainable.
    """

    name: str
    full_name: str
    path: Optional[str]
    is_trained: bool


def matches(description: ObjectDescription, source: Source) -> dict[str, str]:
    """The source's own name of each variable of an object that it has.

    Args:
      description: the object.
      source: the source, whose names are those after an assignment map.
    """
    paths = source.names_by is NamesBy.PATH
    variables = [
        Named(
            name,
            description.full_names.get(held.key, name),
            object_keys.path_of(held.key) if paths else None,
            held.variable.role == roles.TRAINABLE,
        )
        for name, held in description.variables.items()
    ]
    is_of_objects = source.checkpoint.graph is not None
    return by_name(variables, source.old_names, is_of_objects=is_of_objects)


def by_name(
    variables: Collection[Named], known: Mapping[str, str], *, is_of_objects: bool
) -> dict[str, str]:
    """The source's own name of each variable of an object that it has.

    Args:
      variables: the object's.
      known: the source's names by what an assignment map makes of them.
      is_of_objects: whether the source is an object's checkpoint, so that another
        model's name can stand before its names.
    """
    found = {}
    for variable in variables:
        for other in _same(variable):
            if other in known:
                found[variable.name] = known[other]
                break
    trained = [variable.name for variable in variables if variable.is_trained]
    if is_of_objects and not any(name in found for name in trained):
        scope = _only_scope(trained, known)
        for variable in variables if scope else ():
            if f"{scope}/{variable.name}" in known:
                found.setdefault(variable.name, known[f"{scope}/{variable.name}"])
    return found


def _same(variable: Named) -> Iterator[str]:
    """The names of one variable, those that say most first."""
    yield variable.name
    yield variable.full_name
    if variable.path is not None:
        yield variable.path
    scope, _, last = variable.name.rpartition("/")
    if last == "kernel":
        yield f"{scope}/depthwise_kernel"
    layer, _, cell = scope.rpartition("/")
    if layer and _CELL.fullmatch(cell) and last in _OF_CELLS:
        yield f"{layer}/{last}"


def _only_scope(names: Collection[str], known: Mapping[str, str]) -> Optional[str]:
    """The one scope in which a source has all of these names; None if none or several.

    That of a Keras 3 model which was called otherwise than the object's.
    """
    scopes: Optional[set[str]] = None
    for name in names:
        ending = f"/{name}"
        here = {other[: -len(ending)] for other in known if other.endswith(ending)}
        here = {scope for scope in here if "/" not in scope}
        scopes = here if scopes is None else scopes & here
        if not scopes:
            return None
    return scopes.pop() if scopes is not None and len(scopes) == 1 else None
