"""What tf-keras asks of Python and NumPy, whichever of its versions is here."""

import os

import numpy as np
import pytest
import tensorflow as tf

from estimator_ckpt.estimator import runtime

runtime.enable_estimator()


def weights():
    layer = tf.keras.layers.Dense(3)
    layer.build((None, 2))
    return layer.kernel.numpy()


def test_a_seed_for_all_gives_the_same_weights_again():
    found = []
    for seed in (1, 1, 2):
        tf.keras.utils.set_random_seed(seed)
        found.append(weights())
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


@pytest.mark.parametrize(
    "callback",
    [
        lambda path: tf.keras.callbacks.EarlyStopping("loss"),
        lambda path: tf.keras.callbacks.ReduceLROnPlateau("loss"),
        lambda path: tf.keras.callbacks.ModelCheckpoint(
            os.path.join(path, "best.h5"), "loss", save_best_only=True
        ),
    ],
    ids=["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"],
)
def test_callbacks_that_begin_at_infinity_watch_a_loss(callback, tmp_path):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
    model.compile(tf.keras.optimizers.SGD(0.01), "mse")
    watching = callback(str(tmp_path))
    x = np.ones([4, 2], np.float32)
    history = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[watching])
    assert watching.best == pytest.approx(min(history.history["loss"]))


def test_negative_samples_of_a_sequence_are_shuffled_with_a_seed():
    couples, labels = tf.keras.preprocessing.sequence.skipgrams([1, 2, 3, 4], 5)
    assert len(couples) == len(labels) > 0
