"""Jobs on tf.estimator: model_fn wrappers, scaffolds, savers, warm starts.

Needs TensorFlow and Estimator. Nothing here knows Keras objects (`keras`) or flags
(`cli`).
"""
