"""What several tests of the bundle need."""

from __future__ import annotations

import os

import numpy as np

from estimator_ckpt.bundle import checksum
from estimator_ckpt.bundle.index import (
    Header,
    index_path,
    serialize_index,
    shard_path,
)
from estimator_ckpt.bundle.local_files import system_calls
from estimator_ckpt.bundle.reader import BundleReader


def assert_same(found, expected):
    """Equal in dtype, shape and every bit."""
    expected = np.asarray(expected)
    if expected.dtype.kind == "S":
        expected = expected.astype(object)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if expected.dtype == object:
        assert found.reshape(-1).tolist() == expected.reshape(-1).tolist()
    else:
        assert found.tobytes() == expected.tobytes()


def write_raw(prefix, data, entries, header=None):
    """A bundle of one shard with these bytes and these entries."""
    with open(shard_path(prefix, 0, 1), "wb") as file:
        file.write(data)
    items = [(key, entry.serialize()) for key, entry in entries.items()]
    with open(index_path(prefix), "wb") as file:
        file.write(serialize_index(header or Header(), items))
    return BundleReader(prefix)


def crc(data):
    return checksum.mask(checksum.value(data))


def restore(prefix, name, dtype, shape_and_slice=""):
    """What TensorFlow's RestoreV2 reads, as an array."""
    import tensorflow as tf

    (tensor,) = tf.raw_ops.RestoreV2(
        prefix=str(prefix),
        tensor_names=[name],
        shape_and_slices=[shape_and_slice],
        dtypes=[tf.as_dtype(dtype)],
    )
    return plain(tensor)


def save(prefix, tensors, shape_and_slices=None):
    """Writes a checkpoint with TensorFlow's SaveV2; names and tensors are pairs."""
    import tensorflow as tf

    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=[name for name, _ in tensors],
        shape_and_slices=shape_and_slices or [""] * len(tensors),
        tensors=[tensor for _, tensor in tensors],
    )


def plain(tensor):
    """A tensor as an array, quantized types as the integers that they are made of."""
    import tensorflow as tf

    if tensor.dtype.is_quantized:
        integers = np.dtype(tensor.dtype.as_numpy_dtype)[0]
        return np.asarray(tf.bitcast(tensor, tf.as_dtype(integers)))
    return np.asarray(tensor.numpy(), tensor.dtype.as_numpy_dtype)


def fail(monkeypatch, operation, number, after=0):
    """Makes an operation fail with an errno, the first `after` times not."""
    original, calls = system_calls.change, []

    def change(name, call, *arguments):
        if name == operation:
            calls.append(name)
            if len(calls) > after:
                raise OSError(number, os.strerror(number))
        return original(name, call, *arguments)

    monkeypatch.setattr(system_calls, "change", change)
