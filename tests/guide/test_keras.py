"""Checkpoints and Keras: building, deferred restoration, models as roots."""

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from tests.guide.blocks import printed, value


def model():
    return tf.keras.Sequential([tf.keras.layers.Dense(2), tf.keras.layers.Dense(1)])


INPUTS = np.ones([1, 3], "float32")


@pytest.fixture
def saved(tmp_path):
    built = model()
    built(INPUTS)
    path = str(tmp_path / "weights")
    built.save_weights(path, save_format="tf")
    return built, path


def test_initialized_is_not_built(saved):
    fresh = model()
    assert fresh.layers[0].weights == []
    status = fresh.load_weights(saved[1])
    with pytest.raises(AssertionError):
        status.assert_consumed()


def test_deferred_restoration_fills_variables_as_they_are_built(saved):
    built, path = saved
    fresh = model()
    status = fresh.load_weights(path)
    np.testing.assert_array_equal(fresh.predict(INPUTS), built.predict(INPUTS))
    status.assert_consumed()


def test_write_and_read_are_save_weights_and_load_weights(saved, tmp_path):
    built, path = saved
    written = tf.train.Checkpoint(built).write(str(tmp_path / "written"))
    assert printed(written).keys() == printed(path).keys()
    fresh = model()
    fresh(INPUTS)
    tf.train.Checkpoint(fresh).read(path).assert_consumed()
    np.testing.assert_array_equal(fresh(INPUTS), built(INPUTS))


def test_a_model_as_the_root_is_not_a_model_under_the_root(saved, tmp_path):
    built, _ = saved
    root = tf.train.Checkpoint(built).write(str(tmp_path / "root"))
    under = tf.train.Checkpoint(model=built).write(str(tmp_path / "under"))
    kernel = value("layer_with_weights-0", "kernel")
    assert kernel in printed(root)
    assert f"model/{kernel}" in printed(under)
    with pytest.raises(AssertionError):
        tf.train.Checkpoint(model=built).restore(root).assert_consumed()


@pytest.mark.parametrize("to", ["tf2", "dual"])
def test_a_converted_checkpoint_restores_the_model_that_wrote_it(saved, tmp_path, to):
    built, path = saved
    fresh = model()
    status = fresh.load_weights(ec.convert(path, tmp_path / "new", to=to))
    np.testing.assert_array_equal(fresh.predict(INPUTS), built.predict(INPUTS))
    status.assert_consumed()
