"""Run a Python program that uses tf.estimator on any TensorFlow, as it is.

    estimator-ckpt run SCRIPT [ARGS...]
    estimator-ckpt run -m MODULE [ARGS...]

The program is started by `python`: arguments, exit code, signals, standard input and
output are its own. In it, and in the Python processes that it starts, tf.estimator
works on TensorFlow 2.16 and later, and tf.keras is tf-keras. On earlier versions
nothing is changed.

TensorFlow's deprecation warnings are cut down to one line; --warnings shows them all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from typing import NoReturn, Optional

from estimator_ckpt.cli import run_startup
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.estimator import runtime

USAGE = "estimator-ckpt run [--warnings] SCRIPT | -m MODULE [ARGS...]"
#: Of the options that this Python was started with, those that are about itself.
_OWN_OPTIONS = {"-E", "-I", "-P", "-S", "-s"}


#: Of --help.
EXAMPLES = (
    "run train.py --model_dir=job",
    "run -m estimator_ckpt doctor",
)


def add_arguments(parser: ArgumentParser) -> None:
    """For --help only: what follows SCRIPT is the script's, and is not parsed."""
    parser.usage = USAGE
    parser.add_argument(
        "--warnings",
        action="store_true",
        help="show each of TensorFlow's deprecation warnings",
    )
    parser.add_argument("script", metavar="SCRIPT", help="or -m MODULE")
    parser.add_argument("args", metavar="ARGS", nargs="...", help="the script's own")


def run(arguments: Namespace) -> NoReturn:
    """Never called with parsed arguments; see `run_unparsed`."""
    raise UsageError(USAGE)


def run_unparsed(arguments: Sequence[str]) -> NoReturn:
    """Replaces this process by a Python that runs the program.

    Args:
      arguments: what stands after `run`.

    Raises:
      UsageError: there is no such program.
      EstimatorUnavailableError: tf.estimator cannot run here.
    """
    rest = list(arguments)
    shows_warnings = False
    while rest and rest[0] in ("--warnings", "--"):
        shows_warnings |= rest.pop(0) == "--warnings"
    _check(rest)
    runtime.check()
    environment = os.environ
    environment[run_startup.RUN] = sys.prefix
    environment.pop(run_startup.WARNINGS, None)
    if shows_warnings:
        environment[run_startup.WARNINGS] = "1"
    environment["PYTHONPATH"] = _path(environment.get("PYTHONPATH", ""))
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *python_options(), *rest])


def _path(given: str) -> str:
    """PYTHONPATH with the folder of our sitecustomize before all others."""
    others = [p for p in given.split(os.pathsep) if p and p != run_startup.FOLDER]
    return os.pathsep.join([run_startup.FOLDER, *others])


def _check(rest: Sequence[str]) -> None:
    """Raises where Python would not find the program."""
    if not rest or rest == ["-m"]:
        raise UsageError(f"run needs a program: {USAGE}")
    if rest[0] == "-m":
        _check_module(rest[1])
    elif rest[0].startswith("-") and rest[0] != "-":
        raise UsageError(f"run does not know {rest[0]}: {USAGE}")
    elif rest[0] != "-" and not os.path.exists(rest[0]):
        raise UsageError(f"run: there is no file {rest[0]}")


def _check_module(name: str) -> None:
    """Raises where `python -m` would not find a module; imports nothing of it."""
    search: Optional[Sequence[str]] = None
    parts = name.split(".")
    found: Optional[ModuleSpec] = None
    sys.path.insert(0, os.getcwd())
    try:
        for depth in range(1, len(parts) + 1):
            whole = ".".join(parts[:depth])
            found = _find(whole, search)
            if found is None:
                raise UsageError(f"run -m {name}: there is no module {whole}")
            search = found.submodule_search_locations
            if search is None and depth < len(parts):
                raise UsageError(f"run -m {name}: {whole} is a module, not a package")
        if search is not None and _find(f"{name}.__main__", search) is None:
            raise UsageError(f"run -m {name}: the package has no {name}.__main__")
    finally:
        sys.path.pop(0)


def _find(name: str, search: Optional[Sequence[str]]) -> Optional[ModuleSpec]:
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    for finder in sys.meta_path:
        found = finder.find_spec(name, search)
        if found is not None:
            return found
    return None


def python_options() -> list[str]:
    """Options of this Python that the program's Python is given too, such as -W."""
    given = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return [option for option in given if option not in _OWN_OPTIONS]
