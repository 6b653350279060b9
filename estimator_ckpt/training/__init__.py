"""Savers, scaffolds and warm starts for `tf.estimator` jobs. Needs TensorFlow."""
