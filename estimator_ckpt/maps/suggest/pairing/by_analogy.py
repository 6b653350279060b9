"""Pairs layers that are named, numbered or placed as others that are decided."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from estimator_ckpt.maps.suggest.model_layers.layers import Layer, Numbers, Pattern
from estimator_ckpt.maps.suggest.model_layers.words import Word
from estimator_ckpt.maps.suggest.pairing.decisions import (
    ALIKE,
    BESIDE,
    Decisions,
    by_pattern,
)


def pair_alike(made: Decisions) -> bool:
    """Pairs `fc_2` with `dense_1` where `fc_1` is `dense_0`."""
    before = len(made.images)
    mine, theirs = _by_words(made.source), _by_words(made.target)
    names: dict[Pattern, set[tuple[Pattern, Numbers]]] = {}
    for layer, image in made.images.items():
        shift = tuple(b - a for a, b in zip(layer.numbers, image.numbers))
        names.setdefault(layer.pattern, set()).add((image.pattern, shift))
    for pattern, found in names.items():
        if len(found) > 1:
            continue
        ((image_pattern, shift),) = found
        others = {
            layer: theirs[image_pattern].get(tuple(map(operator.add, n, shift)))
            for n, layer in mine[pattern].items()
        }
        pairs = [
            (layer, image)
            for layer, image in others.items()
            if image is not None and image.signature == layer.signature
        ]
        if len(pairs) == len(others) == len(theirs[image_pattern]):
            for layer, image in pairs:
                if made.are_open(layer, image):
                    made.accept(layer, image, ALIKE)
    return len(made.images) > before


def pair_numbered(made: Decisions) -> bool:
    """Pairs layers of two patterns that are a pair, by the numbers that are known.

    So a layer that only one side lacks does not leave its whole family undecided.
    """
    before = len(made.images)
    images: dict[Pattern, dict[Pattern, None]] = {}
    for layer, image in made.images.items():
        images.setdefault(layer.pattern, {})[image.pattern] = None
    left = by_pattern(made.left[0])
    open_targets = by_pattern(made.left[1])
    for pattern, layers in left.items():
        for image_pattern in images.get(pattern, (pattern,)):
            others = open_targets.get(image_pattern, [])
            at = {made.numbers.target_numbers(image): image for image in others}
            for layer in layers if others else ():
                there = at.get(made.numbers.image_numbers(layer, others[0]) or ())
                if (
                    there is not None
                    and there.signature == layer.signature
                    and made.are_open(layer, there)
                    and made.numbers.allow(layer, there)
                ):
                    made.accept(layer, there, ALIKE)
    return len(made.images) > before


class Companions:
    """The layer that each batch normalization stands beside, and the other way round.

    `conv_3` and `conv_3/BatchNorm`, `bn2a` and `conv2a`: the same numbers and size, and
    more words in common than others. Where nothing but the last number says so
    (`conv2d_7`, `batch_normalization_7`), all layers must have one.
    """

    def __init__(self, made: Decisions) -> None:
        self._mine, self._theirs = _companions(made.source), _companions(made.target)

    def pair(self, made: Decisions) -> bool:
        """Pairs what stands beside two layers that are a pair."""
        before = len(made.images)
        for layer, image in list(made.images.items()):
            a, b = self._mine.get(layer), self._theirs.get(image)
            if a is None or b is None or not made.are_open(a, b):
                continue
            if a.signature == b.signature and made.numbers.allow(a, b):
                made.accept(a, b, BESIDE)
        return len(made.images) > before


def _companions(side: Sequence[Layer]) -> dict[Layer, Layer]:
    kernels: dict[tuple[Numbers, Optional[int]], list[Layer]] = {}
    ends: dict[tuple[Word, ...], set[Word]] = {}
    for layer in side:
        ends.setdefault(layer.words[:-1], set()).update(layer.words[-1:])
        if layer.sort == "kernels":
            kernels.setdefault((layer.numbers, layer.outputs), []).append(layer)
    found: dict[Layer, list[Layer]] = {}
    for norm in side:
        if norm.sort != "batch_norm":
            continue
        kernel = _most_alike(norm, kernels.get((norm.numbers, norm.outputs), ()))
        if kernel is not None and (
            norm.words[-2:-1] != ("norm",) or _all_have_one(norm, kernel, ends)
        ):
            found.setdefault(kernel, []).append(norm)
    pairs = {kernel: norms[0] for kernel, norms in found.items() if len(norms) == 1}
    return pairs | {norm: kernel for kernel, norm in pairs.items()}


def _most_alike(norm: Layer, kernels: Iterable[Layer]) -> Optional[Layer]:
    """The one of some layers that has more words of a normalization than others."""
    mine = set(norm.words) - {"norm", "conv"}
    alike: dict[tuple[int, int], list[Layer]] = {}
    for kernel in kernels:
        others = set(kernel.words) - {"conv"}
        if mine & others:
            alike.setdefault((len(mine & others), -len(others)), []).append(kernel)
    best = alike[max(alike)] if alike else []
    return best[0] if len(best) == 1 else None


def _all_have_one(
    norm: Layer, kernel: Layer, ends: Mapping[tuple[Word, ...], set[Word]]
) -> bool:
    """Whether all layers numbered as one have a normalization of the same number."""
    scopes = {layer.name.rpartition("/")[0] for layer in (norm, kernel)}
    return len(scopes) == 1 and ends[kernel.words[:-1]] <= ends[norm.words[:-1]]


def _by_words(given: Iterable[Layer]) -> dict[Pattern, dict[Numbers, Layer]]:
    """Layers by the words of their names, then by the numbers."""
    return {
        pattern: {layer.numbers: layer for layer in some}
        for pattern, some in by_pattern(given).items()
    }
