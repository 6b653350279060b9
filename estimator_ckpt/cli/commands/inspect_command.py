"""Show what is in a checkpoint: variables, dtypes, shapes, sizes, format, step."""

from __future__ import annotations

import functools
import operator
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import UnsupportedCheckpointError
from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.opening import open_checkpoint
from estimator_ckpt.cli import output, progress_bar, report_argument, shared_arguments
from estimator_ckpt.maps.filters import Filter

#: A StoredVariable; where nothing asks for roles, what is Listed of one.
Row = Any

#: What a table says of variables, by column.
Columns = dict[str, Callable[[Sequence[Row]], Iterable[str]]]

_SHOWN = 6
#: What JSON says of a variable.
_FIELDS = (
    *("name", "key", "dtype", "shape", "size", "shard", "offset", "num_slices"),
    "slot_of",
)


#: Of --help; old_job is a model dir.
EXAMPLES = (
    "inspect old_job --slots",
    "inspect old_job/model.ckpt-200 --roles --report=inspect.html",
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", help=shared_arguments.CHECKPOINT)
    parser.add_argument(
        "--values", action="store_true", help="show values, of large ones a summary"
    )
    parser.add_argument(
        "--slots", action="store_true", help="fold slot variables under their variable"
    )
    parser.add_argument(
        "--roles",
        action="store_true",
        help="show what each variable is for, whose it is, and what says so",
    )
    shared_arguments.add_roles(parser)
    parser.add_argument(
        "--include", action="append", help="only variables that match this regex"
    )
    shared_arguments.add_names(
        parser, "; those that share a full name are shown by their paths"
    )
    shared_arguments.add_json(parser)
    report_argument.add_argument(parser)


def run(arguments: Namespace) -> int:
    """Prints a checkpoint's variables."""
    report_argument.check(arguments)
    wanted = Filter(arguments.include)
    with open_checkpoint(
        arguments.path,
        names=arguments.names,
        optimizer_state=arguments.optimizer_state,
        model_state=arguments.model_state,
    ) as checkpoint:
        infos = _rows(checkpoint, arguments, wanted)
        values = _values(checkpoint, infos) if arguments.values else None
        if arguments.report is not None:
            from estimator_ckpt.reports import checkpoint_digest

            facts = checkpoint_digest.of(checkpoint, infos, values, arguments.roles)
            report_argument.write(arguments, facts)
        if arguments.json:
            document = _json(checkpoint, infos, values)
            if arguments.roles:
                _add_roles(document, checkpoint)
            output.print_json(document)
        else:
            _show(checkpoint, infos, values, arguments)
    return 0


def _rows(checkpoint: Checkpoint, arguments: Namespace, wanted: Filter) -> list[Row]:
    """The variables that are shown."""
    asks = _asks_for_roles(arguments)
    rows: list[Any] = checkpoint.everything() if asks else checkpoint.listed()
    if wanted.keeps_all:
        return rows
    return [row for row in rows if wanted.keeps(row.name)]


def _asks_for_roles(arguments: Namespace) -> bool:
    """Whether anything that is shown or checked needs the variables' roles."""
    return bool(
        arguments.slots
        or arguments.roles
        or arguments.json
        or arguments.report is not None
        or arguments.optimizer_state
        or arguments.model_state
    )


def _values(checkpoint: Checkpoint, infos: Sequence[Row]) -> dict[str, str]:
    """What is said of each variable's value."""
    found = {}
    with progress_bar.progress("reading") as progress:
        files.expect(progress, sum(info.size for info in infos))
        for info in infos:
            found[info.name] = _value(checkpoint, info)
            if progress is not None:
                progress(info.size)
    return found


def _show(
    checkpoint: Checkpoint,
    infos: Sequence[Row],
    values: Optional[dict[str, str]],
    arguments: Namespace,
) -> None:
    """Prints a table with the columns that were asked for, and totals."""
    columns = dict(_COLUMNS)
    shown = infos
    if arguments.slots:
        slots = _slots_of(infos)
        columns["slots"] = _each(lambda info: _slots(info, slots.get(info.name, [])))
        shown = [info for info in infos if info.slot_of is None]
    if arguments.roles:
        columns.update(_role_columns(checkpoint))
    if values is not None:
        columns["value"] = _each(lambda info: values[info.name])
    output.print_columns(
        {column: list(texts(shown)) for column, texts in columns.items()},
        right=["size"],
    )
    output.say(_totals(checkpoint, infos))
    for sentence in _remarks(checkpoint) if arguments.roles else ():
        output.say(sentence)


def _role_columns(checkpoint: Checkpoint) -> Columns:
    """What a variable is for, whose it is, and what says so."""

    def owner(info: Row) -> str:
        said = checkpoint.roles[info.name]
        belongs = [said.owner or "", f"({said.optimizer})" if said.optimizer else ""]
        return " ".join(filter(None, belongs))

    def role(info: Row) -> str:
        said = checkpoint.roles[info.name]
        return f"{said.role}?" if said.is_undecided else str(said.role)

    return {
        "role": _each(role),
        "of": _each(owner),
        "evidence": _each(lambda info: checkpoint.roles[info.name].evidence),
    }


def _remarks(checkpoint: Checkpoint) -> list[str]:
    """What is undecided, and what a user said that matches nothing."""
    return checkpoint.roles.remarks()


def _add_roles(document: dict[str, Any], checkpoint: Checkpoint) -> None:
    """The same, for JSON."""
    for fields in document["variables"]:
        said = checkpoint.roles[fields["name"]]
        fields["role"] = str(said.role)
        fields["owner"], fields["optimizer"] = said.owner, said.optimizer
        fields["evidence"], fields["is_undecided"] = said.evidence, said.is_undecided
    document["remarks"] = _remarks(checkpoint)


def _each(text: Callable[[Row], str]) -> Callable[[Sequence[Row]], Iterable[str]]:
    """The column of what is said of each variable."""
    return functools.partial(map, text)


def _shapes(infos: Sequence[Row]) -> Iterable[str]:
    # Of many variables most have one of a few shapes.
    text = functools.lru_cache(lambda shape: str(list(shape)))
    return [
        f"{text(info.shape)} in {info.num_slices} slices"
        if info.num_slices
        else text(info.shape)
        for info in infos
    ]


def _sizes(infos: Sequence[Row]) -> Iterable[str]:
    return map(output.bytes_text, map(operator.attrgetter("size"), infos))


#: The columns of the table, in order.
_COLUMNS: Columns = {
    "variable": _each(operator.attrgetter("name")),
    "dtype": _each(operator.attrgetter("dtype")),
    "shape": _shapes,
    "size": _sizes,
}


def _slots_of(infos: Sequence[Row]) -> dict[str, list[Row]]:
    """The slots among some variables, by the variable they are of."""
    found: dict[str, list[Row]] = {}
    for info in infos:
        if info.slot_of is not None:
            found.setdefault(info.slot_of, []).append(info)
    return found


def _slots(info: Row, slots: Sequence[Row]) -> str:
    return ", ".join(
        re.sub(rf"^{re.escape(info.name)}/", "", slot.name) for slot in slots
    )


def _totals(checkpoint: Checkpoint, infos: Sequence[Row]) -> str:
    size = output.bytes_text(sum(info.size for info in infos))
    step = checkpoint.global_step
    return (
        f"{checkpoint.prefix}: format {checkpoint.format}, "
        f"{messages.counted(len(infos), 'variable')}, {size}, "
        f"{messages.counted(checkpoint.num_shards, 'shard')}, "
        f"{'no global step' if step is None else f'global step {step}'}"
    )


def _json(
    checkpoint: Checkpoint,
    infos: Sequence[Row],
    values: Optional[dict[str, str]],
) -> dict[str, Any]:
    variables = []
    for info in infos:
        fields = {name: getattr(info, name) for name in _FIELDS}
        if values is not None:
            fields["value"] = values[info.name]
        variables.append(fields)
    return {
        "prefix": checkpoint.prefix,
        "format": checkpoint.format,
        "global_step": checkpoint.global_step,
        "num_shards": checkpoint.num_shards,
        "size": sum(info.size for info in infos),
        "variables": variables,
        "ambiguous": {k: list(v) for k, v in checkpoint.contents.ambiguous.items()},
    }


def _value(checkpoint: Checkpoint, info: Row) -> str:
    """A small tensor's elements; of a large one, least, greatest and mean."""
    try:
        return _summary(checkpoint.reader.iter_arrays(info.key))
    except UnsupportedCheckpointError:  # a variant, a dtype of the future
        return "(only TensorFlow can read it)"


def _summary(pieces: Iterable[Any]) -> str:
    import numpy as np

    count, total = 0, 0.0
    least, greatest = float("inf"), float("-inf")
    for piece in pieces:
        if piece.dtype == object or piece.dtype.kind in "bc" or piece.size <= _SHOWN:
            more = ", ..." if piece.size > _SHOWN else ""
            # Of a float32 the digits that it has, not those of the float64 that it is.
            return f"{', '.join(map(str, piece[:_SHOWN]))}{more}"
        numbers = piece.astype(np.float64)
        count, total = count + numbers.size, total + float(numbers.sum())
        least = min(least, float(numbers.min()))
        greatest = max(greatest, float(numbers.max()))
    if not count:
        return "(empty)"
    return f"{least:.4g} to {greatest:.4g}, mean {total / count:.4g}"
