"""A small convolutional classifier of handwritten digits, with BatchNorm and Adam.

Data: the UCI digits that scikit-learn ships, 1,797 real images of 8x8 pixels.
Every fifth image (360 of them) is held out for evaluation. 300 steps reach about
98 % accuracy there, in a few seconds on a CPU.

Variables (float32 where nothing else is said):
  conv1/kernel           [3, 3, 1, 8]   trainable, as are the next seven
  bn1/gamma, bn1/beta    [8]
  conv2/kernel           [3, 3, 8, 16]
  bn2/gamma, bn2/beta    [16]
  logits/kernel          [256, 10]
  logits/bias            [10]
  bn1/moving_mean, bn1/moving_variance   [8]   not trainable
  bn2/moving_mean, bn2/moving_variance   [16]  not trainable
  V/Adam, V/Adam_1       the slots m and v of each trainable variable V
  beta1_power, beta2_power               []    Adam's
  global_step            int64[]

The same network elsewhere: conv1 (3x3, same padding, no bias), bn1 (momentum 0.9,
epsilon 1e-3), ReLU, conv2 (3x3, stride 2, same padding, no bias), bn2, ReLU,
flatten in height-width-channel order, logits.
"""

import functools

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1

DEFAULTS = {
    "batch_size": 64,
    "learning_rate": 0.003,
    "batch_norm_momentum": 0.9,
}


def model_fn(features, labels, mode, params):
    """Classifies 8x8 images as one of ten digits.

    Args:
      features: {"image": float32[batch, 8, 8, 1], values from 0 to 1}.
      labels: int64[batch], from 0 to 9; None in PREDICT.
      mode: a `tf.estimator.ModeKeys`.
      params: overrides some of `DEFAULTS`, or is empty.

    Returns:
      An EstimatorSpec with the predictions `class` (int64[batch]) and
      `probabilities` (float32[batch, 10]), and the metric `accuracy`.
    """
    params = dict(DEFAULTS, **(params or {}))
    training = mode == tf.estimator.ModeKeys.TRAIN

    def batch_norm(inputs, name):
        return tf1.layers.batch_normalization(
            inputs,
            momentum=params["batch_norm_momentum"],
            training=training,
            name=name,
        )

    net = features["image"]
    net = tf1.layers.conv2d(
        net, filters=8, kernel_size=3, padding="same", use_bias=False, name="conv1"
    )
    net = tf.nn.relu(batch_norm(net, name="bn1"))
    net = tf1.layers.conv2d(
        net,
        filters=16,
        kernel_size=3,
        strides=2,
        padding="same",
        use_bias=False,
        name="conv2",
    )
    net = tf.nn.relu(batch_norm(net, name="bn2"))
    logits = tf1.layers.dense(tf1.layers.flatten(net), units=10, name="logits")

    predictions = {
        "class": tf.argmax(logits, axis=-1),
        "probabilities": tf.nn.softmax(logits),
    }
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(
            mode,
            predictions=predictions,
            export_outputs={
                tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: (
                    tf.estimator.export.PredictOutput(predictions)
                )
            },
        )

    loss = tf1.losses.sparse_softmax_cross_entropy(labels, logits)
    if mode == tf.estimator.ModeKeys.EVAL:
        accuracy = tf1.metrics.accuracy(labels, predictions["class"])
        return tf.estimator.EstimatorSpec(
            mode, loss=loss, eval_metric_ops={"accuracy": accuracy}
        )

    optimizer = tf1.train.AdamOptimizer(params["learning_rate"])
    # The moving statistics of BatchNorm are updated by ops that nothing else runs.
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        train_op = optimizer.minimize(loss, tf1.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def train_input_fn(params=None):
    """Shuffled batches of the training images, without end."""
    params = dict(DEFAULTS, **(params or {}))
    dataset = _dataset("train").cache().shuffle(2000, seed=1).repeat()
    return dataset.batch(params["batch_size"])


def ordered_input_fn(params=None):
    """The batches of the steps from `params["first_step"]` (default: 0) on.

    A job that resumes begins its input anew. With the step given, it goes on with the
    batches that another program would have gone on with.
    """
    params = dict(DEFAULTS, **(params or {}))

    def batches():
        step = params.get("first_step", 0)
        while True:
            images, labels = batch(step, params["batch_size"])
            yield {"image": images}, labels
            step += 1

    return tf.data.Dataset.from_generator(
        batches,
        ({"image": tf.float32}, tf.int64),
        ({"image": [None, 8, 8, 1]}, [None]),
    )


def batch(step, size=DEFAULTS["batch_size"]):
    """The training images and labels of a step: the same ones whoever asks.

    Args:
      step: the global step before it, so 0 for the first.
      size: how many images.

    Returns:
      As `load`.
    """
    images, labels = load("train")
    chosen = np.random.RandomState(step).choice(len(labels), size, replace=False)
    return images[chosen], labels[chosen]


def eval_input_fn(params=None):
    """The held-out images, once and in order."""
    params = dict(DEFAULTS, **(params or {}))
    return _dataset("test").batch(params["batch_size"])


def serving_input_receiver_fn():
    """Takes images as float32[batch, 8, 8, 1], values from 0 to 1."""
    image = tf1.placeholder(tf.float32, [None, 8, 8, 1], name="image")
    return tf.estimator.export.ServingInputReceiver({"image": image}, {"image": image})


@functools.lru_cache(maxsize=2)
def load(split):
    """Reads the digits that scikit-learn ships.

    Args:
      split: "train" (1,437 images) or "test" (every fifth image, 360).

    Returns:
      images: float32[n, 8, 8, 1], values from 0 to 1 in steps of 1/16.
      labels: int64[n], from 0 to 9.
    """
    from sklearn import datasets

    digits = datasets.load_digits()
    images = digits.images[..., None].astype("float32") / 16
    labels = digits.target.astype("int64")
    held_out = [i % 5 == 0 for i in range(len(labels))]
    chosen = [i for i, test in enumerate(held_out) if test == (split == "test")]
    return images[chosen], labels[chosen]


def _dataset(split):
    """The examples of a split, one by one, as `model_fn` takes them in batches."""
    images, labels = load(split)

    def examples():
        for image, label in zip(images, labels):
            yield {"image": image}, label

    # from_tensor_slices would write the images into the graph, and so into the
    # .meta file of every checkpoint.
    return tf.data.Dataset.from_generator(
        examples, ({"image": tf.float32}, tf.int64), ({"image": [8, 8, 1]}, [])
    )
