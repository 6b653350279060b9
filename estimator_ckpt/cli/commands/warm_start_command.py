"""Make a model dir whose first checkpoint has the values of an old one, at step 0."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from estimator_ckpt.checkpoint import naming
from estimator_ckpt.cli import output, progress_bar, shared_arguments
from estimator_ckpt.cli.commands import plan_command
from estimator_ckpt.conversion import first_checkpoint
from estimator_ckpt.conversion.first_plans import FirstCheckpoint
from estimator_ckpt.conversion.targets import local_path

#: Of --help; old_job is a model dir.
EXAMPLES = (
    "warm_start old_job warm_job --to=tf2 --carry=model",
    "warm_start old_job other_job --reset=logits --dry_run",
)


def add_arguments(parser: ArgumentParser) -> None:
    shared_arguments.add_source(parser)
    parser.add_argument("destination", help="the new model dir")
    shared_arguments.add_to(parser, "format", default="tf2")
    shared_arguments.add_carry(
        parser,
        "all",
        "trainable variables, the model's state too, or optimizer state too",
    )
    shared_arguments.add_filters(parser)
    shared_arguments.add_map(parser)
    shared_arguments.add_names(parser)
    shared_arguments.add_roles(parser)
    shared_arguments.add_root(parser)
    shared_arguments.add_data(parser)
    parser.add_argument(
        "--strict", action="store_true", help="stop where something matches nothing"
    )
    shared_arguments.add_overwrite(parser)
    shared_arguments.add_dry_run(parser, "show the plan, write nothing")
    shared_arguments.add_json(parser)


def run(arguments: Namespace) -> int:
    """Makes the model dir, or shows what would be in it; refuses alike either way."""
    first = FirstCheckpoint(
        local_path(arguments.destination),
        shared_arguments.choice(arguments),
        naming.parse(arguments.names),
        arguments.root,
        arguments.strict,
    )
    if arguments.dry_run:
        target = shared_arguments.target(arguments, first.prefix)
        planned = first_checkpoint.plan(arguments.source, first, target)
        return plan_command.show(planned, arguments.json)
    with progress_bar.progress("warm-starting") as progress:
        target = shared_arguments.target(arguments, first.prefix, progress)
        prefix = first_checkpoint.run(arguments.source, first, target)
    output.print_prefixes([prefix], arguments.json)
    return 0
