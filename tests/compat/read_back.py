"""Reads checkpoints back with the TensorFlow that runs this, and compares all values.

    python tests/compat/read_back.py MANIFEST

The manifest lists checkpoints, each with its format and, by variable name, the object
key, dtype, shape and digest of the value that the session had. Runs under TensorFlow
1.15 (CPython 3.7) and 2.x, and knows nothing of the toolkit.
"""

import hashlib
import json
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
tf1.logging.set_verbosity(tf1.logging.ERROR)
IS_TF1 = tf.__version__.startswith("1.")

# "Dtype half not supported": no TensorFlow joins these from slices.
NOT_JOINED = {"float16", "string", "uint16", "uint32", "uint64", "qint16", "quint16"}


def digest(value):
    """A digest of an array's shape and of each of its bits."""
    array = np.asarray(value)
    content = hashlib.sha256(repr(tuple(array.shape)).encode())
    if array.dtype.kind in "OS":
        for element in array.astype(object).reshape(-1).tolist():
            content.update(b"%d:" % len(element) + element)
    else:
        content.update(array.tobytes())
    return content.hexdigest()


def compare(found, variables, how):
    for name, value in found.items():
        if digest(value) != variables[name]["digest"]:
            raise SystemExit(f"{how}: {name} differs")
    return len(found)


def by_reader(checkpoint, keys):
    reader = tf1.train.NewCheckpointReader(checkpoint["prefix"])
    return {name: reader.get_tensor(key) for name, key in keys.items()}


def is_unassignable(info):
    """Whether TensorFlow cannot assign to variables of this type; it can read it."""
    unassignable = (
        ("qint", "quint", "uint32", "uint64") if IS_TF1 else ("qint", "quint")
    )
    return info["dtype"].startswith(unassignable)


def by_saver(checkpoint, keys):
    """A tf1 Saver whose var_list says the keys."""
    found = {}
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = {}
        for number, (name, key) in enumerate(sorted(keys.items())):
            info = checkpoint["variables"][name]
            if is_unassignable(info):
                continue
            variables[key] = tf1.get_variable(
                f"v{number}",
                info["shape"],
                tf.as_dtype(info["dtype"]),
                initializer=zeros,
                use_resource=True,
            )
            found[name] = variables[key]
        tf1.train.Saver(variables).restore(session, checkpoint["prefix"])
        return session.run(found)


def zeros(shape, dtype, partition_info=None):
    dtype = tf.as_dtype(dtype).base_dtype
    if dtype == tf.string:
        return tf.fill(shape, "")
    # A constant: TensorFlow 1.15 cannot compute zeros of every type.
    return tf.constant(np.zeros(shape, dtype.as_numpy_dtype), dtype)


def by_checkpoint(checkpoint):
    """tf.train.Checkpoint(var_list=..., step=...), and all of it consumed."""
    variables = {
        name: tf.Variable(zeros(info["shape"], info["dtype"]))
        for name, info in checkpoint["variables"].items()
        if not is_unassignable(info)
    }
    roots = {"var_list": dict(variables)}
    if checkpoint["step"]:
        roots["step"] = roots["var_list"].pop(checkpoint["step"])
    status = tf.train.Checkpoint(**roots).restore(checkpoint["prefix"])
    if len(variables) == len(checkpoint["variables"]):
        status.assert_consumed()
    else:
        status.assert_existing_objects_matched()
    return {name: variable.numpy() for name, variable in variables.items()}


def main():
    with open(sys.argv[1]) as file:
        manifest = json.load(file)
    count = 0
    for checkpoint in manifest:
        variables = checkpoint["variables"]
        where = f"TensorFlow {tf.__version__}, {checkpoint['prefix']}"
        joined = {
            name
            for name, info in variables.items()
            if not (info["sliced"] and info["dtype"] in NOT_JOINED)
        }
        if checkpoint["format"] in ("tf1", "dual"):
            keys = {name: name for name in joined}
            for read in (by_reader, by_saver):
                count += compare(read(checkpoint, keys), variables, where)
        if checkpoint["format"] in ("tf2", "dual"):
            keys = {name: variables[name]["key"] for name in variables}
            for read in (by_reader, by_saver):
                count += compare(read(checkpoint, keys), variables, where)
            if checkpoint["is_var_list"] and not IS_TF1:
                count += compare(by_checkpoint(checkpoint), variables, where)
    print(f"TensorFlow {tf.__version__} read {count} tensors")
    print(f"of {len(manifest)} checkpoints: all bit-equal")


if __name__ == "__main__":
    main()
