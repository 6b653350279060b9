"""Jobs and their dry runs read whatever people pass as the commands do."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.estimator.restoring import job_sources
from tests import sources
from tests.estimator import helpers
from tests.estimator.helpers import ec
from tests.sources import NONE, SOURCES, WEIGHTS


def input_fn():
    features = {"x": np.ones([4, 3], np.float32)}
    return tf.data.Dataset.from_tensors((features, np.zeros([4, 2], np.float32)))


def model_fn(features, labels, mode):
    """The variables of the sources, in training at a rate of 0."""
    kernel = tf1.get_variable("dense/kernel", [3, 2])
    bias = tf1.get_variable("dense/bias", [2])
    loss = tf.reduce_mean((features["x"] @ kernel + bias - labels) ** 2)
    step = tf1.train.get_global_step()
    train_op = tf1.train.GradientDescentOptimizer(0.0).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def assert_carried(model_dir):
    for name, value in WEIGHTS.items():
        found = tf.train.load_variable(helpers.latest(model_dir), name)
        np.testing.assert_array_equal(found, value)


@pytest.mark.parametrize(
    "make_source", SOURCES, ids=lambda make_source: make_source.__name__
)
def test_a_job_starts_as_its_plan_says(tmp_path, make_source):
    source = make_source(tmp_path / "source")
    planned = ec.plan(source, model_fn, input_fn=input_fn, carry="model")
    verdicts = {item.name: item.verdict.value for item in planned.items if item.target}
    assert verdicts == {**dict.fromkeys(WEIGHTS, "carried"), "global_step": "reset"}
    fn = ec.warm_start_from(source, strict=True)(model_fn)
    helpers.estimator(fn, tmp_path / "job").train(input_fn, steps=1)
    assert_carried(tmp_path / "job")


@pytest.mark.parametrize(
    "make_source", SOURCES, ids=lambda make_source: make_source.__name__
)
def test_the_settings_name_the_checkpoint_that_is_opened(tmp_path, make_source):
    source = make_source(tmp_path / "source")
    settings = ec.warm_start_settings(source)
    with ec.open_checkpoint(source) as checkpoint:
        assert settings.ckpt_to_initialize_from == checkpoint.prefix


@pytest.mark.parametrize("make_source", [sources.saved_model, sources.v1_shards])
def test_estimator_starts_from_the_settings(tmp_path, make_source):
    settings = ec.warm_start_settings(make_source(tmp_path / "source"))
    estimator = tf.estimator.Estimator(
        model_fn, model_dir=str(tmp_path / "job"), warm_start_from=settings
    )
    estimator.train(input_fn, steps=1)
    assert_carried(tmp_path / "job")


@pytest.mark.parametrize(
    "make_source", SOURCES, ids=lambda make_source: make_source.__name__
)
def test_a_live_object_gets_the_same_values(tmp_path, make_source):
    source = make_source(tmp_path / "source")
    variables = {name: tf.Variable(value * 0) for name, value in WEIGHTS.items()}
    module = tf.train.Checkpoint(
        **{n.replace("/", "_"): v for n, v in variables.items()}
    )
    map_ = {name: name.replace("/", "_") for name in WEIGHTS}
    options = {"assignment_map": map_, "names": "path"}
    planned = ec.plan_for(module, source, **options)
    assert not planned.problems
    prefix = ec.convert_for(module, source, tmp_path / "new", **options)
    module.restore(prefix).assert_consumed()
    for name, value in WEIGHTS.items():
        np.testing.assert_array_equal(variables[name], value)


@pytest.mark.parametrize(
    "make_source", NONE, ids=lambda make_source: make_source.__name__
)
def test_what_is_no_checkpoint_is_refused_in_the_same_words(tmp_path, make_source):
    source = make_source(tmp_path / "source")
    fn = ec.warm_start_from(source)(model_fn)
    for refused in (
        lambda: helpers.estimator(fn, tmp_path / "job").train(input_fn, steps=1),
        lambda: ec.plan(source, model_fn, input_fn=input_fn),
        lambda: ec.warm_start_settings(source),
        lambda: ec.convert_for(tf.train.Checkpoint(v=tf.Variable(1)), source, "new"),
    ):
        with pytest.raises(ec.CheckpointError) as caught:
            refused()
        assert NONE[make_source] in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_path_that_tensorflow_takes_for_a_pattern(tmp_path):
    """Which the plan finds, so the job must; TensorFlow alone would not."""
    source = sources.model_dir(tmp_path / "a[b]*")
    planned = ec.plan(source, model_fn, input_fn=input_fn, carry="model")
    assert not planned.problems
    fn = ec.warm_start_from(source, strict=True)(model_fn)
    helpers.estimator(fn, tmp_path / "job").train(input_fn, steps=1)
    assert_carried(tmp_path / "job")
    with pytest.raises(ec.CheckpointError, match=r"takes '\[' in its path") as caught:
        ec.warm_start_settings(source)
    assert "\n" not in str(caught.value)


def test_a_directory_of_the_prefix_s_name_is_no_source_of_the_settings(tmp_path):
    prefix = sources.prefix(tmp_path / "source")
    prefix.mkdir()
    with pytest.raises(ec.CheckpointError, match="a directory has its name"):
        ec.warm_start_settings(prefix)


def test_damaged_bytes_are_told_in_the_line_that_says_so(tmp_path):
    """Not in `Graph execution error:`, with which TensorFlow's message begins."""
    prefix = str(sources.prefix(tmp_path / "source"))
    shard = tmp_path / "source" / "model.ckpt-7.data-00000-of-00001"
    shard.write_bytes(bytes([shard.read_bytes()[0] ^ 1]) + shard.read_bytes()[1:])
    with tf.Graph().as_default(), tf1.Session() as session:
        read = tf.raw_ops.RestoreV2(
            prefix=prefix,
            tensor_names=["dense/bias"],
            shape_and_slices=[""],
            dtypes=[tf.float32],
        )
        told = pytest.raises(ec.CheckpointError)
        with told as caught, job_sources.reporting_damage(prefix):
            session.run(read)
    assert str(caught.value).startswith(
        f"{prefix} is damaged: TensorBundle at {prefix}"
    )
    assert "Checksum does not match" in str(caught.value)
