"""Writes the checkpoint here: TensorFlow 2.21.0, Keras 3, Adam after three steps.

    python tests/keras/optimizers/trained_keras_3/write.py

No two numbers in it are the same, so that nothing can go where it does not belong.
"""

import pathlib

import keras
import numpy as np
import tensorflow as tf


def main():
    model = keras.Sequential(
        [keras.layers.Dense(2, name="dense"), keras.layers.Dense(1, name="head")],
        name="net",
    )
    model.build((None, 3))
    optimizer = keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5)
    random = np.random.default_rng(1)
    variables = model.trainable_variables
    optimizer.build(variables)
    for _ in range(3):
        gradients = [random.normal(size=v.shape).astype("float32") for v in variables]
        gradients = [tf.constant(gradient) for gradient in gradients]
        optimizer.apply_gradients(zip(gradients, variables))
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    checkpoint.write(str(pathlib.Path(__file__).parent / "model.ckpt"))


if __name__ == "__main__":
    main()
