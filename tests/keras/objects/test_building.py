"""Models and optimizers that have no variables yet get them."""

import pytest
import tensorflow as tf

from estimator_ckpt.keras.objects import building
from estimator_ckpt.keras.objects.descriptions import TrackableError
from estimator_ckpt.tf_private import keras_api


def model(*layers):
    return tf.keras.Sequential(layers or [tf.keras.layers.Dense(3)])


def test_a_model_is_built_once():
    net = model()
    assert building.build_model(net, (None, 2)) is True
    assert net.weights[0].shape == (2, 3)
    assert building.build_model(net, None) is False


def test_a_model_that_nothing_says_the_shape_of():
    with pytest.raises(TrackableError, match="--input_shape"):
        building.build_model(model(), None)


def test_a_shape_that_its_layers_refuse_is_one_line():
    net = model(tf.keras.layers.Conv2D(1, 3))
    with pytest.raises(TrackableError, match=r"input of shape \[None, 2\]") as caught:
        building.build_model(net, (None, 2))
    assert "\n" not in str(caught.value)


def test_slots_are_made_for_what_the_model_trains():
    net = model()
    net.build((None, 2))
    net.layers[0].trainable = True
    adam = tf.keras.optimizers.Adam()
    assert building.build_optimizers([adam], [None], [net], ()) is True
    assert keras_api.has_slots(adam)
    assert building.build_optimizers([adam], [None], [net], ()) is False


def test_of_two_nobody_can_tell_what_each_trains():
    net = model()
    net.build((None, 2))
    both = [tf.keras.optimizers.Adam(), tf.keras.optimizers.SGD()]
    with pytest.raises(TrackableError, match="build each"):
        building.build_optimizers(both, [None, None], [net], ())


def test_without_a_model_only_a_legacy_optimizer_can_be_built():
    variable = tf.Variable([1.0])
    with pytest.raises(TrackableError, match="in the order of the variables"):
        building.build_optimizers([tf.keras.optimizers.Adam()], [None], [], [variable])
    if hasattr(tf.keras.optimizers, "legacy"):
        legacy = tf.keras.optimizers.legacy.Adam()
        building.build_optimizers([legacy], [None], [], [variable])
        assert legacy.get_slot(variable, "m").shape == (1,)
