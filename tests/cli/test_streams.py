"""Commands with streams, signals and names as a shell and a file can give them."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from estimator_ckpt.bundle.writer import write_bundle
from tests.cli.command_line import call
from tests.conftest import REPOSITORY
from tests.testdata_paths import TESTDATA

DIGITS = TESTDATA / "digits"
COMMAND = f"{sys.executable} -m estimator_ckpt"
EVIL = "a\x1b[2Jb\u202ec\nd"


def shell(line, **environment):
    return subprocess.run(
        ["bash", "-c", line],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_no_exit_code(tmp_path, closed):
    assert shell(f"{COMMAND} verify {DIGITS} {closed}").returncode == 0
    done = shell(f"{COMMAND} convert {DIGITS} {tmp_path}/new --to=tf2 {closed}")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert shell(f"{COMMAND} verify {tmp_path}/new").returncode == 0
    assert shell(f"{COMMAND} verify nowhere {closed}").returncode == 2


def test_a_full_disk_and_a_reader_that_goes_away_are_one_line():
    done = shell(f"{COMMAND} inspect {DIGITS} > /dev/full")
    assert done.returncode == 2
    assert done.stderr == "estimator-ckpt: error: the output: No space left on device\n"
    done = shell(f"{COMMAND} inspect {DIGITS} --json | true; exit ${{PIPESTATUS[0]}}")
    assert done.returncode in (0, 2)  # as the pipe took it all, or did not
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_an_encoding_that_cannot_say_a_name_gets_its_escape(tmp_path):
    write_bundle(tmp_path / "model", {"schön/日本": np.float32(1)})
    done = shell(
        f"{COMMAND} inspect {tmp_path}/model", PYTHONIOENCODING="ascii", LC_ALL="C"
    )
    assert done.returncode == 0, done.stderr
    assert r"sch\xf6n/\u65e5\u672c" in done.stdout


@pytest.fixture
def evil(tmp_path):
    write_bundle(tmp_path / "old" / "model", {EVIL: np.float32(1)})
    return tmp_path / "old" / "model"


@pytest.mark.parametrize(
    "command",
    [
        ("inspect", "OLD"),
        ("inspect", "OLD", "--json"),
        ("convert", "OLD", "NEW", "--to=tf2", "--dry_run"),
        ("plan", "OLD", "OTHER"),
        ("plan", "OTHER", "OLD"),
        ("diff", "OLD", "OTHER"),
        ("warm_start", "OLD", "NEW", "--dry_run"),
        ("average", "OLD", "OTHER", "NEW"),
    ],
    ids=" ".join,
)
def test_a_name_cannot_move_the_cursor_nor_begin_a_line(evil, tmp_path, command):
    write_bundle(tmp_path / "other", {"other": np.float32(1)})
    paths = {"OLD": evil, "NEW": tmp_path / "new", "OTHER": tmp_path / "other"}
    done = call(*(paths.get(word, word) for word in command))
    text = done.stdout + done.stderr
    assert r"\x1b[2Jb\u202ec\nd" in text.replace("\\\\", "\\").replace(
        "\\u001b", "\\x1b"
    )
    assert text.replace("\n", "").isprintable()


def test_a_path_cannot_either(tmp_path):
    directory = tmp_path / EVIL
    write_bundle(directory / "model", {"v": np.float32(1)})
    done = call("verify", directory / "model")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert done.stdout.replace("\n", "").isprintable()
    done = call("verify", directory)
    assert done.stderr.count("\n") == 1
    assert done.stderr.replace("\n", "").isprintable()


def test_what_is_logged_is_printable(evil, tmp_path):
    """As a user's program has it: no handler but Python's own."""
    code = (
        "import sys, estimator_ckpt as ec; "
        "ec.warm_start_model_dir(sys.argv[1], sys.argv[2], carry='model')"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import logging; logging.basicConfig(level=0); {code}"]
        + [str(evil), str(tmp_path / "new")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert r"a\x1b[2Jb\u202ec\nd" in done.stderr
    assert done.stderr.replace("\n", "").isprintable()


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
        "        print('there', flush=True); time.sleep(60)\n"
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


@pytest.mark.parametrize(
    "module",
    ["cli.stop_signals", "cli.streams", "cli.commands.verify_command", "bundle.reader"],
)
def test_an_interrupt_while_a_module_is_imported_is_one_line(module):
    code = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == 'estimator_ckpt.{module}': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from estimator_ckpt.cli.main import main\n"
        "main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "verify", str(DIGITS)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr == "estimator-ckpt: error: interrupted\n"


def test_until_then_next_to_nothing_is_imported():
    code = "import sys, estimator_ckpt.cli.main; print(*sys.modules)"
    done = shell(f"{sys.executable} -S -c '{code}'")
    assert not {"argparse", "json", "numpy", "absl"} & set(done.stdout.split())
