"""A checkpoint's facts: its variables, what they are for, and their bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from estimator_ckpt.checkpoint import messages, object_keys, roles
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import Role, Roles
from estimator_ckpt.checkpoint.variable import StoredVariable
from estimator_ckpt.reports import digest, row_groups
from estimator_ckpt.reports.digest import Column, Digest, Row, Shown, Tone
from estimator_ckpt.reports.escaping import brief

_TONES = {
    Role.TRAINABLE: Tone.GOOD,
    Role.MODEL: Tone.OTHER,
    Role.AVERAGE: Tone.SECOND,
    Role.SLOT: Tone.QUIET,
    Role.OPTIMIZER: Tone.FAINT,
    Role.LOSS_SCALE: Tone.FAINT,
    Role.METRIC: Tone.DOUBT,
    Role.GLOBAL_STEP: Tone.SECOND,
    Role.NO_VARIABLE: Tone.DOUBT,
}
#: How the keys of objects end.
_END = f"/{object_keys.ATTRIBUTES}/{object_keys.VARIABLE_VALUE}"
_COLUMNS = (
    Column("variable", Shown.NAME),
    Column("role", Shown.VERDICT),
    Column("dtype"),
    Column("shape"),
    Column("size", Shown.BYTES),
    Column(f"key, less {_END}", Shown.NAME),
)


def of(
    checkpoint: Checkpoint,
    variables: Optional[Sequence[StoredVariable]] = None,
    values: Optional[Mapping[str, str]] = None,
    with_evidence: bool = False,
) -> Digest:
    """The facts of a checkpoint.

    Args:
      checkpoint: it, open.
      variables: those that are shown; None for all.
      values: what to say of each one's value, by name; None for nothing.
      with_evidence: whether to say whose each one is, and what says so.
    """
    shown = checkpoint.everything() if variables is None else variables
    shown = sorted(shown, key=lambda variable: messages.natural(variable.name))
    more = [Column("value")] if values is not None else []
    more += [Column("optimizer"), Column("evidence")] if with_evidence else []
    found = checkpoint.roles if with_evidence else None
    columns, rows = digest.without_empty(
        (*_COLUMNS, *more), [_row(variable, values, found) for variable in shown]
    )
    remark = checkpoint.roles.remark()
    step = checkpoint.global_step
    return Digest(
        subject="Checkpoint",
        title=messages.short_path(checkpoint.prefix),
        verdict=f"format {checkpoint.format}",
        tone=Tone.DOUBT if remark or checkpoint.contents.ambiguous else Tone.GOOD,
        sentences=(
            _what(checkpoint, shown),
            _roles(shown),
            _undecided(checkpoint.roles.undecided),
        ),
        checkpoints=(("checkpoint", checkpoint.prefix),),
        facts=(
            ("format", checkpoint.format),
            ("global step", "none" if step is None else str(step)),
            ("shards", str(checkpoint.num_shards)),
        ),
        shares_of="role",
        shares=digest.shares(
            [
                (_called(variable.role), variable.size, _TONES[variable.role])
                for role in Role
                for variable in shown
                if variable.role is role
            ]
        ),
        columns=columns,
        groups=row_groups.grouped(rows),
        num_rows=len(rows),
        notes=tuple(_notes(checkpoint, remark)),
    )


def _row(
    variable: StoredVariable,
    values: Optional[Mapping[str, str]],
    found: Optional[Roles],
) -> Row:
    shape = str(list(variable.shape))
    cut = f" in {variable.num_slices} slices" if variable.num_slices else ""
    value = () if values is None else (values.get(variable.name),)
    said = None if found is None else found[variable.name]
    doubt = "?" if said is not None and said.is_undecided else ""
    return Row(
        variable.name,
        (
            variable.name,
            f"{_called(variable.role)}{doubt}",
            variable.dtype,
            f"{shape}{cut}",
            variable.size,
            None if variable.key == variable.name else variable.key.removesuffix(_END),
            *value,
            *(() if said is None else (said.optimizer, said.evidence)),
        ),
        variable.size,
        _TONES[variable.role],
        variable.owner,
    )


def _undecided(names: Sequence[str]) -> str:
    if not names:
        return "What each variable is for is decided."
    return (
        f"Whether {messages.listed(map(brief, names), most=3)} "
        f"{'is' if len(names) == 1 else 'are'} optimizer state is undecided."
    )


def _called(role: Role) -> str:
    return str(role).replace("_", " ")


def _what(checkpoint: Checkpoint, shown: Sequence[StoredVariable]) -> str:
    size = messages.bytes_text(sum(variable.size for variable in shown))
    shards = digest.counted(checkpoint.num_shards, "shard")
    step = checkpoint.global_step
    at = "without a global step" if step is None else f"at global step {step}"
    return (
        f"A {checkpoint.format} checkpoint {at}: "
        f"{digest.counted(len(shown), 'variable')}, {size}, in {shards}."
    )


def _roles(shown: Sequence[StoredVariable]) -> str:
    total = sum(variable.size for variable in shown)
    of_optimizer = [v for v in shown if v.role in roles.OF_OPTIMIZER]
    if not of_optimizer:
        return "None of it is optimizer state."
    size = sum(variable.size for variable in of_optimizer)
    share = f", {100 * size / total:.0f} % of the bytes" if total else ""
    return (
        f"{digest.counted(len(of_optimizer), 'variable')} of them "
        f"{'is' if len(of_optimizer) == 1 else 'are'} optimizer state "
        f"({messages.bytes_text(size)}{share}), which serving does not need."
    )


def _notes(checkpoint: Checkpoint, remark: Optional[str]) -> list[str]:
    shared = [
        f"{messages.quoted(keys)} share the full name {name!r}"
        for name, keys in sorted(checkpoint.contents.ambiguous.items())
    ]
    return [*filter(None, [remark]), *checkpoint.roles.unused, *shared]
