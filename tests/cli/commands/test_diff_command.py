"""diff: 0 without differences, 1 with some, as a table and as JSON."""

import json

import estimator_ckpt as ec
from tests.cli.command_line import run
from tests.testdata_paths import TESTDATA

DIGITS = str(TESTDATA / "digits")


def test_no_difference_is_0_and_a_difference_is_1(tmp_path):
    new = ec.convert(DIGITS, tmp_path / "new", to="tf2")
    assert run("diff", DIGITS, new).returncode == 0
    done = run("diff", f"{DIGITS}/model.ckpt-100", new)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "31 differences, 0 equal variables"
    found = json.loads(run("diff", f"{DIGITS}/model.ckpt-100", new, "--json").stdout)
    assert found["differences"][0]["kind"] == "value"
