"""Embedding tables in parts of which every n-th row is in the same part.

`tf.nn.embedding_lookup` reads a table in parts with `partition_strategy="mod"` by
default: id `i` of n parts is row `i // n` of part `i % n`. A Saver puts the parts one
after the other, and in one whole table id `i` is row `i`.

    parts 2, rows 5, the Saver's order   ids 0 2 4 | 1 3  ->  ids 0 1 2 3 4
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from estimator_ckpt.layouts.layout_rule import LayoutRule, Run

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array
    from estimator_ckpt.layouts.layout_rule import Reorder, Runs


def mod(text: str, source: str, target: str, parts: int = 0) -> list[LayoutRule]:
    """`[rows, size] -> [rows, size]`: row `i` is row `i // parts` of part `i % parts`.

    The first `rows % parts` parts have one row more than the others.
    """
    if not parts:
        raise TypeError("say of how many parts the table was (parts)")

    def start_of(part: int, rows: int) -> int:
        """The first row of a part in the Saver's order."""
        return part * (rows // parts) + min(part, rows % parts)

    def of_ids(start: int, stop: int, rows: int) -> list[Run]:
        runs = []
        for part in range(min(parts, rows)):
            first = start + (part - start) % parts
            count = len(range(first, stop, parts))
            row = start_of(part, rows) + first // parts
            runs.append(Run(row, 1, count, first - start, parts))
        return runs

    def of_rows(start: int, stop: int, rows: int) -> list[Run]:
        runs = []
        for part in range(min(parts, rows)):
            begin = start_of(part, rows)
            row = max(start, begin)
            count = max(min(stop, start_of(part + 1, rows)) - row, 0)
            runs.append(Run((row - begin) * parts + part, parts, count, row - start, 1))
        return runs

    def moved(runs: Runs) -> Reorder:
        return lambda arrays: [_moved_rows(arrays[0], runs)]

    return [
        LayoutRule(
            text,
            (source,),
            (target,),
            moved(of_ids),
            moved(of_rows),
            runs=(of_ids, of_rows),
        )
    ]


def _moved_rows(array: Array, runs: Runs) -> Array:
    """A table whose rows are made of runs of another's."""
    import numpy as np

    out = np.empty_like(array)
    for run in runs(0, len(array), len(array)):
        rows = array[run.first :: run.step][: run.number]
        out[run.place :: run.stride][: run.number] = rows
    return out
