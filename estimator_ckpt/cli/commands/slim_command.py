"""Write a checkpoint without optimizer state, and no byte that is not used."""

from __future__ import annotations

import collections
from argparse import ArgumentParser, Namespace

from estimator_ckpt.checkpoint import formats, messages, naming
from estimator_ckpt.checkpoint.roles import Overruling
from estimator_ckpt.cli import output, shared_arguments
from estimator_ckpt.conversion import slim


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", help="prefix, file of a checkpoint, or model dir")
    parser.add_argument("destination", help="the new prefix, or a directory")
    parser.add_argument(
        "--to", choices=formats.CHOICES, help="format; the source's by default"
    )
    parser.add_argument(
        "--keep_averages",
        action="store_true",
        help="keep averages of variables (ExponentialMovingAverage)",
    )
    parser.add_argument(
        "--names",
        choices=naming.CHOICES,
        default=naming.CHOICES[0],
        help="what variables of an object-based checkpoint are called",
    )
    shared_arguments.add_roles(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what is there"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> int:
    """Writes the checkpoint; prints its prefix, and its bytes before and after."""
    with output.progress("slimming") as progress:
        done = slim.run(
            arguments.source,
            arguments.destination,
            to=arguments.to,
            keep_averages=arguments.keep_averages,
            names_by=naming.parse(arguments.names),
            overruling=Overruling.of(arguments.optimizer_state, arguments.model_state),
            overwrite=arguments.overwrite,
            progress=progress,
        )
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
