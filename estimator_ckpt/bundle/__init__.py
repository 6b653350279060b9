"""TensorFlow's tensor bundle: reading and writing checkpoints as files.

No TensorFlow in here, and no policy: what keys mean is decided a floor above. NumPy
and protobuf are imported when first needed.
"""
