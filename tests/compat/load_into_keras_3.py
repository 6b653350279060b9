"""Loads what Keras 3 trained on TensorFlow into a model of another backend.

Run by test_keras_3_door.py, with KERAS_BACKEND set and a directory to write to.
"""

import pathlib
import sys

import keras
import numpy as np
import pytest

import estimator_ckpt as ec

TRAINED = "keras/optimizers/trained_keras_3/model.ckpt"
SOURCE = pathlib.Path(__file__).parents[1] / TRAINED


def compiled():
    layers = [keras.layers.Dense(2, name="dense"), keras.layers.Dense(1, name="head")]
    model = keras.Sequential(layers, name="other")
    model.build((None, 3))
    model.compile(keras.optimizers.Adam(0.1), "mse")
    return model


def main(directory):
    saved = ec.open_checkpoint(SOURCE)
    kernel = saved.read("net/dense/kernel")
    model = compiled()
    ec.load_into(model, SOURCE)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), kernel)
    np.testing.assert_array_equal(
        model.optimizer._velocities[0].numpy(),
        saved.read("adam/net_dense_kernel_velocity"),
    )
    assert int(model.optimizer.iterations.numpy()) == 3

    other = compiled()
    before = other.layers[0].kernel.numpy()
    weights = ec.convert_for(other, SOURCE, f"{directory}/model.weights.h5")
    whole = ec.convert_for(other, SOURCE, f"{directory}/model.keras")
    np.testing.assert_array_equal(other.layers[0].kernel.numpy(), before)
    other.load_weights(weights)
    for loaded in (other, keras.models.load_model(whole)):
        np.testing.assert_array_equal(loaded.layers[0].kernel.numpy(), kernel)
        assert int(loaded.optimizer.iterations.numpy()) == 3

    with pytest.raises(ec.CheckpointError, match="load_into"):
        ec.convert_for(other, SOURCE, f"{directory}/checkpoint")


if __name__ == "__main__":
    main(sys.argv[1])
