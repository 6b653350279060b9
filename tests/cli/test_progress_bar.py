"""The progress bar: on a terminal, of work that takes a moment; never into a pipe."""

import os
import pty
import re
import select
import subprocess
import sys

import numpy as np
import pytest

from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.cli import progress_bar
from tests.cli.command_line import run
from tests.conftest import REPOSITORY

#: The command line, with a bar from the beginning.
AT_ONCE = (
    "import sys; from estimator_ckpt.cli import main, progress_bar; "
    "progress_bar.PATIENCE = 0; timer = progress_bar.threading.Timer; "
    "progress_bar.threading.Timer = lambda _, show: (show(), timer(0, int))[1]; "
    "main.main(sys.argv[1:])"
)
MEGABYTES = 8


def on_a_terminal(*arguments, cwd, columns=120):
    """What a command writes to stdout, and to a terminal on stderr."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", AT_ONCE, *arguments],
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": REPOSITORY,
            "COLUMNS": str(columns),
            "TERM": "xterm",
        },
        stdout=subprocess.PIPE,
        stderr=child,
    )
    os.close(child)
    shown = b""
    while select.select([parent], [], [], 60)[0]:
        try:
            shown += os.read(parent, 65536)
        except OSError:  # the terminal's other end is closed
            break
    out = process.stdout.read().decode()
    os.close(parent)
    return process.wait(), out, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Two checkpoints of 8 MB in one model dir."""
    path = tmp_path_factory.mktemp("job")
    for step in (1, 2):
        value = np.full((MEGABYTES, 250_000), step, np.float32)
        write_bundle(path / "job" / f"model.ckpt-{step}", {"a": value, "b": value[:0]})
    return path


COMMANDS = {
    "verify": ("verify", "job/model.ckpt-1"),
    "diff": ("diff", "job/model.ckpt-1", "job/model.ckpt-2"),
    "diff --json": ("diff", "job/model.ckpt-1", "job/model.ckpt-2", "--json"),
    "inspect": ("inspect", "job/model.ckpt-1", "--values"),
    "convert": ("convert", "job/model.ckpt-1", "copy/", "--to=tf2", "--data=copy"),
    "average": ("average", "job/model.ckpt-1", "job/model.ckpt-2", "mean/"),
    "slim": ("slim", "job/model.ckpt-1", "slim/"),
    "warm_start": ("warm_start", "job/model.ckpt-1", "new_job", "--data=copy"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_all_of_the_bytes_are_counted(command, workplace):
    code, out, shown = on_a_terminal(*command, cwd=workplace)
    assert code == (1 if command[0] == "diff" else 0), shown
    done, total, unit = re.findall(r"([\d.]+)/([\d.]+) (\S?B)", shown)[-1]
    times = 3 if "--json" in command else 1  # a histogram reads a tensor twice more
    assert (float(done), float(total), unit) == (8.0 * times, 8.0 * times, "MB"), shown
    assert "left:" in shown
    assert out.count("\n") > 0
    assert "MB left" not in out


def test_on_a_narrow_terminal_the_numbers_are_whole(workplace):
    code, _, shown = on_a_terminal(*COMMANDS["verify"], cwd=workplace, columns=40)
    assert code == 0
    lines = [line for line in re.split(r"[\r\n]+", shown) if line.strip()]
    assert re.fullmatch(r"verifying 8\.0/8\.0 MB left: \S+\s*", lines[-1])
    assert max(map(len, lines)) <= 40


def test_a_plan_shows_the_time(workplace):
    command = ("plan", "job/model.ckpt-1", "job/model.ckpt-2")
    code, _, shown = on_a_terminal(*command, cwd=workplace)
    assert code == 0
    assert re.search(r"planning .*0:00:0\d", shown)


def test_so_does_doctor(workplace):
    _, out, shown = on_a_terminal("doctor", cwd=workplace)
    assert re.search(r"importing tf\.estimator .*0:00:0\d", shown)
    assert "importing" not in out


def test_nothing_of_it_goes_into_a_pipe(workplace):
    done = run(*COMMANDS["verify"], cwd=workplace)
    assert done.stderr == ""


def test_quick_work_shows_none(workplace, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress_bar.progress("verifying") as progress:
        progress.expect(10)
        progress(10)
    assert progress._bar is None
