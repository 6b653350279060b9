"""Compare two checkpoints variable by variable."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Optional

from estimator_ckpt.checkpoint.diff import diff
from estimator_ckpt.checkpoint.differences import Difference
from estimator_ckpt.cli import output, progress_bar, report_argument, shared_arguments

#: Of --help; old_job is a model dir.
EXAMPLES = (
    "diff old_job/model.ckpt-200 old_job/model.ckpt-300 --report=diff.html",
    "diff old_job old_job/model.ckpt-300 --json",
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("a", help="a checkpoint or model dir")
    parser.add_argument("b", help="another")
    shared_arguments.add_names(
        parser, "; those that share a full name go by their paths"
    )
    shared_arguments.add_json(parser)
    shared_arguments.add_roles(parser)
    report_argument.add_argument(parser)


def run(arguments: Namespace) -> int:
    """Prints the differences; returns 1 if there are any."""
    report_argument.check(arguments)
    with progress_bar.progress("comparing") as progress:
        found = diff(
            arguments.a,
            arguments.b,
            names=arguments.names,
            optimizer_state=arguments.optimizer_state,
            model_state=arguments.model_state,
            details=arguments.json or arguments.report is not None,
            progress=progress,
        )
    if arguments.json:
        output.print_json(found.to_json())
    else:
        output.print_table(
            ["difference", "variable", "detail", "max abs", "mean abs"],
            [_row(d) for d in found.differences],
            right=["max abs", "mean abs"],
        )
        print(
            f"{len(found.differences)} differences, {found.num_equal} equal variables"
        )
        for sentence in found.remarks():
            output.say(sentence)
    report_argument.write(arguments, found)
    return 1 if found else 0


def _row(difference: Difference) -> tuple[str, ...]:
    name = difference.name
    if difference.new_name is not None:
        name = f"{name} -> {difference.new_name}"
    return (
        difference.aspect.value,
        name,
        difference.detail,
        _number(difference.max_abs),
        _number(difference.mean_abs),
    )


def _number(value: Optional[float]) -> str:
    return "" if value is None else f"{value:.4g}"
