"""TensorFlow's tensor bundle: reading and writing checkpoints as files.

    index          entries by name              reader     tensors as arrays
    entry, header  the messages in it           writer     new tensors and bundles
    files          all access to files          errors     what can be wrong
    argument_types what public functions take

    sstable/       the sorted table that an index is
    protobuf/      messages as bytes
    tensors/       the bytes of one tensor: dtypes, arrays, slices
    v1_format/     the format before 2017
    local_files/   what files.py does on this machine's disks

No TensorFlow in here, and no policy: what keys mean is decided a floor above. NumPy
and protobuf are imported when first needed. The format: docs/format.md.
"""
