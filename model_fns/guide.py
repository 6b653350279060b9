"""The model_fn of TensorFlow's guide "Migrating model checkpoints".

The guide shows it twice, once saving TF1 checkpoints and once TF2 checkpoints;
the two differ in nothing but their Scaffold. This is that model_fn, undecorated
and without a Scaffold. Each training step adds 2 to its only variable.

Variables:
  var          float32[]  0 before the first step
  global_step  int64[]
"""

import tensorflow as tf

tf1 = tf.compat.v1


def model_fn(features, labels, mode):
    """Adds 2 to the variable `var` in every training step.

    Args:
      features: any tensor; its values are not used.
      labels: not used.
      mode: a `tf.estimator.ModeKeys`.

    Returns:
      An EstimatorSpec whose loss is always 1, and whose prediction and metric
      `var` are the variable's value.
    """
    del labels
    step = tf1.train.get_or_create_global_step()
    var = tf1.get_variable(
        "var", shape=[], dtype=tf.float32, initializer=tf1.constant_initializer(0)
    )
    # EVAL and PREDICT end with their data, so they must read it.
    with tf.control_dependencies([features]):
        prediction = tf.reshape(var, [1])
    return tf.estimator.EstimatorSpec(
        mode,
        predictions={"var": prediction},
        loss=tf.constant(1.0),
        train_op=tf.group(var.assign_add(2), step.assign_add(1)),
        eval_metric_ops={"var": tf1.metrics.mean(prediction)},
    )


def input_fn():
    """The guide's three examples. Training never reads them: any number of steps."""
    return tf.data.Dataset.from_tensor_slices(([1, 2, 3], [4, 5, 6]))


def serving_input_receiver_fn():
    """Takes an int32 scalar, as `input_fn` gives."""
    features = tf1.placeholder(tf.int32, [], name="features")
    return tf.estimator.export.TensorServingInputReceiver(features, features)
