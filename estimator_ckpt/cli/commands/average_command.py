"""Average checkpoints of one model: those named, or the last of a model dir."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from estimator_ckpt.cli import output, progress_bar, shared_arguments
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.conversion import average

#: Of --help; old_job is a model dir.
EXAMPLES = (
    "average old_job mean/model.ckpt-300 --last=3",
    "average old_job/model.ckpt-200 old_job/model.ckpt-300 average/",
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "sources", nargs="+", help="checkpoints; or one model dir, with --last"
    )
    parser.add_argument("destination", help="the new prefix, or a directory")
    parser.add_argument("--last", type=int, help="average so many of its last")
    shared_arguments.add_to(parser, "format; as the newest")
    shared_arguments.add_filters(parser)
    shared_arguments.add_map(parser)
    shared_arguments.add_names(parser)
    shared_arguments.add_roles(parser)
    shared_arguments.add_root(parser)
    shared_arguments.add_overwrite(parser)
    shared_arguments.add_json(parser)


def run(arguments: Namespace) -> int:
    """Writes the mean and prints its prefix."""
    if arguments.last is None and len(arguments.sources) < 2:
        raise UsageError("average: name two checkpoints or more, or give --last")
    if arguments.last is not None and (arguments.last < 1 or arguments.sources[1:]):
        raise UsageError("average: --last is a number of checkpoints of one model dir")
    with progress_bar.progress("averaging") as progress:
        prefix = average.run(
            average.paths_of(arguments.sources, arguments.last),
            shared_arguments.compact_target(arguments, progress),
            shared_arguments.chosen_names(arguments),
        )
    output.print_prefixes([prefix], arguments.json)
    return 0
