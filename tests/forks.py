"""Programs in forks of one interpreter that has NumPy and the toolkit imported.

For what needs processes that die, by the dozen: a fork costs milliseconds, an
interpreter that imports as much a tenth of a second. What forks is a process of its
own, of one thread and without TensorFlow, whatever the tests have imported. How a
command starts and ends is tested in true processes (`tests/cli/test_processes.py`).
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import pathlib
import pkgutil
import signal
import subprocess
import sys
import tempfile
from typing import NoReturn

from tests import processes

_REPOSITORY = pathlib.Path(__file__).parent.parent
_ROOMS = ("bundle", "checkpoint", "maps", "layouts", "conversion", "cli")
#: Seconds of a program; then it dies of SIGALRM.
_MOST_SECONDS = 60
_server: list[subprocess.Popen[str]] = []


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs `python -c PROGRAM ARGUMENTS...` in the repository, to its end."""
    server = _server[0] if _server else _start()
    given = [program, *map(str, arguments)]
    with tempfile.TemporaryDirectory() as directory:
        paths = [pathlib.Path(directory, name) for name in ("out", "err")]
        server.stdin.write(json.dumps([given, *map(str, paths)]) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        out, err = (path.read_text(errors="replace") for path in paths)
    return subprocess.CompletedProcess(given, code, out, err)


def _start() -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.forks"],
        cwd=_REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=processes.hang_ups_end_it,
    )
    _server.append(server)
    atexit.register(_stop, server)
    return server


def _stop(server: subprocess.Popen[str]) -> None:
    """Ends what reads its stdin to the end."""
    server.stdin.close()
    server.wait()


def _serve() -> None:
    """Forks for each line of stdin, and says how that ended."""
    import numpy  # noqa: F401, what programs find imported

    for room in _ROOMS:
        package = importlib.import_module(f"estimator_ckpt.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(given: list[str], out: str, err: str) -> NoReturn:
    """Turns a fork into the interpreter of a program."""
    for path, target in ((os.devnull, 0), (out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), target)
    signal.alarm(_MOST_SECONDS)
    processes.run_as_main("-c", *given)


if __name__ == "__main__":
    _serve()
