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

from estimator_ckpt.cli.commands import completion_command
from tests.cli.command_line import call

pytest.importorskip("shtab", reason="make install brings shtab")

SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "source ./bash; PS1='ready> '\n",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -U compinit; compinit -u -D; eval \"$(<zsh)\"; PS1='ready> '\n",
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


@pytest.fixture(scope="module")
def terminal_files(tmp_path_factory):
    """A directory with each shell's script and something to complete."""
    path = tmp_path_factory.mktemp("shell")
    (path / "old_job").mkdir()
    (path / "old_job" / "model.ckpt-7.index").write_bytes(b"")
    for shell in completion_command.SHELLS:
        done = call("completion", shell)
        assert done.returncode == 0, done.stderr
        (path / shell).write_text(done.stdout)
    return path


@pytest.fixture(params=SHELLS, scope="module")
def terminal(request, terminal_files):
    shell, start = SHELLS[request.param]
    if shutil.which(shell[0]) is None:
        pytest.skip(f"there is no {shell[0]} here")
    found = Terminal(shell, terminal_files)
    found.type(start, r"ready> (\x1b\[\?2004h)?$")
    yield found
    found.close()


TYPED = [
    ("estimator-ckpt insp\t", r"inspect"),
    ("estimator-ckpt convert --overw\t", r"--overwrite"),
    ("estimator-ckpt warm_start --to du\t", r"--to dual"),
    ("estimator-ckpt warm_start --to=du\t", r"--to=dual"),
    ("estimator-ckpt warm_start --to=\t\t", r"dual[^$]*tf2|tf2[^$]*dual"),
    ("estimator-ckpt slim old_job --to=tf1 --keep_av\t", r"--keep_averages"),
    ("estimator-ckpt train --checkpoint_f\t", r"--checkpoint_format"),
    ("estimator-ckpt train --checkpoint_format=du\t", r"=dual"),
    ("estimator-ckpt train --on_missing in\t", r"initialize"),
    ("estimator-ckpt train --flagf\t", r"--flagfile"),
    (
        "estimator-ckpt train --flagfile=old_job/mod\t",
        r"=old_job/model.ckpt-7.index",
    ),
    ("estimator-ckpt inspect old_j\t", r"old_job"),
    ("estimator-ckpt plan --report old_job/mod\t", r"old_job/model.ckpt-7.index"),
    ("estimator-ckpt plan --report=old_job/mod\t", r"=old_job/model.ckpt-7.index"),
]


@pytest.mark.parametrize(("typed", "completed"), TYPED)
def test_tab_completes(terminal, typed, completed):
    kill_line = "\x15"
    assert terminal.type(kill_line + typed, completed)


@pytest.mark.parametrize(("typed", "completed"), TYPED)
def test_fish_completes(typed, completed, terminal_files):
    """fish tells a script what it would offer."""
    if shutil.which("fish") is None:
        pytest.skip("there is no fish here")
    done = subprocess.run(
        [
            "fish",
            "--no-config",
            "-c",
            'source fish; complete -C "$argv"',
            typed.strip(),
        ],
        cwd=terminal_files,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert re.search(completed.replace("--to dual", "dual"), done.stdout), done.stdout
    assert done.stderr == ""


def test_tcsh_takes_its_script(terminal_files):
    if shutil.which("tcsh") is None:
        pytest.skip("there is no tcsh here")
    done = subprocess.run(
        ["tcsh", "-f", "-c", "source tcsh; complete"],
        cwd=terminal_files,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "dual" in done.stdout
    assert done.stderr == ""


def test_a_shell_that_there_is_not_is_an_error():
    done = call("completion", "cmd.exe")
    assert done.returncode == 2
    assert "invalid choice" in done.stderr


def test_without_shtab_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    done = call("completion", "bash")
    assert done.returncode == 2
    assert "pip install shtab" in done.stderr
