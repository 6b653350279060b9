"""Checkpoints that do not fit the graph: listed, cast, or started from."""

import logging

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import object_keys
from tests.estimator import counting, helpers

FORMATS = ("tf1", "tf2", "dual")


def grown(features, labels, mode):
    """The counting model_fn with averages, a new weight, slots and parts."""
    spec = counting.model_fn(features, labels, mode)
    (counter,) = (v for v in tf1.global_variables() if v.op.name == "counter")
    new = tf1.get_variable("new", [2], initializer=tf1.constant_initializer(7.0))
    rows = tf1.get_variable(
        "rows",
        [4, 2],
        initializer=tf1.constant_initializer(3.0),
        partitioner=tf1.fixed_size_partitioner(2),
    )
    names = tf1.get_variable("names", initializer=tf.constant(["a", "b"]))
    tf1.get_variable("of_new", initializer=new.initial_value * 2)
    ema = tf1.train.ExponentialMovingAverage(0.5)
    predictions = {**spec.predictions, "names": tf.expand_dims(names, 0)}
    if mode != tf.estimator.ModeKeys.TRAIN:
        saver = tf1.train.Saver(ema.variables_to_restore())
        return spec._replace(
            predictions=predictions, scaffold=tf1.train.Scaffold(saver=saver)
        )
    averages = ema.apply([counter, new])
    optimizer = tf1.train.AdamOptimizer(0.0)
    loss = tf.reduce_sum(new) + tf.reduce_sum(tf.convert_to_tensor(rows))
    return spec._replace(
        train_op=tf.group(spec.train_op, averages, optimizer.minimize(loss))
    )


@pytest.fixture(params=FORMATS)
def old(request, tmp_path):
    """A format and a model dir with the checkpoint 4 of the counting model_fn."""
    counting.train(tmp_path / "job", 4, request.param)
    return request.param, tmp_path / "job"


def test_what_a_checkpoint_lacks_is_listed_and_says_what_to_do(old):
    format, job = old
    with pytest.raises(tf.errors.NotFoundError) as caught:
        counting.train(job, 1, format, grown)
    message = str(caught.value)
    assert isinstance(caught.value, ec.CheckpointError)
    for name in ("new", "rows", "counter/ExponentialMovingAverage", "new/Adam_1"):
        assert f"'{name}' is not in it" in message
    assert "on_missing='initialize'" in message
    assert "\n" not in message


def test_a_job_goes_on_with_what_a_checkpoint_lacks_initialized(old, caplog):
    format, job = old
    with caplog.at_level(logging.WARNING, "estimator_ckpt"):
        counting.train(job, 1, format, grown, on_missing="initialize")
    (warning,) = (r.getMessage() for r in caplog.records if "lacks" in r.getMessage())
    assert f"{job}/model.ckpt-4 lacks" in warning
    for name in ("new", "rows", "names", "new/Adam", "new/Adam_1", "beta1_power"):
        assert f" {name}," in f"{warning},"
    assert "counter/ExponentialMovingAverage (of counter)" in warning
    with ec.open_checkpoint(job / "model.ckpt-4") as first:  # saved as it resumes
        assert first.global_step == 4
        found = {name: first.read(name) for name in first}
    expected = {
        "counter": [4.0] * 3,
        "counter/ExponentialMovingAverage": [4.0] * 3,
        "new": [7.0, 7.0],
        "new/ExponentialMovingAverage": [7.0, 7.0],
        "of_new": [14.0, 14.0],
        "rows": np.full([4, 2], 3.0),
        "rows/Adam": np.zeros([4, 2]),
        "beta1_power": np.float32(0.9),
    }
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
    assert list(found["names"]) == [b"a", b"b"]
    with ec.open_checkpoint(job) as last:
        assert last.global_step == 5
    caplog.clear()
    counting.train(job, 1, format, grown, on_missing="initialize")
    assert "lacks" not in caplog.text


def test_an_old_checkpoint_is_evaluated_by_a_graph_with_averages(old):
    format, job = old
    est = counting.job(job, format, grown, on_missing="initialize")
    predictions = next(est.predict(counting.input_fn))
    np.testing.assert_array_equal(predictions["counter"], [4.0] * 3)
    assert list(predictions["names"]) == [b"a", b"b"]


def test_averages_that_are_there_are_evaluated_all_the_same(tmp_path):
    counting.train(tmp_path, 4, "tf2", grown)
    est = counting.job(tmp_path, "tf2", grown, on_missing="initialize")
    with ec.open_checkpoint(tmp_path) as found:
        average = found.read("counter/ExponentialMovingAverage")
    assert 0 < average[0] < 4
    predicted = next(est.predict(counting.input_fn))["counter"]
    np.testing.assert_array_equal(predicted, average)


