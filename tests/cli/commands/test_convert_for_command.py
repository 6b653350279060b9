"""`estimator-ckpt convert_for`: the checkpoint that a Keras model restores from."""

import json
import shutil

import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.cli import main
from tests.cli.command_line import run
from tests.conftest import REPOSITORY
from tests.testdata_paths import PREFIXES, TESTDATA

DIGITS = TESTDATA / "digits"
ADAM = PREFIXES["trajectories/adam/model.ckpt-20"]
TRACKABLE = "--trackable=model_fns.digits_keras:trackable"
MAP = "--assignment_map=configs/digits_keras.yaml"
OBJECTS = """
import tensorflow as tf


def head():
    print("a line of the user's")
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, name="out")])
    model.build((None, 6))
    return {"model": model, "optimizer": tf.keras.optimizers.Adam(0.02)}


def not_built():
    return tf.keras.Sequential([tf.keras.layers.Dense(1, name="out")])


def raises():
    raise RuntimeError("of the\\nuser's")


def nothing():
    return None


def wants(more):
    return more
"""


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


def test_a_dry_run_refuses_what_the_run_refuses(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "there.keras").touch()
    short = tmp_path / "short"
    shutil.copytree(DIGITS, short)
    shard = short / "model.ckpt-300.data-00000-of-00001"
    shard.write_bytes(shard.read_bytes()[:-1])
    there = ec.convert(DIGITS, tmp_path / "there" / "ckpt", to="tf2")
    new = tmp_path / "new" / "ckpt"
    for source, destination, message in (
        (short, new, "the shard is cut off"),
        (DIGITS, there, "already there"),
        (DIGITS, PREFIXES["digits/model.ckpt-300"], "are the same checkpoint"),
        (DIGITS, tmp_path / "file" / "ckpt", "is a file, where"),
        (DIGITS, tmp_path / "new.h5", "ends in .weights.h5"),
        (DIGITS, tmp_path / "there.keras", "holds a model and"),
        (DIGITS, "gs://bucket/ckpt", "remote paths are not supported"),
        (DIGITS, "", "path is empty"),
    ):
        arguments = ("convert_for", source, destination, TRACKABLE, MAP)
        dry, done = run(*arguments, "--dry_run"), run(*arguments)
        assert message in dry.stderr
        assert message in done.stderr
        assert dry.returncode == done.returncode == 2
    assert not new.parent.exists()


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


@pytest.fixture
def of_users(tmp_path):
    (tmp_path / "objects.py").write_text(OBJECTS)
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "rules.yaml").write_text("- {lstm: [\n")
    (tmp_path / "map.yaml").write_text("- {from: out/kernel, to: other}\n")

    def command(function, *options, code=0):
        done = run(
            *("convert_for", ADAM, "new/ckpt", f"--trackable={function}", *options),
            cwd=tmp_path,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return command


def test_a_user_s_function_may_print(of_users, tmp_path):
    done = of_users("objects:head", "--json")
    assert json.loads(done.stdout)["prefixes"] == ["new/ckpt"]
    assert "a line of the user's" in done.stderr
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, name="out")])
    model.build((None, 6))
    optimizer = tf.keras.optimizers.Adam(0.02)
    optimizer.build(model.trainable_variables)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    checkpoint.restore(str(tmp_path / "new" / "ckpt")).assert_consumed()
    assert int(optimizer.iterations) == 20


def test_a_dry_run_of_a_user_s_function(of_users, tmp_path):
    done = of_users("objects:head", "--dry_run", "--json")
    assert json.loads(done.stdout)["counts"]["reset"] == 3
    of_users("objects:head", "--dry_run", "--assignment_map=map.yaml", code=1)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("nowhere:f", [], "cannot import 'nowhere'"),
        ("broken:f", [], "cannot import 'broken': SyntaxError: "),
        ("objects:none", [], "'objects' has no function 'none'"),
        ("objects:raises", [], "objects:raises: RuntimeError: of the user's ("),
        ("objects:nothing", [], "None has no variables to convert for"),
        ("objects:wants", [], "without arguments"),
        ("objects:not_built", [], "'sequential' is not built"),
        ("objects:not_built", ["--input_shape=None"], "cannot be built with"),
        ("objects:head", ["--layouts=rules.yaml"], "rules.yaml:2: not YAML"),
        ("objects:head", ["--assignment_map=map.yaml"], "'out/kernel': no such"),
    ],
)
def test_what_a_user_s_function_does_wrong_is_one_line(
    function, options, message, of_users, tmp_path
):
    done = of_users(function, *options, code=2)
    said = [x for x in done.stderr.splitlines() if x.startswith("estimator-ckpt:")]
    assert len(said) == 1
    assert message in said[0]
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert not (tmp_path / "new").exists()


def test_roles_can_be_overruled(tmp_path):
    (tmp_path / "objects.py").write_text(OBJECTS)
    arguments = ("convert_for", ADAM, tmp_path / "new", "--trackable=objects:head")
    done = run(*arguments, "--model_state=.*/Adam(_1)?$", cwd=tmp_path)
    assert done.returncode == 2
    assert "has no slots" in done.stderr
    done = run(
        *arguments,
        *("--model_state=.*/Adam(_1)?$", "--nooptimizer_state", "--dry_run", "--json"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
