"""`estimator-ckpt convert_for`: the checkpoint that a Keras model restores from."""

import json

import pytest

import estimator_ckpt as ec
from estimator_ckpt.cli import main
from tests.cli.test_commands import run
from tests.conftest import REPOSITORY
from tests.testdata_paths import TESTDATA

DIGITS = TESTDATA / "digits"
TRACKABLE = "--trackable=model_fns.digits_keras:trackable"
MAP = "--assignment_map=configs/digits_keras.yaml"


def test_there_and_back(tmp_path):
    there = run("convert_for", DIGITS, tmp_path / "new" / "ckpt", TRACKABLE, MAP)
    assert there.returncode == 0, there.stderr
    assert there.stdout.strip() == str(tmp_path / "new" / "ckpt")
    assert "optimizer/_iterations" in ec.open_checkpoint(
        tmp_path / "new" / "ckpt", names="path"
    )
    (tmp_path / "back.yaml").write_text(
        "- {from: stem_conv/, to: conv1/}\n- {from: stem_norm/, to: bn1/}\n"
        "- {from: reduce_conv/, to: conv2/}\n- {from: reduce_norm/, to: bn2/}\n"
        "- {from: head/, to: logits/}\n"
    )
    back = run(
        *("convert_for", tmp_path / "new" / "ckpt", tmp_path / "back" / "model.ckpt"),
        *("--to=tf1", TRACKABLE, f"--assignment_map={tmp_path / 'back.yaml'}"),
        "--json",
    )
    assert back.returncode == 0, back.stderr
    (prefix,) = json.loads(back.stdout)["prefixes"]
    assert not ec.diff(DIGITS, prefix)


def test_a_dry_run_shows_the_plan_and_writes_nothing(tmp_path):
    arguments = ("convert_for", DIGITS, tmp_path / "new", TRACKABLE, "--dry_run")
    done = run(*arguments, MAP, "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["counts"]["renamed"] == 12 + 16  # the slots of 8 trainable ones
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].endswith("12 missing, 19 reset, 31 unused")
    assert not list(tmp_path.iterdir())


def test_a_keras_file(tmp_path):
    done = run(
        *("convert_for", DIGITS, tmp_path / "digits.weights.h5", MAP),
        "--trackable=model_fns.digits_keras:model",
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["digits.weights.h5"]


def test_a_plan_for_a_model_and_a_map_for_it(tmp_path):
    target = "model_fns.digits_keras:model"
    path = tmp_path / "map.yaml"
    done = run("plan", DIGITS, target, f"--suggest={path}")
    assert done.returncode == 1
    assert "12 missing" in done.stdout
    done = run("plan", DIGITS, target, f"--assignment_map={path}", "--carry=model")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--trackable"),
        (["--trackable=digits_keras"], "give it as package.module:function"),
        (["--trackable=no.such:thing"], "cannot import 'no.such'"),
        (["--trackable=model_fns.digits_keras:nothing"], "has no function 'nothing'"),
        (["--trackable=model_fns.digits:model_fn"], "called without arguments"),
        ([TRACKABLE], "'head/kernel': no such variable"),
        ([TRACKABLE, MAP, "--iterations=many"], "--iterations=many: give a number"),
        ([TRACKABLE, MAP, "--iterations=a=1"], "are 'optimizer'"),
        ([TRACKABLE, MAP, "--input_shape=big"], "--input_shape=big: give sizes"),
        ([TRACKABLE, MAP, "--layouts=nowhere.yaml"], "nowhere.yaml"),
        ([TRACKABLE, MAP, "--to=dual"], "invalid choice"),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    arguments = ["convert_for", str(DIGITS), str(tmp_path / "new"), *arguments]
    assert main.run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    *usage, line = printed.err.splitlines()
    assert not usage or usage[0].startswith("usage: ")  # argparse's own
    assert line.startswith("estimator-ckpt")
    assert message in line
    assert not list(tmp_path.iterdir())
