"""The `estimator-ckpt` command: finds the subcommand, runs it, turns errors into lines.

Each subcommand is a module of `cli/commands/`, imported only when it is asked for: what
a command does not need, it does not load.

Exit codes: 0 done, 1 a difference or damage was found, 2 bad usage or input (with one
line that says why), 130 interrupted, 143 and 129 stopped by SIGTERM and SIGHUP.
"""

from __future__ import annotations

# Next to nothing is imported before `run` is there to meet an interrupt with a line.
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence
    from typing import Any, NoReturn, Optional

PROGRAM = "estimator-ckpt"

#: Subcommands, with what they do; each is in the module `commands/<name>_command`.
COMMANDS = {
    "inspect": "show what is in a checkpoint",
    "convert": "convert a checkpoint or a model dir to another format",
    "convert_for": "write the checkpoint that a Keras model restores from, or back",
    "verify": "check every tensor against its checksum",
    "plan": "show what each variable of a target would get, before anything runs",
    "warm_start": "make a model dir that begins with old values at step 0",
    "average": "write the mean of several checkpoints",
    "slim": "write a checkpoint without optimizer state",
    "diff": "compare two checkpoints variable by variable",
    "train": "train and evaluate an Estimator from flags",
    "run": "run a program that uses tf.estimator, on any TensorFlow",
    "doctor": "say whether tf.estimator jobs run here",
    "completion": "print what makes a shell complete these commands",
}

#: Modules that have something to do when a process ends.
_WHAT_ENDS_ITSELF = frozenset(
    {"absl", "coverage", "keras", "multiprocessing", "tensorflow", "torch"}
)

#: What `estimator-ckpt` alone says.
_WHAT_TO_TRY = f"""\
{PROGRAM}: migrate tf.estimator jobs and their checkpoints to TensorFlow 2

Try first, which writes nothing:
  {PROGRAM} inspect MODEL_DIR      what is in its latest checkpoint
  {PROGRAM} doctor                 whether tf.estimator jobs run here
  {PROGRAM} plan OLD NEW           what each variable of NEW would get from OLD

Then:
  {PROGRAM} convert MODEL_DIR NEW_DIR --to=dual
                                       keys of TensorFlow 1 and 2, at the size of one

All commands: {PROGRAM} --help. Each has examples: {PROGRAM} COMMAND --help
"""


def main(argv: Optional[Sequence[str]] = None) -> NoReturn:
    """Runs a subcommand and exits with its code.

    Args:
      argv: the arguments, without the program's name; the process's by default.
    """
    if argv is not None:
        sys.exit(run(list(argv)))
    code = run(sys.argv[1:], ends_process=True)
    _end_at_once(code)
    sys.exit(code)


def _end_at_once(code: int) -> None:
    """Ends the process without freeing each object first, where nothing else is left.

    That saves up to 8 of 50 ms, and 50 ms of 100,000 variables. Some libraries have
    things to do at the end, and so has who measures the process.
    """
    is_watched = sys.gettrace() or sys.getprofile()
    if _WHAT_ENDS_ITSELF.isdisjoint(sys.modules) and not is_watched:
        import contextlib
        import os

        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # which was said where it matters
                stream.flush()
        os._exit(code)


def run(arguments: Sequence[str], ends_process: bool = False) -> int:
    """Runs a subcommand and returns its exit code; see `main`.

    Args:
      arguments: its name, and what follows that.
      ends_process: whether the process has nothing else to do.
    """
    try:
        import estimator_ckpt

        problem = estimator_ckpt._problem_of_python()
        if problem:
            print(f"{PROGRAM}: error: {problem}", file=sys.stderr)
            return 2
        if _is_job(arguments):
            return _run(arguments)
        from estimator_ckpt.cli import garbage

        if ends_process:
            garbage.collect_rarely()
            return _run(arguments)
        with garbage.collected_rarely():
            return _run(arguments)
    except KeyboardInterrupt:
        _fail("interrupted")
        return 130
    except OSError as error:
        return _fail(_os_error(error))
    except Exception as error:
        from estimator_ckpt.cli import keras_choice

        if isinstance(error, keras_choice.NeedsTfKerasError):
            keras_choice.begin_anew(error, arguments)
        if not isinstance(error, _expected()):
            raise
        return _fail(str(error))


def _is_job(arguments: Sequence[str]) -> bool:
    """Whether a training job runs, which has signals and garbage of its own."""
    return arguments[:1] in (["run"], ["train"])


def _run(arguments: Sequence[str]) -> int:
    """Runs a subcommand until it is done or told to stop; returns its exit code."""
    from estimator_ckpt.cli import stop_signals, streams

    streams.prepare()
    try:
        if _is_job(arguments):
            code = _dispatch(arguments)
        else:
            with stop_signals.raised():
                code = _dispatch(arguments)
    except SystemExit as stop:  # argparse: --help, --version, bad usage
        code = stop.code if isinstance(stop.code, int) else 2
    except stop_signals.Stopped as stopped:
        _fail(f"stopped by {stopped}")
        return stopped.exit_code
    streams.flush()
    return code


