"""convert_for: what it prints, and what of a user's function it takes."""

import json
import subprocess
import sys

import pytest
import tensorflow as tf

from tests.conftest import REPOSITORY
from tests.testdata_paths import PREFIXES

ADAM = PREFIXES["trajectories/adam/model.ckpt-20"]
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


@pytest.fixture
def run(tmp_path):
    (tmp_path / "objects.py").write_text(OBJECTS)
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "rules.yaml").write_text("- {lstm: [\n")
    (tmp_path / "map.yaml").write_text("- {from: out/kernel, to: other}\n")

    def command(function, *options, code=0):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "estimator_ckpt", "convert_for"),
                *(str(ADAM), "new/ckpt", f"--trackable={function}", *options),
            ],
            cwd=tmp_path,
            env={"PYTHONPATH": REPOSITORY, "CUDA_VISIBLE_DEVICES": "-1", "PATH": ""},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return command


def test_writes_what_the_object_restores_from(run, tmp_path):
    done = run("objects:head", "--json")
    assert json.loads(done.stdout)["prefixes"] == ["new/ckpt"]
    assert "a line of the user's" in done.stderr
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, name="out")])
    model.build((None, 6))
    optimizer = tf.keras.optimizers.Adam(0.02)
    optimizer.build(model.trainable_variables)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    checkpoint.restore(str(tmp_path / "new" / "ckpt")).assert_consumed()
    assert int(optimizer.iterations) == 20


def test_a_dry_run_writes_nothing(run, tmp_path):
    done = run("objects:head", "--dry_run", "--json")
    assert json.loads(done.stdout)["counts"]["reset"] == 3
    run("objects:head", "--dry_run", "--assignment_map=map.yaml", code=1)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("nowhere:f", [], "cannot import 'nowhere'"),
        ("broken:f", [], "cannot import 'broken': SyntaxError: "),
        ("objects", [], "give it as package.module:function"),
        ("objects:none", [], "'objects' has no function 'none'"),
        ("objects:raises", [], "objects:raises: RuntimeError: of the user's ("),
        ("objects:nothing", [], "None has no variables to convert for"),
        ("objects:wants", [], "without arguments"),
        ("objects:not_built", [], "'sequential' is not built"),
        ("objects:not_built", ["--input_shape=None"], "cannot be built with"),
        ("objects:head", ["--layouts=rules.yaml"], "rules.yaml: not YAML"),
        ("objects:head", ["--iterations=x"], "--iterations=x: give a number"),
        ("objects:head", ["--input_shape=x"], "--input_shape=x: give sizes"),
        ("objects:head", ["--assignment_map=map.yaml"], "'out/kernel': no such"),
    ],
)
def test_bad_input_is_one_line(function, options, message, run, tmp_path):
    done = run(function, *options, code=2)
    said = [x for x in done.stderr.splitlines() if x.startswith("estimator-ckpt:")]
    assert len(said) == 1
    assert message in said[0]
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert not (tmp_path / "new").exists()
