"""Runs the commands as users do, in processes that cost little (`tests.processes`)."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys

from estimator_ckpt.cli import main
from tests import processes
from tests.conftest import REPOSITORY

#: What a line of a shell begins the program with.
COMMAND = f"{sys.executable} -m estimator_ckpt"


def run(*arguments, cwd=REPOSITORY, **environment):
    """Runs `python -m estimator_ckpt ARGUMENTS...` in `cwd`."""
    return processes.run(
        ["-m", "estimator_ckpt", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": REPOSITORY, **environment},
    )


def call(*arguments):
    """Runs a command in this process; for what needs no process of its own."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main.run(list(map(str, arguments)))
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def modules_of(*arguments):
    """The modules that a command, which succeeds, loads in a Python of its own."""
    code = (
        "import sys\n"
        "from estimator_ckpt.cli.main import run\n"
        f"assert run({list(map(str, arguments))}) == 0\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        # Under `estimator-ckpt run`, as make test is on 3.12, every Python is prepared.
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def python(code):
    """Runs a program in a Python of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def shell(line, **environment):
    """Runs a line of a shell, in interpreters of their own; `COMMAND` is ours."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def expect(*arguments, code=0, cwd=REPOSITORY):
    """As `run`, for a command whose exit code is known."""
    done = run(*arguments, cwd=cwd)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def files_in(directory):
    """The paths of all that is in a directory."""
    return sorted(str(path) for path in pathlib.Path(directory).rglob("*"))
