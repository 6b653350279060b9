"""Convert a checkpoint, or a model dir, to another format by rewriting its index."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any

from estimator_ckpt.checkpoint import formats, object_keys
from estimator_ckpt.cli import output, shared_arguments
from estimator_ckpt.conversion.convert import convert, plan_conversion
from estimator_ckpt.conversion.targets import DATA


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", help="prefix, file of a checkpoint, or model dir")
    parser.add_argument("destination", help="the new prefix, or a directory")
    parser.add_argument("--to", required=True, choices=formats.CHOICES, help="format")
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


def _show(arguments: Namespace, options: dict[str, Any]) -> int:
    pairs = [(arguments.source, arguments.destination)]
    if arguments.all:
        from estimator_ckpt.conversion import model_dirs

        pairs = model_dirs.moves(arguments.source, arguments.destination)
    options["overwrite"] = arguments.overwrite
    planned = [(old, plan_conversion(old, new, **options)) for old, new in pairs]
    shown = []
    for source, conversion in planned:
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
