"""The arguments that say which variables are taken, and under which names."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from estimator_ckpt.checkpoint import naming

_ROLES = ("optimizer_state", "model_state")


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the arguments that every command with a choice of variables has."""
    parser.add_argument("--include", action="append", help="regex of variables to take")
    parser.add_argument(
        "--exclude", action="append", help="regex of variables to leave out"
    )
    add_names(parser)


def add_names(parser: ArgumentParser) -> None:
    """Adds the arguments that say what variables are called."""
    parser.add_argument(
        "--assignment_map", help="YAML or JSON file of new names, or builtin:NAME"
    )
    parser.add_argument(
        "--use_ema",
        action="store_true",
        help="averages (ExponentialMovingAverage) take the place of their variables",
    )
    parser.add_argument(
        "--names",
        choices=naming.CHOICES,
        default=naming.CHOICES[0],
        help="what variables of an object-based checkpoint are called",
    )


def add_roles(parser: ArgumentParser) -> None:
    """Adds the arguments that overrule what variables are for."""
    parser.add_argument(
        "--optimizer_state",
        action="append",
        metavar="REGEX",
        help="variables that are optimizer state, whatever the evidence says",
    )
    parser.add_argument(
        "--model_state",
        action="append",
        metavar="REGEX",
        help="variables that are not optimizer state; this one wins",
    )


def add_reset(parser: ArgumentParser) -> None:
    """Adds the argument of the commands that leave variables as they are."""
    parser.add_argument(
        "--reset", action="append", help="regex of variables to leave initial"
    )


def options(arguments: Namespace) -> dict[str, Any]:
    """What was chosen, as keywords of the Python calls."""
    given = vars(arguments)
    known = ("include", "exclude", "assignment_map", "names", "reset", *_ROLES)
    chosen = {name: given[name] for name in known if name in given}
    if arguments.use_ema:
        chosen["assignment_map"] = ["builtin:use_ema", arguments.assignment_map]
    return chosen
