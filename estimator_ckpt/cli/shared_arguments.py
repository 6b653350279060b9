"""The arguments that several commands have, and what they ask for as data.

Each `add_...` adds some to a parser; the functions below them read what was parsed.
What a command does not have is as if it was not given.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any, Optional

from estimator_ckpt.checkpoint import formats, naming, object_keys

if TYPE_CHECKING:  # a command loads what it needs
    from estimator_ckpt.bundle.files import Progress
    from estimator_ckpt.checkpoint.roles import Overruling
    from estimator_ckpt.conversion.chosen_names import Naming
    from estimator_ckpt.conversion.targets import CompactTarget, Target
    from estimator_ckpt.maps.choices import Choice


#: What every command takes for a checkpoint: what `prefixes.find` does.
CHECKPOINT = (
    "prefix, file of a checkpoint, model dir, SavedModel, .safetensors file, or "
    "frozen graph (.pb)"
)


def add_source(parser: ArgumentParser) -> None:
    """Adds the checkpoint that a command reads, which it does not change."""
    parser.add_argument("source", help=CHECKPOINT)


def add_filters(parser: ArgumentParser) -> None:
    """Adds the arguments that every command with a choice of variables has."""
    parser.add_argument("--include", action="append", help="regex of variables to take")
    parser.add_argument(
        "--exclude", action="append", help="regex of variables to leave out"
    )


def add_map(parser: ArgumentParser) -> None:
    """Adds the arguments that give variables new names."""
    parser.add_argument(
        "--assignment_map",
        help="YAML or JSON file of new names (a list of several copies), or "
        "builtin:NAME",
    )
    parser.add_argument(
        "--use_ema",
        action="store_true",
        help="averages (ExponentialMovingAverage) take the place of their variables",
    )


def add_names(parser: ArgumentParser, more: str = "") -> None:
    """Adds the argument that says what variables are called; `more` for its help."""
    parser.add_argument(
        "--names",
        choices=naming.CHOICES,
        default=naming.CHOICES[0],
        help=f"what variables of an object-based checkpoint are called{more}",
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


def add_carry(parser: ArgumentParser, default: Optional[str], what: str) -> None:
    """Adds the arguments of a warm start; `what` is the help of `--carry`."""
    from estimator_ckpt.checkpoint.roles import CARRY

    parser.add_argument("--carry", choices=list(CARRY), default=default, help=what)
    parser.add_argument(
        "--reset", action="append", help="regex of variables to leave initial"
    )


def add_to(parser: ArgumentParser, what: str, default: Optional[str] = None) -> None:
    """Adds the result's format, needed unless `what` names a default."""
    parser.add_argument("--to", choices=formats.CHOICES, default=default, help=what)


def add_root(parser: ArgumentParser) -> None:
    """Adds the name of the dictionary in an object-based result."""
    parser.add_argument("--root", help="dictionary of the variables, for var_list")


def add_data(
    parser: ArgumentParser, what: str = "how shards get their new names"
) -> None:
    """Adds how data shards get their new names; `what` is its help."""
    from estimator_ckpt.conversion.targets import DATA

    parser.add_argument("--data", choices=DATA, default="auto", help=what)


def add_overwrite(parser: ArgumentParser) -> None:
    """Adds the argument of every command that writes."""
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what is there"
    )


def add_dry_run(parser: ArgumentParser, what: str) -> None:
    """Adds the argument of the commands that can show first what they would do."""
    parser.add_argument("--dry_run", action="store_true", help=what)


def add_json(parser: ArgumentParser) -> None:
    """Adds the argument of every command that prints."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def assignment_map(arguments: Namespace) -> Any:
    """The map that was given, averages first with `--use_ema`."""
    if arguments.use_ema:
        return ["builtin:use_ema", arguments.assignment_map]
    return arguments.assignment_map


def overruling(arguments: Namespace) -> Overruling:
    """What was said of variables' roles."""
    from estimator_ckpt.checkpoint.roles import Overruling

    return Overruling.of(arguments.optimizer_state, arguments.model_state)


def chosen_names(arguments: Namespace) -> Naming:
    """Which variables a conversion takes, and what they are called."""
    from estimator_ckpt.conversion.chosen_names import Naming

    return Naming.of(
        names=arguments.names,
        root=arguments.root,
        step=getattr(arguments, "step", object_keys.GLOBAL_STEP),
        assignment_map=assignment_map(arguments),
        include=arguments.include,
        exclude=arguments.exclude,
        optimizer_state=arguments.optimizer_state,
        model_state=arguments.model_state,
    )


def choice(arguments: Namespace) -> Choice:
    """Which variables a plan carries, and how."""
    from estimator_ckpt.maps.choices import Choice

    return Choice.of(
        carry=arguments.carry,
        include=arguments.include,
        exclude=arguments.exclude,
        reset=arguments.reset,
        assignment_map=assignment_map(arguments),
        cast=getattr(arguments, "cast", False),
        resize=getattr(arguments, "resize", None),
        optimizer_state=arguments.optimizer_state,
        model_state=arguments.model_state,
    )


def target(
    arguments: Namespace,
    destination: Optional[str] = None,
    progress: Optional[Progress] = None,
) -> Target:
    """Where a conversion's result goes: the destination given, unless another is."""
    from estimator_ckpt.conversion.targets import Target

    where = arguments.destination if destination is None else destination
    return Target.of(where, arguments.to, arguments.data, arguments.overwrite, progress)


def compact_target(
    arguments: Namespace, progress: Optional[Progress] = None
) -> CompactTarget:
    """Where the result of a command goes that writes only what is used."""
    from estimator_ckpt.conversion.targets import CompactTarget

    return CompactTarget.of(
        arguments.destination, arguments.to, arguments.overwrite, progress
    )
