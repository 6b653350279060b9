"""Saves layers with random weights, and what they give, in TensorFlow 1.15.

    python -m tests.compat.torch_modules.save_layers DIRECTORY

Writes `DIRECTORY/model.ckpt`, as a Saver does, and `DIRECTORY/outputs.npz`.
"""

import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from tensorflow.contrib import cudnn_rnn, layers, rnn

from tests.compat.torch_modules import module_sizes as sizes

tf.logging.set_verbosity(tf.logging.ERROR)


def recurrent(cell, series, scope):
    return tf.nn.dynamic_rnn(cell, series, dtype=tf.float32, scope=scope)[0]


def outputs(given):
    """What each layer makes of its input; variables are named after the layers."""
    keras = tf.keras.layers
    cells = [rnn.LSTMCell(sizes.UNITS, forget_bias=sizes.FORGET_BIAS) for _ in range(2)]
    fw, bw = (rnn.BasicLSTMCell(sizes.UNITS) for _ in range(2))
    both, _ = tf.nn.bidirectional_dynamic_rnn(
        fw, bw, given["both"], dtype=tf.float32, scope="both"
    )
    table = tf.get_variable("embedding/weights", [sizes.VOCABULARY, sizes.IN])
    depthwise = keras.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")
    batch_norm = tf.layers.batch_normalization(given["bn"], name="bn", training=False)
    return {
        "dense": tf.layers.dense(given["dense"], sizes.UNITS, name="dense"),
        "square": layers.fully_connected(
            given["square"], sizes.IN, activation_fn=None, scope="square"
        ),
        "conv1d": tf.layers.conv1d(given["conv1d"], 6, 3, name="conv1d"),
        "conv2d": tf.layers.conv2d(
            given["conv2d"], 6, 3, padding="same", use_bias=False, name="conv2d"
        ),
        "conv3d": tf.layers.conv3d(given["conv3d"], 4, 3, name="conv3d"),
        "depthwise": depthwise(given["depthwise"]),
        "separable": tf.layers.separable_conv2d(
            given["separable"], 5, 3, depth_multiplier=2, name="separable"
        ),
        "transposed": tf.layers.conv2d_transpose(
            given["transposed"], 5, 3, strides=2, name="transposed"
        ),
        "bn": batch_norm,
        "ln": layers.layer_norm(given["ln"], scope="ln"),
        "embedding": tf.nn.embedding_lookup(table, given["embedding"]),
        "basic": recurrent(rnn.BasicLSTMCell(sizes.UNITS), given["basic"], "basic"),
        "projected": recurrent(
            rnn.LSTMCell(sizes.UNITS, num_proj=sizes.PROJECTED),
            given["projected"],
            "projected",
        ),
        "stacked": recurrent(rnn.MultiRNNCell(cells), given["stacked"], "stacked"),
        "both": tf.concat(both, -1),
        "cudnn_gru": recurrent(
            cudnn_rnn.CudnnCompatibleGRUCell(sizes.UNITS),
            given["cudnn_gru"],
            "cudnn_gru",
        ),
        "keras_lstm": keras.LSTM(
            sizes.UNITS,
            recurrent_activation="sigmoid",
            return_sequences=True,
            name="keras_lstm",
        )(given["keras_lstm"]),
        "keras_gru": keras.GRU(
            sizes.UNITS,
            recurrent_activation="sigmoid",
            reset_after=True,
            return_sequences=True,
            name="keras_gru",
        )(given["keras_gru"]),
        "keras_rnn": keras.SimpleRNN(
            sizes.UNITS, return_sequences=True, name="keras_rnn"
        )(given["keras_rnn"]),
    }


def main(directory):
    random = np.random.RandomState(9)
    with tf.Graph().as_default(), tf.Session() as session:
        given = {
            name: tf.constant(value, name=f"given/{name}")
            for name, value in sizes.inputs().items()
        }
        made = outputs(given)
        loss = tf.add_n([tf.reduce_sum(tf.square(value)) for value in made.values()])
        step = tf.train.get_or_create_global_step()
        tf.train.AdamOptimizer().minimize(loss, step)  # so that there are gradients
        session.run(tf.global_variables_initializer())
        for variable in tf.global_variables():
            if variable.dtype.base_dtype == tf.float32:
                shape = variable.shape.as_list()
                variable.load(random.uniform(0.1, 0.9, shape), session)
        tf.train.Saver().save(session, os.path.join(directory, "model.ckpt"))
        np.savez(os.path.join(directory, "outputs.npz"), **session.run(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
