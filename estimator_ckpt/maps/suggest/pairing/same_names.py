"""Pairs layers whose names did not change, or count from another start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from estimator_ckpt.maps.suggest.model_layers.layers import (
    Layer,
    Numbers,
    Pattern,
    Signature,
)
from estimator_ckpt.maps.suggest.pairing.decisions import (
    NAMES,
    RENUMBERED,
    SAME_NAME,
    Decisions,
)

_Key = tuple[Pattern, Signature]


def pair(made: Decisions) -> None:
    """Pairs layers of the same words: all of a family, then what is left of others.

    Where a family has fewer members on one side, a layer of the same name is another
    layer if its neighbours count from another start.
    """
    mine, theirs = _by_key(made.source), _by_key(made.target)
    shifts = {
        key: _shift(sorted(mine[key]), sorted(theirs[key]))
        for key in mine
        if key in theirs
    }
    whole = sorted(
        (key for key, shift in shifts.items() if shift is not None),
        key=lambda key: (any(shifts[key] or ()), key),
    )
    for key in whole:
        _pair_shifted(made, mine[key], theirs[key], shifts[key] or ())
    for key, shift in shifts.items():
        if shift is None:
            _pair_same(made, mine[key], theirs[key])


def _pair_shifted(
    made: Decisions,
    mine: Mapping[Numbers, Layer],
    theirs: Mapping[Numbers, Layer],
    shift: Numbers,
) -> None:
    """Pairs layers whose numbers differ by the same everywhere."""
    pairs = [
        (layer, theirs[tuple(n + d for n, d in zip(numbers, shift))])
        for numbers, layer in mine.items()
    ]
    if any(shift) and not all(made.numbers.allow(*pair) for pair in pairs):
        return
    for layer, image in pairs:
        if layer.name == image.name:
            made.accept(layer, image, SAME_NAME)
        else:
            made.accept(layer, image, RENUMBERED if any(shift) else NAMES)


def _pair_same(
    made: Decisions, mine: Mapping[Numbers, Layer], theirs: Mapping[Numbers, Layer]
) -> None:
    """Pairs layers of the very same name."""
    for numbers, layer in mine.items():
        image = theirs.get(numbers)
        if image is None or layer.name != image.name:
            continue
        if made.numbers.allow(layer, image):
            made.accept(layer, image, SAME_NAME)


def _by_key(given: Iterable[Layer]) -> dict[_Key, dict[Numbers, Layer]]:
    """Layers by the words of their names and signatures, then by the numbers."""
    found: dict[_Key, dict[Numbers, Layer]] = {}
    for layer in given:
        found.setdefault((layer.pattern, layer.signature), {})[layer.numbers] = layer
    return found


def _shift(mine: Sequence[Numbers], theirs: Sequence[Numbers]) -> Optional[Numbers]:
    """By how much all of the numbers differ; None where they do not all by one."""
    if len(mine) != len(theirs):
        return None
    shifts = {tuple(b - a for a, b in zip(*pair)) for pair in zip(mine, theirs)}
    if len(shifts) > 1 or (len(mine) == 1 and any(next(iter(shifts)))):
        return None
    return shifts.pop()
