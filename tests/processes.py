"""Python processes that begin with TensorFlow imported, for tests that need many.

Each is a fork of one process (multiprocessing's fork server) that has imported
TensorFlow (NumPy, where they do without) and nothing of ours, so that it costs
milliseconds where a new interpreter costs seconds. What depends on a fresh
interpreter (which modules a command loads, how it starts and ends) is tested with
`subprocess`; each command has such a test, too.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from typing import IO, NoReturn, Optional

import pytest

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.preloaded"])
_NEEDS_TENSORFLOW = 77
_ALLOWS_TENSORFLOW = [True]


def without_tensorflow() -> None:
    """From now on, processes do not have it, and one that imports it is a skip."""
    _CONTEXT.set_forkserver_preload(["numpy"])
    _ALLOWS_TENSORFLOW[0] = False


def hang_ups_end_it() -> None:
    """For `preexec_fn`: SIGHUP ends a process, though `nohup make test` ignores it."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Process:
    """`python ARGUMENTS...`, running.

    Args:
      arguments: what `python` takes: `-m MODULE ...` or `-c CODE ...`.
      cwd: its working directory.
      env: its environment, whole.
    """

    def __init__(
        self, arguments: Sequence[str], *, cwd: str, env: Mapping[str, str]
    ) -> None:
        self.args = [str(argument) for argument in arguments]
        self._stdout, self._stderr = _no_file(), _no_file()
        self._process = _CONTEXT.Process(
            target=_become,
            args=(
                self.args,
                str(cwd),
                dict(env),
                _ALLOWS_TENSORFLOW[0],
                multiprocessing.reduction.DupFd(self._stdout.fileno()),
                multiprocessing.reduction.DupFd(self._stderr.fileno()),
            ),
        )
        self._process.start()

    def kill(self) -> None:
        self._process.kill()

    def finished(self, timeout: float) -> subprocess.CompletedProcess[str]:
        """Waits for its end.

        Raises:
          subprocess.TimeoutExpired: it did not end in so many seconds.
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        if code == _NEEDS_TENSORFLOW and not _ALLOWS_TENSORFLOW[0]:
            pytest.skip("needs TensorFlow")
        texts = []
        for file in (self._stdout, self._stderr):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        return subprocess.CompletedProcess(self.args, code, *texts)


def run(
    arguments: Sequence[str],
    *,
    cwd: str,
    env: Optional[Mapping[str, str]] = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Runs `python ARGUMENTS...` to its end, as `subprocess.run` does."""
    process = Process(arguments, cwd=cwd, env=os.environ if env is None else env)
    try:
        return process.finished(timeout)
    finally:
        process.kill()


def _no_file() -> IO[bytes]:
    return tempfile.TemporaryFile()


class _NoTensorFlow:
    """An importer that ends the process."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in ("tensorflow", "keras", "tf_keras"):
            os._exit(_NEEDS_TENSORFLOW)


def _become(
    arguments: list[str],
    cwd: str,
    env: dict[str, str],
    allows_tensorflow: bool,
    stdout: object,
    stderr: object,
) -> NoReturn:
    """Turns a fork into the interpreter that `arguments` ask for."""
    if not allows_tensorflow:
        sys.meta_path.insert(0, _NoTensorFlow())  # type: ignore[arg-type]
    for file, target in ((stdout, 1), (stderr, 2)):
        os.dup2(file.detach(), target)  # type: ignore[attr-defined]
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    sys.stdin = open(os.devnull)  # noqa: SIM115, it lives as long as the process
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    # As `python` would have them: the directory of -m and -c, then PYTHONPATH.
    own = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = ["", *own, *(path for path in sys.path if "packages" in path)]
    sys.path += [path for path in _STANDARD if path not in sys.path]
    run_as_main(*arguments)


def run_as_main(flag: str, what: str, *rest: str) -> NoReturn:
    """Runs a program as `python -m WHAT REST...` or `-c` does, and ends the process."""
    code = 0
    try:
        if flag == "-m":
            sys.argv = [what, *rest]
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            sys.argv = ["-c", *rest]
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


_STANDARD = list(sys.path)
