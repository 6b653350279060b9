"""All of TensorFlow's, Estimator's and Keras's private API that is used.

Each function says what it stands on and with which versions it was checked. Nothing
here decides anything, and no other room touches what is not public.
"""
