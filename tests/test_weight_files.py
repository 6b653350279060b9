"""What is no checkpoint but has weights: each format of file, with each command.

TensorFlow's calls (warm_start_from, convert_for, load_into) are in the last part.
"""

import json
import pathlib

import numpy as np
import pytest
import safetensors.numpy

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from tests.cli.command_line import call

FROZEN = pathlib.Path(__file__).parent / "checkpoint/weight_files/frozen_by_tf1"
KERNEL = np.arange(6, dtype=np.float32).reshape(3, 2)
VALUES = {
    "dense/kernel": KERNEL,
    "dense/bias": np.array([0.5, -0.0], np.float32),
    "global_step": np.array(7, np.int64),
}


def safetensors_file(directory):
    """One that the format's own library wrote."""
    directory.mkdir()
    safetensors.numpy.save_file(VALUES, directory / "model.safetensors")
    return directory / "model.safetensors", VALUES


def own_safetensors_file(directory):
    write_bundle(directory / "m", VALUES)
    path = directory / "model.safetensors"
    ec.convert(directory / "m", path, to="safetensors", carry="all")
    return path, VALUES


def frozen_graph(directory):
    """One that TensorFlow 1.15.5 wrote; it has no step."""
    del directory
    path = FROZEN / "reference.pb"
    with ec.open_checkpoint(path) as checkpoint:
        return path, {name: checkpoint.read(name) for name in checkpoint}


FILES = [safetensors_file, own_safetensors_file, frozen_graph]
NO_CHECKSUMS = "no checksums"
#: Each command, and what it says where it cannot be done.
COMMANDS = [
    (("inspect", "SOURCE"), None),
    (("inspect", "SOURCE", "--values"), None),
    (("inspect", "SOURCE", "--roles"), None),
    (("verify", "SOURCE"), NO_CHECKSUMS),
    (("diff", "SOURCE", "OTHER"), None),
    (("diff", "OTHER", "SOURCE"), None),
    (("plan", "SOURCE", "OTHER"), None),
    (("plan", "OTHER", "SOURCE"), None),
    (("plan", "SOURCE", "OTHER", "--suggest=MAP"), None),
    (("convert", "SOURCE", "NEW", "--to=tf1"), None),
    (("convert", "SOURCE", "NEW", "--to=tf2"), None),
    (("convert", "SOURCE", "NEW", "--to=dual"), None),
    (("convert", "SOURCE", "NEW", "--to=tf2", "--dry_run"), None),
    (("convert", "SOURCE", "NEW.safetensors", "--to=safetensors"), None),
    (("convert", "SOURCE", "NEW", "--to=tf1", "--all"), "not a model dir"),
    (("average", "SOURCE", "OTHER", "NEW"), None),
    (("average", "SOURCE", "NEW", "--last=2"), "not a model dir"),
    (("slim", "SOURCE", "NEW"), None),
    (("warm_start", "SOURCE", "NEW"), None),
    (("warm_start", "SOURCE", "NEW", "--dry_run"), None),
    (("warm_start", "SOURCE", "NEW", "--carry=trainable"), "a checkpoint alone does"),
]


def read(prefix):
    with ec.open_checkpoint(prefix) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint}


@pytest.mark.parametrize(("command", "refusal"), COMMANDS, ids=lambda v: str(v))
@pytest.mark.parametrize("make_file", FILES, ids=lambda make_file: make_file.__name__)
def test_every_command_takes_it_or_says_why_not(tmp_path, make_file, command, refusal):
    source, values = make_file(tmp_path / "source")
    write_bundle(tmp_path / "other", values)
    paths = {
        "SOURCE": source,
        "OTHER": tmp_path / "other",
        "NEW": tmp_path / "new" / "m",
        "NEW.safetensors": tmp_path / "new" / "m.safetensors",
        "--suggest=MAP": f"--suggest={tmp_path}/map.yaml",
    }
    done = call(*(paths.get(word, word) for word in command))
    if refusal is not None:
        assert done.returncode == 2, done.stdout
        assert refusal in done.stderr
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "new").exists()
        return
    assert done.returncode == 0, done.stderr
    if "NEW" in command and "--dry_run" not in command:
        new = done.stdout.splitlines()[0]
        found = read(new)
        step = {"global_step"} if "global_step" in values else set()
        for name in set(values) - step:
            assert found[name].dtype == values[name].dtype, name
            assert found[name].tobytes() == values[name].tobytes(), name
        assert set(values) - step <= set(found)


