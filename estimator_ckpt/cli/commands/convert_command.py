"""Convert a checkpoint, or a model dir, to another format by rewriting its index.

With --to=safetensors the result is a .safetensors file, with --layout=torch one that
PyTorch's modules load; such a file is a source, too.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from estimator_ckpt.checkpoint import formats, object_keys, roles
from estimator_ckpt.cli import output, shared_arguments
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.conversion.convert import Conversion, convert, plan_conversion
from estimator_ckpt.conversion.targets import DATA, SAFETENSORS

if TYPE_CHECKING:
    from estimator_ckpt.conversion.exporting.exports import Export


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", help="prefix, file of a checkpoint, or model dir")
    parser.add_argument(
        "destination", help="the new prefix or .safetensors file, or a directory"
    )
    parser.add_argument(
        "--to", required=True, choices=(*formats.CHOICES, SAFETENSORS), help="format"
    )
    parser.add_argument(
        "--layout",
        choices=("torch",),
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
        choices=("float16", "bfloat16", "float32"),
        help="what floating-point tensors of a .safetensors file are rounded to",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="every checkpoint of a model dir, and its state file",
    )
    shared_arguments.add_arguments(parser)
    shared_arguments.add_roles(parser)
    parser.add_argument("--root", help="dictionary of the variables, for var_list")
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
    parser.add_argument(
        "--data",
        choices=DATA,
        default="auto",
        help="how shards get their new names: a link keeps all bytes, also those of "
        "variables that --exclude leaves out; copy writes what is used (see slim, too)",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what is there"
    )
    parser.add_argument(
        "--dry_run", action="store_true", help="print old and new keys, write nothing"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> int:
    """Converts, or shows what would be done."""
    options: dict[str, Any] = {
        "to": arguments.to,
        **shared_arguments.options(arguments),
        **_of_files(arguments),
        "root": arguments.root,
        "step": arguments.step,
    }
    if arguments.dry_run:
        return _show(arguments, options)
    function: Callable[..., Any] = convert
    if arguments.all:
        from estimator_ckpt.conversion import model_dirs

        function = model_dirs.convert_model_dir
    with output.progress("converting") as progress:
        result = function(
            arguments.source,
            arguments.destination,
            **options,
            data=arguments.data,
            overwrite=arguments.overwrite,
            progress=progress,
        )
    prefixes = [result] if isinstance(result, str) else result
    output.print_prefixes(prefixes, arguments.json)
    return 0


def _of_files(arguments: Namespace) -> dict[str, Any]:
    """The options that are about .safetensors files, if any is given."""
    given = {
        name: getattr(arguments, name)
        for name in ("layout", "layouts", "carry", "dtype")
        if getattr(arguments, name) is not None
    }
    if arguments.all and (given or arguments.to == SAFETENSORS):
        what = f"--{next(iter(given))}" if given else f"--to={SAFETENSORS}"
        raise UsageError(
            f"--all does not go with {what}: convert one checkpoint at a time"
        )
    return given


def _show(arguments: Namespace, options: dict[str, Any]) -> int:
    pairs = [(arguments.source, arguments.destination)]
    if arguments.all:
        from estimator_ckpt.conversion import model_dirs

        pairs = model_dirs.moves(arguments.source, arguments.destination)
    options["overwrite"] = arguments.overwrite
    planned = [(old, plan_conversion(old, new, **options)) for old, new in pairs]
    shown = []
    for source, conversion in planned:
        if not isinstance(conversion, Conversion):
            return _show_export(conversion, arguments.json)
        moves = conversion.moves
        changes = moves.changes()
        if arguments.json:
            keys = [{"old": a, "new": b} for a, b in changes]
            shown.append({"source": source, "keys": keys})
            continue
        if arguments.all:
            output.say(f"{source}:")
        output.print_table(
            ["old key", "new key"],
            [(old or "(new)", new or "(left out)") for old, new in changes],
        )
        for sentence in moves.unused:
            output.say(sentence)
    if arguments.json:
        output.print_json({"checkpoints": shown} if arguments.all else shown[0])
    return 0


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
