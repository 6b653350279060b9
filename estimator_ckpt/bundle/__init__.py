"""TensorFlow's tensor bundle: reading and writing checkpoints as files.

    index          entries by name              reader     tensors as arrays
    entry, header  the messages in it           writer     new tensors and bundles
    v1_reader      the format before 2017       files      all access to files

    sstable/       the sorted table that an index is
    protobuf/      messages as bytes
    tensors/       the bytes of one tensor: dtypes, arrays, slices
    local_files/   what files.py does on this machine's disks

No TensorFlow in here, and no policy: what keys mean is decided a floor above. NumPy
and protobuf are imported when first needed. The format: docs/format.md.
"""
