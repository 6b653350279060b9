"""What the package costs a job that has TensorFlow loaded.

    python -m benchmarks.importing

Importing the package and decorating a model_fn with two decorators, in one process.
Prints JSON: milliseconds. Nothing else may have been imported from the package.
"""

import json
import sys
import time

import tensorflow as tf


def model_fn(features, labels, mode):
    """Only decorated."""


def main():
    # What any Estimator job has loaded when it gets to its model_fn.
    tf.estimator.RunConfig()
    assert "estimator_ckpt" not in sys.modules
    started = time.perf_counter()
    import estimator_ckpt as ec

    imported = time.perf_counter()
    ec.with_scaffold("tf2")(ec.warm_start_from("model_dir")(model_fn))
    decorated = time.perf_counter()
    found = {"import": imported - started, "decorators": decorated - imported}
    print(json.dumps({what: 1000 * seconds for what, seconds in found.items()}))


if __name__ == "__main__":
    main()
