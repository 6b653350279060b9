"""Write a checkpoint without optimizer state, and no byte that is not used."""

from __future__ import annotations

import collections
from argparse import ArgumentParser, Namespace

from estimator_ckpt.checkpoint import messages, naming
from estimator_ckpt.cli import output, progress_bar, shared_arguments
from estimator_ckpt.conversion import slim
from estimator_ckpt.conversion.slim import Slimming

#: Of --help; old_job is a model dir.
EXAMPLES = (
    "slim old_job serving/",
    "slim old_job/model.ckpt-200 serving/model.ckpt-200 --keep_averages",
)


def add_arguments(parser: ArgumentParser) -> None:
    shared_arguments.add_source(parser)
    parser.add_argument("destination", help="the new prefix, or a directory")
    shared_arguments.add_to(parser, "format; the source's by default")
    parser.add_argument(
        "--keep_averages",
        action="store_true",
        help="keep averages of variables (ExponentialMovingAverage)",
    )
    shared_arguments.add_names(parser)
    shared_arguments.add_roles(parser)
    shared_arguments.add_overwrite(parser)
    shared_arguments.add_json(parser)


def run(arguments: Namespace) -> int:
    """Writes the checkpoint; prints its prefix, and its bytes before and after."""
    wanted = Slimming(
        naming.parse(arguments.names),
        arguments.keep_averages,
        shared_arguments.overruling(arguments),
    )
    with progress_bar.progress("slimming") as progress:
        target = shared_arguments.compact_target(arguments, progress)
        done = slim.run(arguments.source, target, wanted)
    if arguments.json:
        output.print_json(
            {
                "prefixes": [done.prefix],
                "bytes_before": done.before,
                "bytes_after": done.after,
                "left_out": {name: str(role) for name, role in done.left_out.items()},
            }
        )
        return 0
    output.print_prefixes([done.prefix], as_json=False)
    counts = collections.Counter(map(str, done.left_out.values()))
    output.say(
        f"{done.before} bytes before, {done.after} after; left out: "
        f"{messages.counts(counts) or 'nothing'}"
    )
    return 0
