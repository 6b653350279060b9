"""Write the checkpoint that a live object restores from: a Keras model, its optimizer.

The object is what a function without arguments returns, given as
package.module:function: a Keras model, a tf.train.Checkpoint, a tf.Module, or a dict of
what a tf.train.Checkpoint would track. With --to=tf1 the source is a checkpoint that
the object wrote, and the result one for a tf1 Saver.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any, Optional

from estimator_ckpt.cli import (
    output,
    report_argument,
    shared_arguments,
    user_functions,
)
from estimator_ckpt.cli.commands import plan_command
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.conversion.targets import DATA


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", help="prefix, file of a checkpoint, or model dir")
    parser.add_argument(
        "destination", help="the new prefix, a directory, or a file .weights.h5"
    )
    parser.add_argument(
        "--trackable", required=True, help="package.module:function that returns it"
    )
    parser.add_argument(
        "--to", choices=("tf2", "tf1"), default="tf2", help="for the object, or back"
    )
    shared_arguments.add_names(parser)
    shared_arguments.add_roles(parser)
    parser.add_argument(
        "--layouts", help="YAML file of rules for layers that are laid out otherwise"
    )
    parser.add_argument(
        "--iterations",
        action="append",
        default=[],
        help="steps that the optimizer took; of one of several: path=steps",
    )
    parser.add_argument(
        "--input_shape", help="what to build a model with: None,28,28,1"
    )
    parser.add_argument(
        "--nooptimizer_state",
        dest="converts_optimizers",
        action="store_false",
        help="leave the optimizer's own values",
    )
    for name, meaning in (
        ("strict", "leave what the source lacks at the object's own values"),
        ("save_counter", "write none: for load_weights and tf.train.Checkpoint.read"),
    ):
        parser.add_argument(
            f"--no{name}", dest=name, action="store_false", help=meaning
        )
    parser.add_argument(
        "--data", choices=DATA, default="auto", help="how shards get their new names"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what is there"
    )
    parser.add_argument(
        "--dry_run", action="store_true", help="show the plan, write nothing"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    report_argument.add_argument(parser, overwrites=True)


def run(arguments: Namespace) -> int:
    """Converts, or shows what would be done; 1 if something would be missing."""
    report_argument.check(arguments)
    trackable = user_functions.trackable(arguments.trackable, "trackable")
    from estimator_ckpt.keras.convert_for import convert_for, plan_for

    options: dict[str, Any] = {
        "to": arguments.to,
        **shared_arguments.options(arguments),
        "layouts": arguments.layouts,
        "iterations": _iterations(arguments.iterations),
        "input_shape": _shape(arguments.input_shape),
        "save_counter": arguments.save_counter,
    }
    if not options["optimizer_state"] or not arguments.converts_optimizers:
        options["optimizer_state"] = arguments.converts_optimizers
    planned = None
    if arguments.dry_run or arguments.report is not None:
        planned = plan_for(trackable, arguments.source, **options)
    if planned is not None and arguments.dry_run:
        plan_command.show(planned, arguments.json)
        report_argument.write(arguments, planned)
        return 1 if planned.problems else 0
    with output.progress("converting") as progress:
        written = convert_for(
            trackable,
            arguments.source,
            arguments.destination,
            **options,
            strict=arguments.strict,
            data=arguments.data,
            overwrite=arguments.overwrite,
            progress=progress,
        )
    output.print_prefixes([written], arguments.json)
    if planned is not None:
        from estimator_ckpt.reports import plan_digest

        report_argument.write(arguments, plan_digest.of(planned, written=written))
    return 0


def _iterations(given: list[str]) -> Any:
    """One number, or numbers by path; None if there is none."""
    found: dict[str, int] = {}
    for text in given:
        path, _, number = text.rpartition("=")
        if not number.isdigit() or (not path and len(given) > 1):
            raise UsageError(
                f"--iterations={text}: give a number of steps, or of each optimizer "
                f"path=steps"
            )
        found[path] = int(number)
    return found.get("", found or None)


def _shape(text: Optional[str]) -> Optional[list[Optional[int]]]:
    if text is None:
        return None
    sizes = text.strip("()[] ").split(",")
    try:
        return [None if s.strip() == "None" else int(s) for s in sizes if s.strip()]
    except ValueError:
        raise UsageError(
            f"--input_shape={text}: give sizes such as None,28,28,1"
        ) from None
