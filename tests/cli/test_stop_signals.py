"""A command that is asked to stop cleans up first; what is ignored stays ignored."""

import signal
import subprocess
import sys

import pytest

from tests import processes
from tests.cli.command_line import shell
from tests.conftest import REPOSITORY
from tests.testdata_paths import TESTDATA

DIGITS = TESTDATA / "digits"


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
)
def test_a_signal_leaves_nothing_behind(tmp_path, number, code):
    """A conversion that waits in its commit, as on a slow disk, is stopped there."""
    program = (
        "import sys, time\n"
        "from estimator_ckpt.bundle.local_files import system_calls\n"
        "from estimator_ckpt.cli import main\n"
        "change = system_calls.change\n"
        "def slow(operation, call, *arguments):\n"
        "    if operation == 'rename' and arguments[1].endswith('.index'):\n"
        "        print('there', flush=True)\n"
        # Not once for long: a signal may come right before a call that then waits.
        "        for _ in range(600): time.sleep(0.1)\n"
        "    return change(operation, call, *arguments)\n"
        "system_calls.change = slow\n"
        "main.main(sys.argv[1:])\n"
    )
    arguments = ["convert", str(DIGITS), str(tmp_path / "new"), "--to=tf2"]
    arguments.append("--overwrite")
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=processes.hang_ups_end_it,
    ) as process:
        assert process.stdout.readline() == "there\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert errors.count("\n") == 1
    assert "error: " in errors
    assert not list(tmp_path.iterdir())


def test_nohup_is_heeded(tmp_path):
    """A SIGHUP that was ignored when the command began stays ignored."""
    code = (
        "import signal; from estimator_ckpt.cli import stop_signals\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with stop_signals.raised(): signal.raise_signal(signal.SIGHUP)\n"
        "print('on')"
    )
    assert shell(f'{sys.executable} -c "{code}"').stdout == "on\n"