def test_hash_tables_that_a_checkpoint_lacks_begin_empty(old):
    format, job = old

    def with_table(features, labels, mode):
        from tensorflow.python.ops.lookup_ops import MutableHashTable

        spec = counting.model_fn(features, labels, mode)
        table = MutableHashTable(tf.int64, tf.float32, -1.0, name="table")
        size = tf.reshape(table.size(), [1])
        return spec._replace(predictions={**spec.predictions, "size": size})

    est = counting.job(job, format, with_table, on_missing="initialize")
    est.train(counting.input_fn, steps=1)
    assert next(est.predict(counting.input_fn))["size"] == 0


def test_other_shapes_and_dtypes_stay_errors_that_name_all(old):
    format, job = old

    def other(features, labels, mode):
        step = tf1.train.get_or_create_global_step()
        counter = tf1.get_variable("counter", [5], tf.float64)
        tf1.get_variable("new", [])
        return tf.estimator.EstimatorSpec(
            mode, loss=tf.reduce_sum(counter), train_op=step.assign_add(1)
        )

    for on_missing in ("error", "initialize"):
        with pytest.raises(tf.errors.OpError) as caught:
            counting.train(job, 1, format, other, on_missing=on_missing)
        assert "'counter' has shape [3] there and [5] here" in str(caught.value)
        is_missing = isinstance(caught.value, tf.errors.NotFoundError)
        assert is_missing == (on_missing == "error")

    def other_dtype(features, labels, mode):
        step = tf1.train.get_or_create_global_step()
        counter = tf1.get_variable("counter", [3], tf.float64)
        return tf.estimator.EstimatorSpec(
            mode, loss=tf.reduce_sum(counter), train_op=step.assign_add(1)
        )

    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        counting.train(job, 1, format, other_dtype)
    message = str(caught.value)
    assert "'counter' has dtype float32 there and float64 here" in message
    assert isinstance(caught.value, ec.CheckpointError)


def test_a_checkpoint_of_another_model_is_not_begun_from(old):
    format, job = old

    def another(features, labels, mode):
        step = tf1.train.get_or_create_global_step()
        v = tf1.get_variable("another", [])
        return tf.estimator.EstimatorSpec(mode, loss=v, train_op=step.assign_add(1))

    with pytest.raises(ec.CheckpointError, match="none of the 1 variables"):
        counting.train(job, 1, format, another, on_missing="initialize")


def test_damage_is_a_data_loss(old):
    format, job = old
    next(job.glob("model.ckpt-4.data-*")).unlink()
    with pytest.raises(tf.errors.DataLossError, match=r"model\.ckpt-4") as caught:
        counting.train(job, 1, format)
    assert isinstance(caught.value, ec.CheckpointError)


@pytest.mark.parametrize("here", [tf.int32, tf.int64])
@pytest.mark.parametrize("there", [tf.int32, tf.int64])
@pytest.mark.parametrize("format", FORMATS)
def test_a_global_step_of_32_bits_goes_on(tmp_path, format, there, here):
    for dtype, expected in ((there, 3), (here, 6)):
        with tf.Graph().as_default():
            step = tf1.get_variable(
                "global_step",
                initializer=tf.constant(0, dtype),
                trainable=False,
                collections=[
                    tf1.GraphKeys.GLOBAL_VARIABLES,
                    tf1.GraphKeys.GLOBAL_STEP,
                ],
            )
            v = tf1.get_variable("v", [2], initializer=tf1.zeros_initializer())
            update = tf.group(step.assign_add(1), v.assign_add(tf.ones([2])))
            with tf1.train.MonitoredTrainingSession(
                checkpoint_dir=str(tmp_path), scaffold=ec.scaffold(format)
            ) as session:
                for _ in range(3):
                    session.run(update)
        with ec.open_checkpoint(tmp_path) as found:
            assert found.global_step == expected
            written = found["global_step"].dtype
            # tf1 is what the graph's own Saver writes, and reads.
            assert written == (dtype.name if format == "tf1" else "int64")
    prefix = tf.train.latest_checkpoint(str(tmp_path))
    if format != "tf1":
        reader = tf.train.load_checkpoint(prefix)
        assert reader.get_variable_to_dtype_map()["global_step"] == tf.int64
        assert object_keys.STEP_KEY in reader.get_variable_to_shape_map()
        variables = {"v": tf.Variable(tf.zeros([2]))}
        eager = tf.Variable(0, dtype=tf.int64)
        checkpoint = tf.train.Checkpoint(var_list=variables, step=eager)
        checkpoint.restore(prefix).assert_consumed()
        assert eager.numpy() == 6
    assert helpers.values(tmp_path)


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match="unknown on_missing 'skip'"):
        ec.with_scaffold("tf2", on_missing="skip")
