"""Pairs whole scopes that are left: towers of the same layers.

Where all but one network of each side is decided and both have the same layers, they
are the same network, whatever they are called. Twins are two networks, and stay open.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import NamedTuple

from estimator_ckpt.maps.suggest.model_layers.layers import Layer, Pattern
from estimator_ckpt.maps.suggest.pairing.decisions import Decisions

#: How many sorts of layers with kernels a tower has at least.
_FEWEST_SORTS = 3


class _Tower(NamedTuple):
    """A scope, and which of the layers that are left are in it."""

    scope: Pattern
    layers: frozenset[Layer]


def pair(made: Decisions) -> bool:
    """Takes note of scopes that can only be each other; whether there are any."""
    left = made.left
    mine, theirs = _towers(left[0]), _towers(left[1])
    found = False
    for sorts, towers in mine.items():
        others = theirs.get(sorts, [])
        if len(towers) == len(others) == 1:
            a, b = towers[0].scope, others[0].scope
            if made.regions.get(a) != b:
                made.regions[a] = b
                found = True
    return found


def _towers(left: Sequence[Layer]) -> dict[frozenset[object], list[_Tower]]:
    """The scopes that some layers form, by how many of each sort are in them."""
    inside: dict[Pattern, list[Layer]] = {}
    for layer in left:
        pattern = layer.pattern
        for end in range(1, len(pattern)):
            if pattern[end - 1] != "#":
                inside.setdefault(pattern[:end], []).append(layer)
    innermost: dict[frozenset[Layer], Pattern] = {}
    for scope, layers in inside.items():
        some = frozenset(layers)
        if len(scope) > len(innermost.get(some, ())):
            innermost[some] = scope
    found: dict[frozenset[object], list[_Tower]] = {}
    for some, scope in innermost.items():
        sorts = collections.Counter(layer.signature for layer in some)
        if sum(sort[0] == "kernels" for sort in sorts) >= _FEWEST_SORTS:
            found.setdefault(frozenset(sorts.items()), []).append(_Tower(scope, some))
    return found
