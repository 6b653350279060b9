"""A partitioned embedding with Adagrad, as parameter-server models have them.

Data: the same handwritten digits as `digits`, read as text: an image is a bag of
64 words, one per pixel, and a word is the pixel's place and its brightness (17
levels). So the vocabulary has 64 * 17 = 1,088 ids, most of which are rare or never
seen. 300 steps reach about 92 % accuracy.

Variables (float32 where nothing else is said):
  embedding/weights            [1088, 8]  in params["partitions"] parts by row
  logits/kernel                [8, 10]
  logits/bias                  [10]
  V/Adagrad                    the accumulator of each of these, parted alike
  global_step                  int64[]

A checkpoint holds `embedding/weights` as one variable, whatever the parts: it can
be trained on with another number of them.
"""

import tensorflow as tf

from model_fns import digits

tf1 = tf.compat.v1

PIXELS = 64
LEVELS = 17
VOCABULARY_SIZE = PIXELS * LEVELS

DEFAULTS = {
    "learning_rate": 0.1,
    "dimension": 8,
    "partitions": 3,
}


def model_fn(features, labels, mode, params):
    """Classifies a bag of ids by the sum of their embeddings.

    Args:
      features: {"ids": int64[batch, 64], from 0 to VOCABULARY_SIZE - 1}.
      labels: int64[batch], from 0 to 9; None in PREDICT.
      mode: a `tf.estimator.ModeKeys`.
      params: overrides some of `DEFAULTS`, or is empty.

    Returns:
      An EstimatorSpec with the predictions `class` (int64[batch]) and
      `probabilities` (float32[batch, 10]), and the metric `accuracy`.
    """
    params = dict(DEFAULTS, **(params or {}))

    weights = tf1.get_variable(
        "embedding/weights",
        [VOCABULARY_SIZE, params["dimension"]],
        initializer=tf1.random_normal_initializer(stddev=0.1),
        partitioner=tf1.fixed_size_partitioner(params["partitions"]),
    )
    # "div" gives part 0 the first rows, which is how the partitioner cuts.
    embedded = tf1.nn.embedding_lookup(
        weights, features["ids"], partition_strategy="div"
    )
    bag = tf.reduce_sum(embedded, axis=1)
    logits = tf1.layers.dense(bag, units=10, name="logits")

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

    optimizer = tf1.train.AdagradOptimizer(params["learning_rate"])
    train_op = optimizer.minimize(loss, tf1.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def train_input_fn(params=None):
    """The batches of `digits.train_input_fn` as ids; same params."""
    return digits.train_input_fn(params).map(_image_to_ids)


def eval_input_fn(params=None):
    """The batches of `digits.eval_input_fn` as ids; same params."""
    return digits.eval_input_fn(params).map(_image_to_ids)


def serving_input_receiver_fn():
    """Takes ids as int64[batch, 64]."""
    ids = tf1.placeholder(tf.int64, [None, PIXELS], name="ids")
    return tf.estimator.export.ServingInputReceiver({"ids": ids}, {"ids": ids})


def _image_to_ids(features, labels):
    """Image batch float32[batch, 8, 8, 1] to {"ids": int64[batch, 64]}, and labels."""
    brightness = tf.reshape(features["image"], [-1, PIXELS]) * (LEVELS - 1)
    place = tf.range(PIXELS, dtype=tf.int64)
    return {"ids": place * LEVELS + tf.cast(brightness, tf.int64)}, labels
