"""A verification's facts: what was checked, and what is damaged."""

from __future__ import annotations

from collections.abc import Sequence

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.verify import Problem, Verification
from estimator_ckpt.reports import digest, row_groups
from estimator_ckpt.reports.digest import Column, Digest, Row, Share, Shown, Tone
from estimator_ckpt.reports.escaping import brief

_COLUMNS = (
    Column("tensor", Shown.NAME),
    Column("verdict", Shown.VERDICT),
    Column("size", Shown.BYTES),
    Column("file", Shown.NAME),
    Column("offset", Shown.NUMBER),
    Column("what is wrong"),
)
_DAMAGED, _WHOLE = "damaged", "whole"


def of(found: Verification) -> Digest:
    """The facts of a verification."""
    every = [_row(problem) for problem in found.problems]
    columns, rows = digest.without_empty(_COLUMNS, every)
    num_damaged = sum(problem.size is not None for problem in found.problems)
    damaged = sum(problem.size or 0 for problem in found.problems)
    num_whole = found.num_tensors - num_damaged
    size_whole = max(found.num_bytes - damaged, 0)
    shares = [
        Share(_WHOLE, num_whole, size_whole, Tone.GOOD),
        Share(_DAMAGED, len(found.problems), damaged, Tone.BAD),
    ]
    return Digest(
        subject="Verification",
        title=messages.short_path(found.prefix),
        verdict="whole" if found.ok else f"{len(rows):,} damaged",
        tone=Tone.GOOD if found.ok else Tone.BAD,
        sentences=_sentences(found, rows),
        checkpoints=(("checkpoint", found.prefix),),
        facts=(
            ("tensors", str(found.num_tensors)),
            ("bytes", str(found.num_bytes)),
        ),
        shares_of="verdict",
        shares=tuple(share for share in shares if share.count > 0),
        columns=columns,
        groups=row_groups.grouped(rows),
        num_rows=len(rows),
        rows_of="damaged tensor",
    )


def _sentences(found: Verification, rows: Sequence[Row]) -> tuple[str, str, str]:
    counted = digest.counted(found.num_tensors, "tensor")
    one, several = ("was", "its checksum"), ("were", "their checksums")
    were, checksums = one if found.num_tensors == 1 else several
    first = (
        f"{counted} of {messages.bytes_text(found.num_bytes)} {were} read and held "
        f"against {checksums}."
    )
    if found.ok:
        return (
            first,
            "All are as they were written.",
            "The index was checked, too, block by block.",
        )
    return (
        first,
        f"Damaged: {messages.listed((brief(row.name) for row in rows), most=3)}.",
        "Take another copy of the files, or another checkpoint of the job.",
    )


def _row(problem: Problem) -> Row:
    name = "(the index)" if problem.key is None else problem.key
    return Row(
        name,
        (
            name,
            _DAMAGED,
            problem.size,
            messages.short_path(problem.shard),
            problem.offset,
            problem.message,
        ),
        problem.size or 0,
        Tone.BAD,
        is_problem=True,
    )
