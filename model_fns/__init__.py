"""Ready-made model_fns, each with its input_fns, for the demo, tests and docs.

They are ordinary Estimator code that knows nothing of estimator_ckpt, and each
runs unchanged under TensorFlow 1.15 and under TensorFlow 2.12 to 2.15.
"""
