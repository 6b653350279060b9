"""Write the checkpoint that a live object restores from: a Keras model, its optimizer.

The object is what a function without arguments returns, given as
package.module:function: a Keras model, a tf.train.Checkpoint, a tf.Module, or a dict of
what a tf.train.Checkpoint would track. With --to=tf1 the source is a checkpoint that
the object wrote, and the result one for a tf1 Saver.
"""

from __future__ import annotations

import dataclasses
from argparse import ArgumentParser, Namespace
from typing import Any, Optional

from estimator_ckpt.cli import (
    output,
    progress_bar,
    report_argument,
    shared_arguments,
    user_functions,
)
from estimator_ckpt.cli.commands import plan_command
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.keras.object_requests import Request

#: Of --help; old_job is a model dir.
EXAMPLES = (
    "convert_for old_job keras/ckpt --trackable=model_fns.digits_keras:trackable "
    "--assignment_map=configs/digits_keras.yaml --dry_run --report=keras.html",
    "convert_for old_job keras/ckpt --trackable=model_fns.digits_keras:trackable "
    "--assignment_map=configs/digits_keras.yaml",
)


def add_arguments(parser: ArgumentParser) -> None:
    shared_arguments.add_source(parser)
    parser.add_argument(
        "destination",
        help="the new prefix, a directory, or a file .weights.h5 or .keras",
    )
    parser.add_argument(
        "--trackable", required=True, help="package.module:function that returns it"
    )
    parser.add_argument(
        "--to", choices=("tf2", "tf1"), default="tf2", help="for the object, or back"
    )
    shared_arguments.add_map(parser)
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
    shared_arguments.add_data(parser)
    shared_arguments.add_overwrite(parser)
    shared_arguments.add_dry_run(parser, "show the plan, write nothing")
    shared_arguments.add_json(parser)
    report_argument.add_argument(parser, overwrites=True)


def run(arguments: Namespace) -> int:
    """Converts, or shows what would be done; 1 if something would be missing."""
    report_argument.check(arguments)
    with progress_bar.progress("loading", in_bytes=False):
        trackable = user_functions.trackable(arguments.trackable, "trackable")
        from estimator_ckpt.keras import convert_for

    request = _request(arguments)
    if arguments.dry_run:
        target = shared_arguments.target(arguments)
        lenient = dataclasses.replace(request, strict=False)
        plan = convert_for.rehearsed(trackable, arguments.source, target, lenient)
        code = plan_command.show(plan, arguments.json)
        report_argument.write(arguments, plan)
        return code
    from estimator_ckpt.keras import keras_files

    # Keras writes its own files, and does not tell how far it is.
    is_told = not keras_files.is_one(arguments.destination)
    with progress_bar.progress("converting", in_bytes=is_told) as progress:
        target = shared_arguments.target(arguments, progress=progress)
        written = convert_for.run(trackable, arguments.source, target, request)
    output.print_prefixes([written.path], arguments.json)
    if arguments.report is not None:
        from estimator_ckpt.reports import plan_digest

        digest = plan_digest.of(written.plan, written=written.path)
        report_argument.write(arguments, digest)
    return 0


def _request(arguments: Namespace) -> Request:
    """What is asked for, checked."""
    converts: Any = arguments.converts_optimizers
    if converts and arguments.optimizer_state:
        converts = arguments.optimizer_state  # says which variables these are, too
    return Request.of(
        names=arguments.names,
        assignment_map=shared_arguments.assignment_map(arguments),
        layouts=arguments.layouts,
        optimizer_state=converts,
        model_state=arguments.model_state,
        iterations=_iterations(arguments.iterations),
        input_shape=_shape(arguments.input_shape),
        strict=arguments.strict,
        save_counter=arguments.save_counter,
    )


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