@pytest.mark.parametrize("make_file", FILES, ids=lambda make_file: make_file.__name__)
def test_what_is_shown_is_what_is_there(tmp_path, make_file):
    source, values = make_file(tmp_path / "source")
    shown = json.loads(call("inspect", source, "--json").stdout)
    assert {v["name"]: (v["dtype"], v["shape"]) for v in shown["variables"]} == {
        name: (value.dtype.name, list(value.shape)) for name, value in values.items()
    }
    assert shown["global_step"] == (7 if "global_step" in values else None)


# With TensorFlow.


def small_frozen_graph(directory):
    import tensorflow as tf

    directory.mkdir()
    graph = tf.compat.v1.GraphDef()
    for name in ("dense/kernel", "dense/bias"):
        node = graph.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(VALUES[name]))
        graph.node.add(name=f"{name}/read", op="Identity", input=[name])
    (directory / "g.pb").write_bytes(graph.SerializeToString())
    return directory / "g.pb", {n: VALUES[n] for n in ("dense/kernel", "dense/bias")}


SMALL = [safetensors_file, small_frozen_graph]


@pytest.mark.parametrize("make_file", SMALL, ids=lambda make_file: make_file.__name__)
def test_a_keras_model_takes_it(tmp_path, make_file):
    import tensorflow as tf

    def model():
        inputs = tf.keras.Input((3,))
        return tf.keras.Model(inputs, tf.keras.layers.Dense(2, name="dense")(inputs))

    source, _ = make_file(tmp_path / "source")
    loaded = model()
    ec.load_into(loaded, source)
    written = model()
    new = ec.convert_for(written, source, tmp_path / "new" / "m")
    tf.train.Checkpoint(written).restore(new).assert_consumed()
    for found in (loaded, written):
        np.testing.assert_array_equal(found.get_weights()[0], KERNEL)
        np.testing.assert_array_equal(found.get_weights()[1], VALUES["dense/bias"])


@pytest.mark.parametrize("make_file", SMALL, ids=lambda make_file: make_file.__name__)
def test_a_job_is_warm_started_from_it(tmp_path, make_file):
    import tensorflow as tf

    source, _ = make_file(tmp_path / "source")

    @ec.warm_start_from(str(source))
    def model_fn(features, labels, mode):
        out = tf.compat.v1.layers.dense(features["x"], 2, name="dense")
        loss = tf.reduce_mean(tf.square(out - labels))
        step = tf.compat.v1.train.get_or_create_global_step()
        train = tf.compat.v1.train.GradientDescentOptimizer(0.0).minimize(loss, step)
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train)

    def input_fn():
        x = np.ones((4, 3), np.float32)
        labels = np.ones((4, 2), np.float32)
        return tf.data.Dataset.from_tensors(({"x": x}, labels)).repeat(2)

    job = tf.estimator.Estimator(model_fn, str(tmp_path / "job"))
    job.train(input_fn, steps=1)
    np.testing.assert_array_equal(job.get_variable_value("dense/kernel"), KERNEL)
    assert job.get_variable_value("global_step") == 1


def test_warm_start_settings_say_that_tensorflow_cannot_read_it(tmp_path):
    source, _ = safetensors_file(tmp_path / "source")
    with pytest.raises(ec.CheckpointError, match="or wrap the model_fn with") as caught:
        ec.warm_start_settings(source)
    assert "\n" not in str(caught.value)
