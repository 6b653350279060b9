"""Keras optimizers described: slots by their meaning, counters, settings."""

import pytest
import tensorflow as tf

from estimator_ckpt.keras.objects import trackables
from estimator_ckpt.keras.objects.descriptions import Generation, TrackableError

IS_KERAS_3 = hasattr(tf.keras, "ops")
SINCE = Generation.KERAS_3 if IS_KERAS_3 else Generation.SINCE_2_11


def net():
    model = tf.keras.Sequential([tf.keras.layers.Dense(3, name="one")])
    model.build((None, 2))
    return model


def described(optimizer):
    found = trackables.describe({"model": net(), "optimizer": optimizer})
    (only,) = found.optimizers
    return only


def test_adam():
    found = described(tf.keras.optimizers.Adam(0.25, beta_1=0.5))
    assert (found.called, found.path) == ("Adam", "optimizer")
    assert found.generation is SINCE
    assert set(found.slots) == {"m", "v"}
    assert set(found.slots["m"]) == {"one/kernel", "one/bias"}
    assert found.betas["beta1_power"] == 0.5
    assert found.learning_rate(100) == 0.25
    assert not found.has_schedule
    assert int(found.iterations.value()) == 0


@pytest.mark.skipif(IS_KERAS_3, reason="Keras 3 has no legacy optimizers")
def test_a_legacy_optimizer():
    found = described(tf.keras.optimizers.legacy.RMSprop(0.25, momentum=0.5))
    assert found.called == "legacy.RMSprop"
    assert found.is_legacy
    assert set(found.slots) == {"rms", "momentum"}


def test_a_schedule_says_the_rate_of_each_step():
    schedule = tf.keras.optimizers.schedules.PiecewiseConstantDecay([10], [1.0, 0.5])
    found = described(tf.keras.optimizers.SGD(schedule, momentum=0.9))
    assert found.has_schedule
    assert (found.learning_rate(3), found.learning_rate(30)) == (1.0, 0.5)
    assert set(found.slots) == {"accumulator"}


def test_one_that_trains_what_is_not_in_the_object():
    optimizer, other = tf.keras.optimizers.Adam(), net()
    optimizer.build(other.trainable_variables)
    with pytest.raises(TrackableError, match="that the object given does not have"):
        described(optimizer)
