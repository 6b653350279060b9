"""Which Keras tf.keras is for a user's object: each test in a fresh interpreter.

With TensorFlow 2.12 to 2.15 there is Keras 2 only, and nothing to decide.
"""

import pytest

from estimator_ckpt.cli import keras_choice
from tests import testdata_paths
from tests.estimator.test_runtime import command, python, through_the_runtime

DIGITS = str(testdata_paths.TESTDATA / "digits")
USERS = """
import sys
import tensorflow as tf

def either():
    print(tf.keras.Model.__module__.split(".")[0], file=sys.stderr)
    model = tf.keras.Sequential([tf.keras.layers.Dense(10, name="logits")])
    model.build((None, 256))
    return model

def attribute():
    return {"model": either(), "optimizer": tf.keras.optimizers.legacy.Adam()}

def of_version_1():
    with tf.Graph().as_default(), tf.compat.v1.Session():
        tf.compat.v1.layers.dense(tf.ones([1, 2]), 3)
    return either()

def on_a_symbolic_tensor():
    image = tf.keras.Input((256,))
    logits = tf.keras.layers.Dense(10, name="logits")(tf.nn.relu(image))
    either()
    return tf.keras.Model(image, logits)

def never():
    either()
    raise ValueError("there is no data")

def never_in_keras():
    either()
    return tf.keras.layers.Dense("ten")
"""
WITH_ESTIMATOR = """
class Net(tf.keras.Model):
    pass

class Hook(tf.estimator.SessionRunHook):
    pass
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("users")
    (made / "users.py").write_text(USERS)
    (made / "both.py").write_text(USERS + WITH_ESTIMATOR)
    return made


def planned(folder, path, **environment):
    """`plan` for a function; the generations that made its model, and what was said."""
    done = command(folder, "plan", DIGITS, path, **environment)
    lines = done.stderr.splitlines()
    made_by = [line for line in lines if line in ("keras", "tf_keras")]
    said = [line for line in lines if line.startswith("estimator-ckpt: ")]
    return done.returncode, made_by, said


def test_a_target_that_runs_with_keras_3_stays_there(folder):
    code, made_by, said = planned(folder, "users:either")
    assert code == 0  # the logits are there
    assert (made_by, said) == (["keras"], [])  # as the one of TensorFlow 2.15 is called


@pytest.mark.parametrize(
    "path",
    [
        "users:attribute",
        "users:of_version_1",
        "users:on_a_symbolic_tensor",
        "both:either",
    ],
)
@through_the_runtime
def test_a_target_that_needs_keras_2_has_it_and_that_is_said(folder, path):
    code, made_by, said = planned(folder, path)
    assert code == 0
    assert made_by[-1] == "tf_keras"
    (line,) = said
    assert path in line
    assert "tf-keras" in line


@through_the_runtime
def test_convert_for_decides_likewise(folder, tmp_path):
    done = command(
        folder,
        *("convert_for", DIGITS, str(tmp_path / "new")),
        *("--trackable=users:attribute", "--nostrict"),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [str(tmp_path / "new")]


@through_the_runtime
def test_what_no_keras_mends_is_one_line(folder):
    code, made_by, said = planned(folder, "users:never")
    assert (code, made_by) == (2, ["keras"])
    (line,) = said
    assert "ValueError: there is no data" in line


@through_the_runtime
def test_what_fails_with_either_says_both_in_one_line(folder):
    code, made_by, said = planned(folder, "users:never_in_keras")
    assert (code, made_by) == (2, ["keras", "tf_keras"])
    (line,) = said
    assert "; with Keras 3: " in line


@through_the_runtime
@pytest.mark.parametrize(
    ("given", "code", "made_by"), [("0", 2, ["keras"]), ("1", 0, ["tf_keras"])]
)
def test_a_variable_that_is_set_decides(folder, given, code, made_by):
    found = planned(folder, "users:attribute", TF_USE_LEGACY_KERAS=given)
    assert found[:2] == (code, made_by)
    assert len(found[2]) == (given == "0")


@through_the_runtime
def test_where_tf_keras_is_not_installed_the_line_says_what_installs_it(folder):
    done = python(
        "import importlib.util as u, os, sys; find = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n == 'tf_keras' else find(n, *a)\n"
        f"sys.path.insert(0, {str(folder)!r})\n"
        "from estimator_ckpt.cli import main\n"
        f"main.main(['plan', {DIGITS!r}, 'users:attribute'])\n"
    )
    assert done.returncode == 2
    assert "pip install 'tf-keras==2." in done.stderr.splitlines()[-1]


def raised(code):
    try:
        exec(code, {"__name__": "users"})
    except Exception as error:
        return error


@pytest.mark.parametrize(
    ("code", "concerns"),
    [
        ("import tensorflow.no_module_of_it", True),
        ("import no_module_of_mine", False),
        ("[].nothing", True),
        ("int(keras='3')", True),
        ("raise ValueError('of mine')", False),
        ("open('/nowhere/at/all')", False),
        ("nothing", False),
        ("try: [].nothing\nexcept Exception: raise ValueError('of mine')", True),
    ],
)
def test_which_errors_another_keras_might_not_raise(code, concerns):
    assert keras_choice.concerns_keras(raised(code)) == concerns
