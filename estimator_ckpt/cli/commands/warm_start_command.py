"""Make a model dir whose first checkpoint has the values of an old one, at step 0."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from estimator_ckpt.checkpoint import formats, roles
from estimator_ckpt.cli import output, shared_arguments
from estimator_ckpt.cli.commands import plan_command
from estimator_ckpt.conversion.first_checkpoint import (
    plan_model_dir,
    warm_start_model_dir,
)
from estimator_ckpt.conversion.targets import DATA


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", help="prefix, file of a checkpoint, or model dir")
    parser.add_argument("destination", help="the new model dir")
    parser.add_argument("--to", choices=formats.CHOICES, default="tf2", help="format")
    parser.add_argument(
        "--carry",
        choices=list(roles.CARRY),
        default="all",
        help="trainable variables, the model's state too, or optimizer state too",
    )
    shared_arguments.add_arguments(parser)
    shared_arguments.add_roles(parser)
    shared_arguments.add_reset(parser)
    parser.add_argument("--root", help="dictionary of the variables, for var_list")
    parser.add_argument(
        "--data", choices=DATA, default="auto", help="how shards get their new names"
    )
    parser.add_argument(
        "--strict", action="store_true", help="stop where something matches nothing"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what is there"
    )
    parser.add_argument(
        "--dry_run", action="store_true", help="show the plan, write nothing"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> int:
    """Makes the model dir, or shows what would be in it; 1 if something would not."""
    options = shared_arguments.options(arguments)
    if arguments.dry_run:
        planned = plan_model_dir(
            arguments.source,
            arguments.destination,
            carry=arguments.carry,
            overwrite=arguments.overwrite,
            strict=arguments.strict,
            **options,
        )
        plan_command.show(planned, arguments.json)
        return 1 if planned.problems else 0
    with output.progress("warm-starting") as progress:
        prefix = warm_start_model_dir(
            arguments.source,
            arguments.destination,
            to=arguments.to,
            carry=arguments.carry,
            root=arguments.root,
            data=arguments.data,
            strict=arguments.strict,
            overwrite=arguments.overwrite,
            progress=progress,
            **options,
        )
    output.print_prefixes([prefix], arguments.json)
    return 0
