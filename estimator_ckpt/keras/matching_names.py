"""Which of a source's variables each variable of an object is, by their names.

A variable has the name that the object's description gives it. Where the source has
none of that name, others count that mean the same variable:

    net/dense/kernel     the full name, with the model's own, which Keras 3 puts before
                         the names in a checkpoint and another model of it may lack
    model/_operations/1  the object path, where the source's variables are called so
    dense/depthwise_kernel   what Keras 2 calls the kernel of a DepthwiseConv2D
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Optional

from estimator_ckpt.checkpoint import object_keys, roles
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import ObjectDescription


def matches(description: ObjectDescription, source: Source) -> dict[str, str]:
    """The source's own name of each variable of an object that it has.

    Args:
      description: the object.
      source: the source, whose names are those after an assignment map.
    """
    known = source.old_names
    paths = source.names_by is NamesBy.PATH
    found = {}
    for name, held in description.variables.items():
        full_name = description.full_names.get(held.key, name)
        path = object_keys.path_of(held.key) if paths else None
        for other in _same(name, full_name, path):
            if other in known:
                found[name] = known[other]
                break
    if source.checkpoint.graph is None:
        return found
    trained = [
        name
        for name, held in description.variables.items()
        if held.variable.role == roles.TRAINABLE
    ]
    if not any(name in found for name in trained):
        scope = _only_scope(trained, known)
        for name in description.variables if scope else ():
            if f"{scope}/{name}" in known:
                found.setdefault(name, known[f"{scope}/{name}"])
    return found


def _same(name: str, full_name: str, path: Optional[str]) -> Iterator[str]:
    """The names of one variable, those that say most first."""
    yield name
    yield full_name
    if path is not None:
        yield path
    scope, _, last = name.rpartition("/")
    if last == "kernel":
        yield f"{scope}/depthwise_kernel"


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
