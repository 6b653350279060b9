"""verify: whole is 0, damage is 1, and says where."""

import json

from tests.cli.command_line import run
from tests.testdata_paths import TESTDATA

DIGITS = str(TESTDATA / "digits")


def test_whole():
    done = run("verify", DIGITS)
    assert (done.returncode, done.stderr) == (0, "")
    assert "whole" in done.stdout


def test_damage_is_exit_code_1(damaged):
    done = run("verify", damaged)
    assert done.returncode == 1
    assert "global_step" in done.stdout
    assert json.loads(run("verify", damaged, "--json").stdout)["ok"] is False