def _expected() -> tuple[type[Exception], ...]:
    """The errors that say in one line what is wrong with what a user gave."""
    from estimator_ckpt.bundle.errors import CheckpointError
    from estimator_ckpt.cli.usage_errors import UsageError
    from estimator_ckpt.tf_private.estimator_runtime import refusals

    return (
        CheckpointError,
        UsageError,
        refusals.EstimatorUnavailableError,
        refusals.NotInRuntimeError,
    )


def _dispatch(arguments: Sequence[str]) -> int:
    import importlib

    if not arguments:
        print(_WHAT_TO_TRY, end="", file=sys.stderr)
        return 2
    asked = next((a for a in arguments if not a.startswith("-")), None)
    if arguments[:1] == ["run"] and arguments[1:2] not in (["-h"], ["--help"]):
        # A program's own arguments must not be parsed here.
        run_command = importlib.import_module("estimator_ckpt.cli.commands.run_command")
        run_command.run_unparsed(arguments[1:])
    parser, subparsers = _parsers()
    if asked not in COMMANDS:
        if asked is not None and arguments[0] == asked:
            from estimator_ckpt.cli import near_words

            raise near_words.no_command(asked, COMMANDS)
        for name, summary in COMMANDS.items():
            subparsers.add_parser(name, help=summary)
        parser.parse_args(arguments)  # --help, --version, or an error that lists them
        return 2
    module = _add_command(subparsers, asked)
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        from estimator_ckpt.cli import near_words

        command = subparsers.choices[asked]
        command.error(near_words.unknown(unknown, command.format_help()))
    parsed.given = list(arguments)
    return int(module.run(parsed))


def every_parser() -> tuple[ArgumentParser, dict[str, ArgumentParser]]:
    """The parser of all commands with their arguments, and theirs, by name."""
    parser, subparsers = _parsers()
    for name in COMMANDS:
        _add_command(subparsers, name)
    return parser, dict(subparsers.choices)


def _parsers() -> tuple[ArgumentParser, Any]:
    """The parser of the program, and what takes the commands' parsers."""
    import argparse

    from estimator_ckpt import __version__

    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Migrate tf.estimator jobs and their checkpoints to TensorFlow 2.",
        formatter_class=_without_a_terminal,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.formatter_class = argparse.HelpFormatter
    parser_class: Any = _parser_of
    subparsers = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="COMMAND",
        parser_class=parser_class,
        prog=PROGRAM,
    )
    return parser, subparsers


def _add_command(subparsers: Any, name: str) -> Any:
    """Adds a command's parser; returns its module."""
    import argparse
    import importlib

    module = importlib.import_module(f"estimator_ckpt.cli.commands.{name}_command")
    if hasattr(module, "define_flags"):
        module.define_flags()
    command = subparsers.add_parser(
        name,
        help=COMMANDS[name],
        description=module.__doc__,
        epilog=_examples(module.EXAMPLES),
        formatter_class=_without_a_terminal,
    )
    module.add_arguments(command)
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    return module


def _without_a_terminal(prog: str) -> Any:
    """What argparse tries each argument with, which needs no terminal's size.

    To ask for that imports what compresses files.
    """
    import argparse

    return argparse.RawDescriptionHelpFormatter(prog, width=80)


def _examples(lines: Sequence[str]) -> str:
    """The end of a command's --help: examples, each one that runs as it is."""
    wrapped = (" \\\n      ".join(_folded(f"{PROGRAM} {line}")) for line in lines)
    return "examples:\n" + "\n".join(f"  {line}" for line in wrapped)


def _folded(text: str, width: int = 76) -> list[str]:
    """A text in lines of whole words: what `textwrap.wrap` makes, less its import."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _parser_of(**options: Any) -> ArgumentParser:
    """The parser of a command; of the training job, whose flags are absl's, another."""
    if options["prog"].endswith(" train"):
        from estimator_ckpt.cli.flag_parser import FlagParser

        return FlagParser(**options)  # type: ignore[no-untyped-call,unused-ignore]
    from argparse import ArgumentParser

    return ArgumentParser(**options)


def _fail(message: str) -> int:
    """Prints one line to stderr and returns exit code 2."""
    import contextlib

    from estimator_ckpt.bundle.printing import one_line

    line = " ".join(one_line(message).split())
    with contextlib.suppress(OSError):  # there is nobody to be told
        print(f"{PROGRAM}: error: {line}", file=sys.stderr)
    return 2


def _os_error(error: OSError) -> str:
    import errno
    import os

    if error.errno == errno.EPIPE:
        return "the reader of the output went away"
    where = error.filename if error.filename is not None else "the output"
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"{where}: {reason}"
