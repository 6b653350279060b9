"""The `estimator-ckpt` command: finds the subcommand, runs it, turns errors into lines.

Each subcommand is a module `<name>_command` of this package with
`add_arguments(parser)` and `run(arguments) -> int`, imported only when it is asked
for: what a command does not need, it does not load.

Exit codes: 0 done, 1 a difference or damage was found, 2 bad usage or input (with one
line that says why), 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, Optional

from estimator_ckpt import __version__
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.tf_private.estimator_runtime.refusals import (
    EstimatorUnavailableError,
    NotInRuntimeError,
)

PROGRAM = "estimator-ckpt"

#: Subcommands, with what they do; each is in the module `<name>_command`.
COMMANDS = {
    "inspect": "show what is in a checkpoint",
    "convert": "convert a checkpoint or a model dir to another format",
    "convert_for": "write the checkpoint that a Keras model restores from, or back",
    "verify": "check every tensor against its checksum",
    "plan": "show what each variable of a target would get, before anything runs",
    "warm_start": "make a model dir that begins with old values at step 0",
    "average": "write the mean of several checkpoints",
    "diff": "compare two checkpoints variable by variable",
    "train": "train and evaluate an Estimator from flags",
    "run": "run a program that uses tf.estimator, on any TensorFlow",
}


def main(argv: Optional[Sequence[str]] = None) -> NoReturn:
    """Runs a subcommand and exits with its code.

    Args:
      argv: the arguments, without the program's name; the process's by default.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    sys.exit(run(arguments))


def run(arguments: Sequence[str]) -> int:
    """Runs a subcommand and returns its exit code; see `main`."""
    try:
        return _dispatch(arguments)
    except SystemExit as stop:  # argparse: --help, --version, bad usage
        return stop.code if isinstance(stop.code, int) else 2
    except (CheckpointError, UsageError) as error:
        return _fail(str(error))
    except (EstimatorUnavailableError, NotInRuntimeError) as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(_os_error(error))
    except KeyboardInterrupt:
        _fail("interrupted")
        return 130
    except Exception as error:
        # absl is loaded only by what has absl flags; its errors can come from no other.
        absl_flags = sys.modules.get("absl.flags")
        if absl_flags is None or not isinstance(error, absl_flags.Error):
            raise
        return _fail(str(error))


def _dispatch(arguments: Sequence[str]) -> int:
    asked = next((a for a in arguments if not a.startswith("-")), None)
    if arguments[:1] == ["run"] and arguments[1:2] not in (["-h"], ["--help"]):
        # A program's own arguments must not be parsed here.
        run_command = importlib.import_module("estimator_ckpt.cli.run_command")
        run_command.run_unparsed(arguments[1:])
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Migrate tf.estimator jobs and their checkpoints to TensorFlow 2.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="COMMAND",
        parser_class=_parser_class(asked),
    )
    if asked not in COMMANDS:
        for name, summary in COMMANDS.items():
            subparsers.add_parser(name, help=summary)
        parser.parse_args(arguments)  # --help, --version, or an error that lists them
        return 2
    module = importlib.import_module(f"estimator_ckpt.cli.{asked}_command")
    if hasattr(module, "define_flags"):
        module.define_flags()
    command = subparsers.add_parser(
        asked, help=COMMANDS[asked], description=module.__doc__
    )
    module.add_arguments(command)
    parsed = parser.parse_args(arguments)
    return int(module.run(parsed))


def _parser_class(command: Optional[str]) -> Any:
    """absl's parser for the training job, whose flags are absl flags."""
    if command != "train":
        return argparse.ArgumentParser
    from absl.flags import argparse_flags

    return argparse_flags.ArgumentParser


def _fail(message: str) -> int:
    """Prints one line to stderr and returns exit code 2."""
    line = " ".join(message.split())
    print(f"{PROGRAM}: error: {line}", file=sys.stderr)
    return 2


def _os_error(error: OSError) -> str:
    where = error.filename if error.filename is not None else "a file"
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno == errno.EPIPE:
        return "the reader of the output went away"
    return f"{where}: {reason}"
