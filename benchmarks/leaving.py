"""What convert_for costs, against filling the model and saving it.

    python -m benchmarks.leaving --directory=/tmp/bench

A TF1 checkpoint of 1.05 GB, Adam's slots included, for a live Keras model and its
optimizer, in one process and in turn. Prints JSON: seconds, and by how many MiB the
process grew meanwhile beyond what it held with the model.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import time

import numpy as np
import tensorflow as tf

import estimator_ckpt as ec
from benchmarks import data

LAYERS, SIZE = 84, 1020


def model_and_optimizer():
    inputs = tf.keras.Input((SIZE,))
    net = inputs
    for i in range(LAYERS):
        net = tf.keras.layers.Dense(SIZE, name=f"layer_{i}")(net)
    model = tf.keras.Model(inputs, net)
    optimizer = tf.keras.optimizers.Adam(0.001)
    optimizer.build(model.trainable_variables)
    return model, optimizer


def source(prefix):
    """Writes the TF1 checkpoint."""
    shapes = {}
    for i in range(LAYERS):
        for name, shape in (("kernel", [SIZE, SIZE]), ("bias", [SIZE])):
            for slot in ("", "/Adam", "/Adam_1"):
                shapes[f"layer_{i}/{name}{slot}"] = shape
    data.write(prefix, shapes, 1)


def ours(model, optimizer, old, new):
    ec.convert_for({"model": model, "optimizer": optimizer}, old, new)


def theirs(model, optimizer, old, new):
    """By hand: each value into its variable, then tf.train.Checkpoint."""
    reader = tf.train.load_checkpoint(old)
    variables = model.trainable_variables
    for i, variable in enumerate(variables):
        name = variable.name.split(":")[0]
        variable.assign(reader.get_tensor(name))
        optimizer._momentums[i].assign(reader.get_tensor(f"{name}/Adam"))
        optimizer._velocities[i].assign(reader.get_tensor(f"{name}/Adam_1"))
    optimizer.iterations.assign(reader.get_tensor("global_step"))
    tf.train.Checkpoint(model=model, optimizer=optimizer).write(new)


def memory(what):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(what)


def measured(function, *arguments):
    """Seconds, and MiB at the peak more than before."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory("VmRSS")
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started, memory("VmHWM") - before


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    root = pathlib.Path(arguments.directory) / "leaving"
    old, out = str(root / "old" / "model.ckpt-7"), root / "new"
    source(old)
    model, optimizer = model_and_optimizer()
    found = {ours: [], theirs: []}
    for _ in range(arguments.runs + 1):
        for function, runs in found.items():
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            os.sync()
            runs.append(measured(function, model, optimizer, old, str(out / "ckpt")))
    shutil.rmtree(root)
    counted = {f.__name__: runs[1:] for f, runs in found.items()}  # without the first
    result = {
        name: {
            "seconds": statistics.median(seconds for seconds, _ in runs),
            "mib": max(mib for _, mib in runs),
        }
        for name, runs in counted.items()
    }
    result["ratio"] = statistics.median(
        b[0] / a[0] for a, b in zip(counted["ours"], counted["theirs"])
    )
    print(json.dumps(result))


if __name__ == "__main__":
    np.random.seed(0)
    main()
