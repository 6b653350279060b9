"""TensorFlow's tensor bundle: reading and writing checkpoints as files.

    table     the sorted table that an index is      entry     header and entries
    index     entries by name                        reader    tensors as arrays
    writer    new tensors and bundles                files     all access to files

No TensorFlow in here, and no policy: what keys mean is decided a floor above. NumPy
and protobuf are imported when first needed. The format: docs/format.md.
"""
