"""Convert a checkpoint, or a model dir, to another format by rewriting its index.

With --to=safetensors the result is a .safetensors file, with --layout=torch one that
PyTorch's modules load; such a file is a source, too.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from estimator_ckpt.checkpoint import formats, object_keys, roles
from estimator_ckpt.cli import output, progress_bar, shared_arguments
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.conversion import convert
from estimator_ckpt.conversion.convert import Conversion
from estimator_ckpt.conversion.targets import LAYOUTS, ROUNDED_TO, SAFETENSORS

if TYPE_CHECKING:
    from estimator_ckpt.conversion.exporting.exported_tensors import Export

#: Of --help; old_job is a model dir.
EXAMPLES = (
    "convert old_job new_job --all --to=dual",
    "convert old_job/model.ckpt-300 tf2/model.ckpt-300 --to=tf2 --dry_run",
)


def add_arguments(parser: ArgumentParser) -> None:
    shared_arguments.add_source(parser)
    parser.add_argument(
        "destination", help="the new prefix or .safetensors file, or a directory"
    )
    parser.add_argument(
        "--to", required=True, choices=(*formats.CHOICES, SAFETENSORS), help="format"
    )
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        help="PyTorch's names and kernels: of the file that is written, or is the "
        "source",
    )
    parser.add_argument(
        "--layouts",
        help="YAML file of rules for --layout, where nothing says what a variable is",
    )
    parser.add_argument(
        "--carry",
        choices=tuple(roles.CARRY),
        help="what goes into a .safetensors file: model (the default), or all, with "
        "optimizer state and the global step",
    )
    parser.add_argument(
        "--dtype",
        choices=ROUNDED_TO,
        help="what floating-point tensors of a .safetensors file are rounded to",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="every checkpoint of a model dir, and its state file",
    )
    shared_arguments.add_filters(parser)
    shared_arguments.add_map(parser)
    shared_arguments.add_names(parser)
    shared_arguments.add_roles(parser)
    shared_arguments.add_root(parser)
    parser.add_argument(
        "--step", default=object_keys.GLOBAL_STEP, help="variable under step/"
    )
    parser.add_argument(
        "--nostep",
        dest="step",
        action="store_const",
        const=None,
        help="leave the global step with the other variables",
    )
    shared_arguments.add_data(
        parser,
        "how shards get their new names: auto links them, and copies to another file "
        "system; a link keeps all bytes, also those of variables that --exclude leaves "
        "out; copy writes what is used (see slim, too)",
    )
    shared_arguments.add_overwrite(parser)
    shared_arguments.add_dry_run(parser, "print old and new keys, write nothing")
    shared_arguments.add_json(parser)


def run(arguments: Namespace) -> int:
    """Converts, or shows what would be done."""
    _require_one_of_files(arguments)
    if arguments.to == SAFETENSORS:
        return _export(arguments)
    source, wanted = arguments.source, shared_arguments.chosen_names(arguments)
    back = convert.WayBack.of(
        arguments.layout, arguments.layouts, arguments.carry, arguments.dtype
    )
    if arguments.dry_run:
        target = shared_arguments.target(arguments)
        if not arguments.all:
            planned = convert.plan(source, target, wanted, back)
            _show(planned, source, arguments.json)
            return 0
        from estimator_ckpt.conversion import model_dirs

        _show_all(model_dirs.plan(source, target, wanted), arguments.json)
        return 0
    with progress_bar.progress("converting") as progress:
        target = shared_arguments.target(arguments, progress=progress)
        if arguments.all:
            from estimator_ckpt.conversion import model_dirs

            prefixes = model_dirs.run(source, target, wanted)
        else:
            prefixes = [convert.run(source, target, wanted, back)]
    output.print_prefixes(prefixes, arguments.json)
    return 0


def _require_one_of_files(arguments: Namespace) -> None:
    """Raises UsageError for `--all` with what is about .safetensors files."""
    named = ("layout", "layouts", "carry", "dtype")
    given = [name for name in named if getattr(arguments, name) is not None]
    if arguments.all and (given or arguments.to == SAFETENSORS):
        what = f"--{given[0]}" if given else f"--to={SAFETENSORS}"
        raise UsageError(
            f"--all does not go with {what}: convert one checkpoint at a time"
        )


def _export(arguments: Namespace) -> int:
    """Writes a .safetensors file, or shows what would be in it."""
    # Not every call needs them.
    from estimator_ckpt.conversion.exporting import export_requests, exports

    with progress_bar.progress("converting") as progress:
        request = export_requests.ExportRequest.of(
            arguments.destination,
            shared_arguments.chosen_names(arguments),
            carry=arguments.carry,
            layout=arguments.layout,
            layouts=arguments.layouts,
            dtype=arguments.dtype,
            overwrite=arguments.overwrite,
            data=arguments.data,
            progress=progress,
        )
        if not arguments.dry_run:
            export = exports.run(arguments.source, request)
            convert.warn(export.sentences())
    if arguments.dry_run:
        return _show_export(exports.plan(arguments.source, request), arguments.json)
    output.print_prefixes([export.path], arguments.json)
    return 0


def _show_all(conversions: Sequence[Conversion], as_json: bool) -> None:
    if as_json:
        shown = [_json(conversion, conversion.source) for conversion in conversions]
        output.print_json({"checkpoints": shown})
        return
    for conversion in conversions:
        output.say(f"{conversion.source}:")
        _show(conversion, conversion.source, as_json)


def _show(conversion: Conversion, source: str, as_json: bool) -> None:
    if as_json:
        output.print_json(_json(conversion, source))
        return
    output.print_table(
        ["old key", "new key"],
        [
            (old or "(new)", new or "(left out)")
            for old, new in conversion.moves.changes()
        ],
    )
    for sentence in conversion.moves.unused:
        output.say(sentence)


def _json(conversion: Conversion, source: str) -> dict[str, object]:
    keys = [{"old": old, "new": new} for old, new in conversion.moves.changes()]
    return {"source": source, "keys": keys}


def _show_export(export: Export, as_json: bool) -> int:
    """Shows what would be in a .safetensors file, and why."""
    tensors = [export.tensors[name] for name in sorted(export.tensors)]
    if as_json:
        output.print_json(
            {
                "source": export.source,
                "file": export.path,
                "tensors": [
                    {
                        "name": tensor.name,
                        "variables": list(tensor.variables),
                        "dtype": tensor.dtype.name,
                        "shape": list(tensor.shape),
                        "rule": tensor.word or None,
                        "evidence": tensor.evidence or None,
                    }
                    for tensor in tensors
                ],
                "left_out": {why: list(n) for why, n in export.left_out.items()},
                "remarks": list(export.remarks),
            }
        )
        return 0
    columns = ["variable", "tensor", "what"]
    if export.rules is not None:
        columns += ["rule", "evidence"]
    output.print_table(
        columns,
        [
            (
                ", ".join(tensor.variables),
                tensor.name,
                f"{tensor.dtype.name}{list(tensor.shape)}",
                tensor.word,
                tensor.evidence,
            )[: len(columns)]
            for tensor in tensors
        ],
    )
    for sentence in export.sentences():
        output.say(sentence)
    return 0
