"""A plan's facts: what each variable of the target gets, and what nothing gets."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Optional

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps.plans import Item, Plan, Verdict
from estimator_ckpt.reports import digest, row_groups
from estimator_ckpt.reports.digest import Column, Digest, Row, Shown, Tone
from estimator_ckpt.reports.escaping import brief

_TONES = {
    Verdict.CARRIED: Tone.GOOD,
    Verdict.RENAMED: Tone.OTHER,
    Verdict.RESET: Tone.QUIET,
    Verdict.UNUSED: Tone.FAINT,
    Verdict.SHAPE_MISMATCH: Tone.WRONG,
    Verdict.DTYPE_MISMATCH: Tone.DOUBT,
    Verdict.MISSING: Tone.BAD,
}
_COLUMNS = (
    Column("variable", Shown.NAME),
    Column("verdict", Shown.VERDICT),
    Column("shape"),
    Column("size", Shown.BYTES),
    Column("from", Shown.NAME),
    Column("because"),
)
#: More rows of a verdict than this do not repeat the reason that all of them have.
_MOST_REPEATED = 200


def of(plan: Plan, *, written: Optional[str] = None) -> Digest:
    """The facts of a plan.

    Args:
      plan: it.
      written: the prefix that was written as it says; None if nothing was.
    """
    items = _in_order(plan)
    shared = _shared_reasons(items)
    columns, rows = digest.without_empty(
        _COLUMNS, [_row(item, shared) for item in items]
    )
    problems = plan.problems
    checkpoints = [("source", plan.source), ("target", plan.target)]
    if written is not None:
        checkpoints.append(("written", written))
    return Digest(
        subject="Plan" if written is None else "Conversion",
        title=" \u2192 ".join(map(messages.short_path, (plan.source, plan.target))),
        verdict=_verdict(plan),
        tone=Tone.BAD if problems else Tone.GOOD,
        sentences=(_carried(plan), _problems(problems), _left(plan)),
        checkpoints=tuple(checkpoints),
        facts=(),
        shares_of="verdict",
        shares=_shares(items, rows, shared),
        columns=columns,
        groups=row_groups.grouped(rows),
        num_rows=len(rows),
        notes=plan.unused,
    )


def _in_order(plan: Plan) -> Sequence[Item]:
    """The order of the plan, which is a graph's; a checkpoint has none but of names."""
    names = [item.name for item in plan.items if item.target is not None]
    if names != sorted(names):
        return plan.items
    return sorted(plan.items, key=lambda item: messages.natural(item.name))


def _verdict(plan: Plan) -> str:
    if plan.problems:
        return digest.counted(len(plan.problems), "problem")
    if plan.counts.get(Verdict.RESET):
        return "nothing is missing"
    return "everything is carried"


def _shared_reasons(items: Sequence[Item]) -> dict[Verdict, str]:
    """What all of a verdict have as their reason, where they are too many to repeat it.

    Two checkpoints of a thousand variables that have nothing in common make two
    thousand rows, and two reasons.
    """
    found: dict[Verdict, list[str]] = {}
    for item in items:
        found.setdefault(item.verdict, []).append(_because(item))
    return {
        verdict: reasons[0]
        for verdict, reasons in found.items()
        if len(reasons) > _MOST_REPEATED and reasons[0] and len(set(reasons)) == 1
    }


def _shares(
    items: Sequence[Item], rows: Sequence[Row], shared: dict[Verdict, str]
) -> tuple[digest.Share, ...]:
    summed = digest.shares(
        [
            (item.verdict.value, row.size, row.tone)
            for verdict in Verdict
            for item, row in zip(items, rows)
            if item.verdict is verdict
        ]
    )
    return tuple(
        dataclasses.replace(share, because=shared.get(Verdict(share.what), ""))
        for share in summed
    )


def _row(item: Item, shared: dict[Verdict, str]) -> Row:
    variable = item.target or item.source
    source = item.source
    size = variable.size if variable else 0
    origin = source.name if source and item.target else None
    return Row(
        item.name,
        (
            item.name,
            item.verdict.value,
            str(variable) if variable else None,
            size,
            None if origin == item.name else origin,
            None if item.verdict in shared else _because(item),
        ),
        size,
        _TONES[item.verdict],
        variable.owner if variable else None,
        item.verdict.is_problem,
    )


def _because(item: Item) -> str:
    """The plan's phrase, less what other cells say already."""
    source = item.source
    if source is None or not item.verdict.is_carried:
        return item.because
    rest = item.because
    for said in (f"from {source.key!r}", f"from {source.name!r}", f", {source}"):
        rest = rest.removeprefix(said)
    if rest and rest[0] not in ", ":  # it was the beginning of another name
        return item.because
    differs = str(source) != str(item.target)
    return ", ".join(filter(None, [str(source) if differs else "", rest.lstrip(", ")]))


def _carried(plan: Plan) -> str:
    of_target = [item for item in plan.items if item.target is not None]
    carried = [item for item in of_target if item.verdict.is_carried]
    renamed = plan.counts.get(Verdict.RENAMED, 0)
    size = messages.bytes_text(sum(_size(item.target) for item in carried))
    same = len(carried) - renamed
    if not renamed:
        under = "all under their own names"
    elif not same:
        under = "all renamed"
    else:
        under = f"{same:,} under their own names and {renamed:,} renamed"
    variables = digest.counted(len(of_target), "variable")
    if not carried:
        return f"Of the target's {variables} none gets a value from the source."
    return (
        f"{len(carried):,} of the target's {variables} "
        f"{'get' if len(carried) != 1 else 'gets'} a value from the source ({size}), "
        f"{under}."
    )


def _problems(problems: Sequence[Item]) -> str:
    if not problems:
        return "Nothing is missing, and every shape and dtype fits."
    names = messages.listed((brief(item.name) for item in problems), most=3)
    verdicts = (verdict for verdict in Verdict if verdict.is_problem)
    counts = {v.value: sum(i.verdict is v for i in problems) for v in verdicts}
    counted = ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)
    return f"What should be carried and cannot be: {counted} ({names})."


def _left(plan: Plan) -> str:
    reset = plan.counts.get(Verdict.RESET, 0)
    unused = plan.counts.get(Verdict.UNUSED, 0)
    begin = (
        "No variable is left at its initial value"
        if not reset
        else f"{digest.counted(reset, 'variable')} "
        f"{'starts' if reset == 1 else 'start'} at the initial value"
    )
    end = (
        "all of the source is used"
        if not unused
        else f"{digest.counted(unused, 'variable')} of the source "
        f"{'is' if unused == 1 else 'are'} not used"
    )
    return f"{begin}, and {end}."


def _size(variable: Optional[Variable]) -> int:
    return variable.size if variable else 0
