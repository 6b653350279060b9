"""Writes the test data, with TensorFlow 1.15.5 and nothing else.

    python tests/testdata/generate.py            # everything
    python tests/testdata/generate.py digits ... # some of the directories

Each function of cases.py fills one directory. This script runs them in an empty
temporary folder with relative paths, so that nothing of the machine gets into a
checkpoint, moves the session's recordings into values/, drops the events files, and
puts the result in place. See README.md.
"""

import os
import random
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
TENSORFLOW_VERSION = "1.15.5"
LIMIT = 3_000_000  # bytes, all directories together


def main(names):
    import tensorflow as tf

    if tf.__version__ != TENSORFLOW_VERSION:
        sys.exit(
            f"The test data is written by TensorFlow {TENSORFLOW_VERSION}, and this "
            f"is {tf.__version__}. See README.md for the command."
        )
    sys.path.insert(0, REPOSITORY)
    import cases

    unknown = set(names) - set(cases.CASES)
    if unknown:
        sys.exit(f"No such case: {sorted(unknown)}. There are {sorted(cases.CASES)}.")
    with tempfile.TemporaryDirectory() as workspace:
        os.chdir(workspace)
        for name in names or cases.CASES:
            print(f"writing {name}", flush=True)
            os.makedirs(name)
            seed(tf)
            cases.CASES[name](name)
            tidy(name)
            check_no_machine_path(name, workspace)
            put_in_place(name)
        os.chdir(HERE)
    size = sum(size_of(os.path.join(HERE, name)) for name in cases.CASES)
    size += size_of(os.path.join(HERE, "values"))
    print(f"{size:,} bytes")
    if size > LIMIT:
        sys.exit(f"That is over the limit of {LIMIT:,} bytes.")


def seed(tf):
    """Starts every case from the same state, alone or in company."""
    import numpy as np

    random.seed(1)
    np.random.seed(1)
    tf.compat.v1.reset_default_graph()
    tf.compat.v1.set_random_seed(1)


def tidy(name):
    """Moves the recordings into values/, and drops what no checkpoint needs."""
    for folder, _, files in os.walk(name):
        for file in files:
            path = os.path.join(folder, file)
            if file.endswith((".npz", ".json")):
                target = os.path.join("values", path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.rename(path, target)
            elif file.startswith("events."):
                os.remove(path)
    for folder, _, _ in os.walk(name, topdown=False):
        if not os.listdir(folder):
            os.rmdir(folder)


def check_no_machine_path(name, workspace):
    """Fails if a file holds a path of this machine."""
    suspects = [os.path.realpath(workspace), workspace, REPOSITORY, sys.prefix]
    suspects += [os.path.expanduser("~") + "/", tempfile.gettempdir() + "/tmp"]
    for folder, _, files in os.walk(name):
        for file in files:
            path = os.path.join(folder, file)
            with open(path, "rb") as stream:
                content = stream.read()
            for suspect in suspects:
                if suspect.encode() in content:
                    sys.exit(f"{path} holds the machine's path {suspect}")


def put_in_place(name):
    """Replaces a directory and its recordings by those just written.

    A case may leave recordings alone.
    """
    for path in (name, os.path.join("values", name)):
        target = os.path.join(HERE, path)
        shutil.rmtree(target, ignore_errors=True)
        if os.path.isdir(path):
            shutil.copytree(path, target)


def size_of(directory):
    """Bytes of all files below a directory."""
    return sum(
        os.path.getsize(os.path.join(folder, file))
        for folder, _, files in os.walk(directory)
        for file in files
    )


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    main(sys.argv[1:])
