"""Trains jobs in the TensorFlow that runs this, for other versions to read back.

    estimator-ckpt run -m tests.compat.write_jobs DIRECTORY

Trains in each format: a job with BatchNorm and Adam, one with embeddings, both with
their optimizers' state, and a cluster with a parameter server and a partitioned
variable. Writes DIRECTORY/manifest.json, which read_back.py checks.
"""

import json
import os
import sys

import numpy as np
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.estimator import graph_variables
from model_fns import digits, embedding
from tests.compat.read_back import digest
from tests.estimator import helpers, test_cluster

STEPS = 3
JOBS = {
    "digits": (digits.model_fn, digits.train_input_fn),
    "embedding": (embedding.model_fn, embedding.train_input_fn),
}


class Look(tf1.train.SessionRunHook):
    """What the training session holds when it saves last, slots included."""

    def end(self, session):
        self.found = {
            name: np.concatenate(session.run(list(variable.parts)))
            if isinstance(variable.saveable, list)
            else session.run(variable.parts[0])
            for name, variable in graph_variables.of_graph().items()
        }


def trained(name, format, model_dir):
    """The values that a job has in its session after its last step."""
    model_fn, input_fn = JOBS[name]
    look = Look()
    tf.estimator.Estimator(ec.with_scaffold(format)(model_fn), model_dir).train(
        input_fn, steps=STEPS, hooks=[look]
    )
    return look.found


def trained_in_a_cluster(format, model_dir):
    """The values of a cluster's last checkpoint, as this TensorFlow reads them."""
    tasks = [("ps", 0), ("chief", 0), ("worker", 0)]
    arguments = [format, model_dir, "parameter_server", "10"]
    test_cluster.run_cluster(tasks, arguments, tasks[1:])
    prefix = tf.train.latest_checkpoint(model_dir)
    reader = tf.train.load_checkpoint(prefix)
    with ec.open_checkpoint(prefix) as checkpoint:
        return {name: reader.get_tensor(checkpoint[name].key) for name in checkpoint}


def described(format, model_dir, values):
    """What another TensorFlow has to find in the last checkpoint of a job."""
    prefix = tf.train.latest_checkpoint(model_dir)
    with ec.open_checkpoint(prefix) as checkpoint:
        assert checkpoint.format == format, (checkpoint.format, format)
        assert set(checkpoint) == set(values), set(checkpoint) ^ set(values)
        step = checkpoint.contents.global_step
        return {
            "prefix": prefix,
            "format": format,
            "is_var_list": format != "tf1",
            "step": step if object_keys.STEP_KEY in checkpoint.index else None,
            "variables": {
                name: {
                    "key": info.key,
                    "dtype": info.dtype,
                    "shape": list(info.shape),
                    "digest": digest(values[name]),
                    "sliced": False,
                }
                for name, info in checkpoint.items()
            },
        }


def main():
    directory = sys.argv[1]
    tf1.logging.set_verbosity(tf1.logging.ERROR)
    listed = []
    for format in helpers.FORMATS:
        for name in JOBS:
            model_dir = os.path.join(directory, name, format)
            values = trained(name, format, model_dir)
            listed.append(described(format, model_dir, values))
        model_dir = os.path.join(directory, "cluster", format)
        values = trained_in_a_cluster(format, model_dir)
        listed.append(described(format, model_dir, values))
    with open(os.path.join(directory, "manifest.json"), "w") as manifest:
        json.dump(listed, manifest)
    print(f"TensorFlow {tf.__version__} wrote {len(listed)} checkpoints")


if __name__ == "__main__":
    main()
