"""Records what a session sees at the moment it saves a checkpoint.

A recording is an .npz file that holds every saved tensor by its checkpoint key. The
keys are percent-encoded, so that any name fits into the archive:

  <key>             the values, for the dtypes that NumPy has
  <key>:bfloat16    the bits of each value, as uint16
  <key>:lengths     for strings: the length of each, int64 in the tensor's shape,
  <key>:bytes       and their bytes, one after the other, uint8

Reading them back is `session_values` in tests/testdata_paths.py.
"""

import os
from urllib.parse import quote

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1


class Recorder(tf1.train.CheckpointSaverListener):
    """Writes a recording beside each checkpoint that an Estimator saves."""

    def __init__(self, model_dir):
        self._model_dir = model_dir

    def after_save(self, session, global_step_value):
        name = f"model.ckpt-{global_step_value}"
        write(os.path.join(self._model_dir, name), variables(session))


def variables(session):
    """The value of each global variable by its name, partitioned ones made whole."""
    values = {}
    for variable in tf1.global_variables():
        value = session.run(variable)
        part = variable._save_slice_info
        if part is None:
            values[variable.op.name] = value
        else:
            whole = values.setdefault(
                part.full_name, np.empty(part.full_shape, value.dtype)
            )
            extent = zip(part.var_offset, part.var_shape)
            whole[tuple(slice(at, at + size) for at, size in extent)] = value
    return values


def object_keys(prefix, values):
    """The same values by object key, for a checkpoint that tf.train.Checkpoint wrote.

    Args:
      prefix: the checkpoint; only its object graph is read.
      values: by variable name.
    """
    from tensorflow.core.protobuf import trackable_object_graph_pb2 as graph_pb2

    graph = graph_pb2.TrackableObjectGraph.FromString(
        tf.train.load_checkpoint(prefix).get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
    )
    return {
        attribute.checkpoint_key: values[attribute.full_name]
        for node in graph.nodes
        for attribute in node.attributes
    }


def write(prefix, values):
    """Writes the recording of a checkpoint as `<prefix>.npz`."""
    members = {}
    for key, value in values.items():
        key = quote(key, safe="")
        value = np.asarray(value)
        if value.dtype == object:
            strings = list(value.ravel())
            lengths = np.array([len(string) for string in strings], np.int64)
            members[key + ":lengths"] = lengths.reshape(value.shape)
            members[key + ":bytes"] = np.frombuffer(b"".join(strings), np.uint8)
        elif value.dtype == tf.bfloat16.as_numpy_dtype:
            members[key + ":bfloat16"] = value.view(np.uint16)
        else:
            members[key] = value
    np.savez_compressed(prefix + ".npz", **members)
