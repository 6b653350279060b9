"""Differences by layer, histograms and examples, of two checkpoints that are open."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Optional

from estimator_ckpt.bundle import files, logs
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint.changes import (
    changed_elements,
    histograms,
    value_changes,
)
from estimator_ckpt.checkpoint.changes.changed_elements import Example
from estimator_ckpt.checkpoint.changes.histograms import Histogram
from estimator_ckpt.checkpoint.changes.value_changes import Change, LayerChange
from estimator_ckpt.checkpoint.common_names import Side
from estimator_ckpt.checkpoint.differences import Aspect, Difference
from estimator_ckpt.checkpoint.evidence import meta_graph

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array


def of(
    old: Side,
    new: Side,
    changes: Sequence[Change],
    progress: Optional[files.Progress],
) -> tuple[tuple[LayerChange, ...], tuple[Histogram, ...]]:
    """How far layers are apart, and the histograms of what changed most.

    Args:
      old: the first checkpoint.
      new: the second.
      changes: by how much each variable differs that both have.
      progress: told of the bytes that are read for histograms.
    """
    layers = value_changes.layers(changes, _places(old))
    chosen = value_changes.most_changed(changes)
    files.expect(
        progress, 2 * sum(old.variables[change.name].size for change in chosen)
    )
    made = tuple(
        histograms.histogram(
            change,
            functools.partial(pieces, old, new, change.name, progress),
            old.variables[change.name].dtype.startswith("complex"),
        )
        for change in chosen
    )
    return layers, made


def examples(
    old: Side, new: Side, changed: Sequence[Difference]
) -> tuple[Example, ...]:
    """What changed in tensors that have no histogram: of one number, of strings.

    Args:
      old: the first checkpoint.
      new: the second.
      changed: the differences of variables that both have.
    """
    numbers, strings = [], []
    for difference in changed:
        variable = old.variables[difference.name]
        if difference.aspect is not Aspect.VALUE:
            continue
        if variable.dtype == "string":
            strings.append(difference.name)
        elif difference.mean_abs is not None and math.prod(variable.shape) == 1:
            numbers.append((difference.name, difference.mean_abs))
    found = []
    for name in changed_elements.most_of_each(numbers, strings):
        variable = old.variables[name]
        both = pieces(old, new, name, None)
        found.append(changed_elements.of(name, variable.dtype, variable.shape, both))
    return tuple(found)


def _places(old: Side) -> dict[str, int]:
    """The places of variables in the order in which a graph made them, if known."""
    checkpoint = old.checkpoint
    try:
        order = meta_graph.creation_order(checkpoint.prefix, checkpoint.store)
    except CheckpointError as error:
        logs.logger().warning("%s; layers are in the order of their names", error)
        return {}
    return {name: place for place, name in enumerate(order)}


def pieces(
    old: Side, new: Side, name: str, progress: Optional[files.Progress]
) -> Iterator[tuple[Array, Array]]:
    """The values of a variable on both sides, piece by piece."""
    keys = old.variables[name].key, new.variables[name].key
    for pair in zip(
        old.checkpoint.reader.iter_arrays(keys[0]),
        new.checkpoint.reader.iter_arrays(keys[1]),
    ):
        yield pair
        if progress is not None:
            progress(pair[0].nbytes)
