"""Commands with streams, signals and names as a shell and a file can give them."""

import subprocess
import sys

import pytest

from tests.cli.command_line import COMMAND, shell
from tests.conftest import REPOSITORY
from tests.testdata_paths import TESTDATA

DIGITS = TESTDATA / "digits"


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
