"""A diff's facts: what differs, by how much in each layer, and how values moved."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.changes import changed_elements
from estimator_ckpt.checkpoint.changes.value_changes import LayerChange
from estimator_ckpt.checkpoint.differences import Aspect, Diff, Difference
from estimator_ckpt.reports import digest, row_groups
from estimator_ckpt.reports.digest import Column, Digest, Row, Shown, Tone
from estimator_ckpt.reports.escaping import brief

#: The most layers that are shown, and characters of their names.
MOST_LAYERS, MOST_LETTERS = 200, 12_000
_TONES = {
    Aspect.REMOVED: Tone.BAD,
    Aspect.ADDED: Tone.GOOD,
    Aspect.RENAMED: Tone.SECOND,
    Aspect.DTYPE: Tone.DOUBT,
    Aspect.SHAPE: Tone.WRONG,
    Aspect.VALUE: Tone.OTHER,
}
_EQUAL = "equal"
_COLUMNS = (
    Column("variable", Shown.NAME),
    Column("difference", Shown.VERDICT),
    Column("size", Shown.BYTES),
    Column("mean abs", Shown.NUMBER),
    Column("max abs", Shown.NUMBER),
    Column("detail"),
)


def of(diff: Diff) -> Digest:
    """The facts of a diff."""
    ordered = sorted(diff.differences, key=lambda d: messages.natural(d.name))
    every = [_row(difference) for difference in ordered]
    columns, rows = digest.without_empty(_COLUMNS, every)
    equal = [(_EQUAL, diff.num_equal, diff.size_equal)] if diff.num_equal else []
    different = len({d.name for d in diff.differences})
    shares = [
        *(digest.Share(what, n, size, Tone.FAINT) for what, n, size in equal),
        *digest.shares(
            [(d.aspect.value, d.size, _TONES[d.aspect]) for d in diff.differences]
        ),
    ]
    return Digest(
        subject="Diff",
        title=f"{messages.short_path(diff.a)} \u2194 {messages.short_path(diff.b)}",
        verdict=f"{different:,} differ" if different else "no difference",
        tone=Tone.DOUBT if different else Tone.GOOD,
        sentences=(_in_both(diff), _values(diff), _in_one(diff)),
        checkpoints=(("first", diff.a), ("second", diff.b)),
        facts=(),
        shares_of="difference",
        shares=tuple(shares),
        columns=columns,
        groups=row_groups.grouped(rows),
        num_rows=len(rows),
        rows_of="difference",
        layers=_shown(diff.layers),
        num_layers=len(diff.layers),
        histograms=diff.histograms,
        examples=diff.examples,
        without_histogram=_without_histogram(diff),
    )


def _row(difference: Difference) -> Row:
    aspect, new_name = difference.aspect, difference.new_name
    detail = difference.detail if new_name is None else f"now {new_name}"
    return Row(
        difference.name,
        (
            difference.name,
            aspect.value,
            difference.size,
            difference.mean_abs,
            difference.max_abs,
            detail,
        ),
        difference.size,
        _TONES[aspect],
        difference.owner,
        aspect in (Aspect.REMOVED, Aspect.DTYPE, Aspect.SHAPE),
    )


def _shown(layers: Sequence[LayerChange]) -> tuple[LayerChange, ...]:
    """The layers that differ most, in their order."""
    most = heapq.nlargest(
        MOST_LAYERS, range(len(layers)), key=lambda i: layers[i].max_abs
    )
    letters = itertools.accumulate(len(layers[i].name) for i in most)
    shown = max(sum(so_far <= MOST_LETTERS for so_far in letters), 1)
    return tuple(layers[i] for i in sorted(most[:shown]))


def _in_both(diff: Diff) -> str:
    counts = _counts(diff, (Aspect.VALUE, Aspect.SHAPE, Aspect.DTYPE))
    if not diff.num_equal and not diff.differences:
        return "Neither has a variable."
    if not diff.num_equal:
        return f"No variable is equal: {counts or 'none is in both'}."
    equal = f"{digest.counted(diff.num_equal, 'variable')} " + (
        "is equal" if diff.num_equal == 1 else "are equal"
    )
    return (
        f"{equal} ({messages.bytes_text(diff.size_equal)}); {counts or 'none differs'}."
    )


def _counts(diff: Diff, aspects: Sequence[Aspect]) -> str:
    numbers = {
        aspect: sum(d.aspect is aspect for d in diff.differences) for aspect in aspects
    }
    words = {
        Aspect.VALUE: ("differs in value", "differ in value"),
        Aspect.SHAPE: ("has another shape", "have another shape"),
        Aspect.DTYPE: ("has another dtype", "have another dtype"),
        Aspect.REMOVED: ("is only in the first", "are only in the first"),
        Aspect.ADDED: ("is only in the second", "are only in the second"),
        Aspect.RENAMED: ("was renamed", "were renamed"),
    }
    return ", ".join(
        f"{n:,} {words[aspect][n != 1]}" for aspect, n in numbers.items() if n
    )


def _values(diff: Diff) -> str:
    of_values = [d for d in diff.differences if d.aspect is Aspect.VALUE]
    measured = [d for d in of_values if d.max_abs is not None]
    if measured:
        return _of_the_model(diff.layers) or _of_any(measured)
    if of_values:
        return "No number differs: what differs in value is text or stored bytes."
    return "No number differs."


def _of_any(measured: Sequence[Difference]) -> str:
    most = max(measured, key=lambda d: d.max_abs or 0.0)
    return f"The largest difference is {_amount(most.max_abs or 0.0, most.name)}."


def _of_the_model(layers: Sequence[LayerChange]) -> str:
    """The largest difference, and the layer that moved most; nothing if none did."""
    largest = max(layers, key=lambda layer: layer.max_abs, default=None)
    if largest is None or not largest.max_abs:
        return ""
    said = f"The model's largest difference is {_amount(largest.max_abs, largest.name)}"
    finite = [layer for layer in layers if math.isfinite(layer.mean_abs)]
    moved = max(finite, key=lambda layer: layer.mean_abs, default=None)
    if moved is None or not moved.mean_abs:
        return f"{said}."
    others = "" if len(finite) == len(layers) else "of the finite ones, "
    return (
        f"{said}; {others}in the mean {brief(moved.name)} moved most "
        f"({moved.mean_abs:.3g})."
    )


def _amount(number: float, name: str) -> str:
    if math.isfinite(number):
        return f"{number:.3g}, in {brief(name)}"
    return f"infinite (one side is infinite or not a number), in {brief(name)}"


def _without_histogram(diff: Diff) -> str:
    """Why some of what differs has no histogram; nothing if there is one of all."""
    of_values = [d for d in diff.differences if d.aspect is Aspect.VALUE]
    if diff.examples:
        return (
            "A histogram needs several numbers. Of single numbers and of strings these "
            f"are the first elements that differ, of at most {changed_elements.MOST} "
            "tensors of each."
        )
    if diff.histograms or not diff.differences:
        return ""
    if of_values:
        return "What differs in value are no numbers that could be counted."
    return "Nothing that both have in one shape and dtype differs in value."


def _in_one(diff: Diff) -> str:
    counts = _counts(diff, (Aspect.REMOVED, Aspect.ADDED, Aspect.RENAMED))
    return f"Of the variables {counts}." if counts else "Both have the same variables."
