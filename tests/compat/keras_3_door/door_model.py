"""The model in Keras: Keras 2 of TensorFlow 2.15, or Keras 3 on any backend."""

import keras

from tests.compat.keras_3_door import door_sizes as sizes


def model():
    layers = keras.layers
    shape = (sizes.ROWS, sizes.COLUMNS, sizes.CHANNELS)
    x = given = keras.Input(shape)
    x = layers.Conv2D(sizes.FILTERS, 3, padding="same", name="conv")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="bn")(x))
    x = layers.DepthwiseConv2D(
        3, padding="same", depth_multiplier=sizes.MULTIPLIER, name="depthwise"
    )(x)
    x = layers.SeparableConv2D(sizes.POINTS, 3, padding="same", name="separable")(x)
    x = layers.Reshape((sizes.ROWS, sizes.COLUMNS * sizes.POINTS))(x)
    x = layers.LSTM(sizes.UNITS, name="lstm")(x)
    return keras.Model(given, layers.Dense(sizes.OUTPUTS, name="out")(x))


def compiled():
    made = model()
    made.compile(keras.optimizers.Adam(sizes.RATE, epsilon=sizes.EPSILON), "mse")
    return made
