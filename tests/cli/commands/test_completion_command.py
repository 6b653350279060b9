"""Shell completion: real shells on a terminal, that complete when TAB is pressed."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

import pytest

from tests.cli.command_line import call, run

pytest.importorskip("shtab", reason="make install brings shtab")

SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "source ./script; PS1='ready> '\n",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -U compinit; compinit -u -D; eval \"$(<script)\"; PS1='ready> '\n",
    ),
}


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, shell, cwd):
        self._parent, child = pty.openpty()
        self._process = subprocess.Popen(
            shell,
            cwd=cwd,
            stdin=child,
            stdout=child,
            stderr=child,
            env={"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(cwd)},
            start_new_session=True,
        )
        os.close(child)

    def type(self, text, until):
        """What is shown after these keys, up to a pattern."""
        os.write(self._parent, text.encode())
        shown, deadline = "", time.monotonic() + 20
        while not re.search(until, shown):
            left = deadline - time.monotonic()
            assert left > 0, f"{until!r} did not come: {shown!r}"
            if select.select([self._parent], [], [], left)[0]:
                shown += os.read(self._parent, 65536).decode(errors="replace")
        return shown

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._parent)


@pytest.fixture(params=SHELLS, scope="module")
def terminal(request, tmp_path_factory):
    shell, start = SHELLS[request.param]
    if shutil.which(shell[0]) is None:
        pytest.skip(f"there is no {shell[0]} here")
    done = run("completion", request.param)
    assert done.returncode == 0, done.stderr
    tmp_path = tmp_path_factory.mktemp("shell")
    (tmp_path / "script").write_text(done.stdout)
    (tmp_path / "old_job").mkdir()
    (tmp_path / "old_job" / "model.ckpt-7.index").write_bytes(b"")
    found = Terminal(shell, tmp_path)
    found.type(start, r"ready> (\x1b\[\?2004h)?$")
    yield found
    found.close()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("estimator-ckpt insp\t", r"inspect"),
        ("estimator-ckpt convert --overw\t", r"--overwrite"),
        ("estimator-ckpt warm_start --to du\t", r"--to dual"),
        ("estimator-ckpt warm_start --to=du\t", r"--to=dual"),
        ("estimator-ckpt warm_start --to=\t\t", r"dual[^$]*tf2"),
        ("estimator-ckpt slim old_job --to=tf1 --keep_av\t", r"--keep_averages"),
        ("estimator-ckpt train --checkpoint_f\t", r"--checkpoint_format"),
        ("estimator-ckpt inspect old_j\t", r"old_job"),
        ("estimator-ckpt plan --report old_job/mod\t", r"old_job/model.ckpt-7.index"),
        ("estimator-ckpt plan --report=old_job/mod\t", r"=old_job/model.ckpt-7.index"),
    ],
)
def test_tab_completes(terminal, typed, completed):
    kill_line = "\x15"
    assert terminal.type(kill_line + typed, completed)


def test_a_shell_that_there_is_not_is_an_error():
    done = call("completion", "cmd.exe")
    assert done.returncode == 2
    assert "invalid choice" in done.stderr


def test_without_shtab_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    done = call("completion", "bash")
    assert done.returncode == 2
    assert "pip install shtab" in done.stderr
