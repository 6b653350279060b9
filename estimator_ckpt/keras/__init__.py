"""Leaving Estimator: checkpoints for live Keras and TF2 objects, and back.

Needs TensorFlow and no Estimator. An object is described once, as data; what follows
takes the data alone.
"""
