"""ResNets of version 1: tf-slim's own, and the official one's formulas."""

import functools

import numpy as np
import tensorflow as tf

from tests.compat.published_models.sizes import BATCH, CLASSES, IMAGE

IMAGES = np.random.RandomState(1).rand(BATCH, IMAGE, IMAGE, 3).astype(np.float32)


def slim_resnet():
    """TensorFlow 1.15's own `resnet_v1_50`."""
    from tensorflow.contrib.slim.python.slim.nets import resnet_utils, resnet_v1

    with tf.contrib.slim.arg_scope(resnet_utils.resnet_arg_scope()):
        logits, _ = resnet_v1.resnet_v1_50(IMAGES, CLASSES, is_training=False)
    return {"logits": tf.squeeze(logits, [1, 2])}


def official_resnet(blocks):
    """The official model with `resnet_version=1`: stride in the middle convolution."""
    with tf.variable_scope("resnet_model"):
        x = tf.nn.relu(_norm(_conv(IMAGES, 64, 7, 2)))
        x = tf.layers.max_pooling2d(x, 3, 2, "same")
        for place, units in enumerate(blocks):
            for unit in range(units):
                stride = 2 if place and not unit else 1
                x = _bottleneck(x, 64 * 2**place, stride, is_first=not unit)
        return {"logits": tf.layers.dense(tf.reduce_mean(x, [1, 2]), CLASSES)}


def _bottleneck(x, width, stride, is_first):
    shortcut = _norm(_conv(x, 4 * width, 1, stride)) if is_first else x
    x = tf.nn.relu(_norm(_conv(x, width, 1, 1)))
    x = tf.nn.relu(_norm(_conv(x, width, 3, stride)))
    return tf.nn.relu(_norm(_conv(x, 4 * width, 1, 1)) + shortcut)


def _conv(x, width, size, stride):
    if stride > 1:
        x = tf.pad(
            x, [[0, 0], *[[(size - 1) // 2, size - 1 - (size - 1) // 2]] * 2, [0, 0]]
        )
    padding = "valid" if stride > 1 else "same"
    return tf.layers.conv2d(x, width, size, stride, padding, use_bias=False)


_norm = functools.partial(tf.layers.batch_normalization, epsilon=1e-5)
