"""The sizes that both sides build their layers with, and the inputs of each."""

import numpy as np

BATCH, STEPS, IN, UNITS, PROJECTED = 3, 5, 4, 6, 2
VOCABULARY = 11
FORGET_BIAS = 0.5


def inputs():
    """The inputs by layer: channels last, as TensorFlow has them."""
    random = np.random.RandomState(5)

    def normal(*shape):
        return random.standard_normal(shape).astype(np.float32)

    image = normal(BATCH, 8, 7, IN)
    series = normal(BATCH, STEPS, IN)
    return {
        "dense": normal(BATCH, IN),
        "square": normal(BATCH, IN),
        "conv1d": normal(BATCH, 9, IN),
        "conv2d": image,
        "conv3d": normal(BATCH, 5, 6, 7, 2),
        "depthwise": image,
        "separable": image,
        "transposed": image,
        "bn": image,
        "ln": normal(BATCH, IN),
        "embedding": random.randint(0, VOCABULARY, (BATCH, STEPS)).astype(np.int32),
        **dict.fromkeys(
            (
                *("basic", "projected", "stacked", "both", "cudnn_gru"),
                *("keras_lstm", "keras_gru", "keras_rnn"),
            ),
            series,
        ),
    }
