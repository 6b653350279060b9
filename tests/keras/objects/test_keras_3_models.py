"""Objects of Keras 3 on another backend. With one it is tried by `make compat`."""

import pytest
import tensorflow as tf

from estimator_ckpt.keras.objects import keras_3_models
from estimator_ckpt.keras.objects.descriptions import TrackableError


def test_what_is_tensorflow_s_own_is_none():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    for own in (model, tf.Module(), tf.train.Checkpoint(), {"model": model}, None):
        assert not keras_3_models.is_one(own)


def test_what_is_nothing_of_keras_is_refused():
    with pytest.raises(TrackableError, match="is no model, layer or optimizer"):
        keras_3_models.describe({"number": 3})
