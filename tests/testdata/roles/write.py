"""Writes the checkpoints whose variables' roles are known, and these beside them.

    python tests/testdata/roles/write.py            # everything that this TensorFlow has
    python tests/testdata/roles/write.py two_adams  # one case

TensorFlow 1.15.5 writes the cases of tf115.py, 2.15.1 those of tf215.py, 2.21.0 those
of tf221.py. See README.md.
"""

import importlib
import os
import random
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = {"1.15.5": "tf115", "2.15.1": "tf215", "2.21.0": "tf221"}


def main(names):
    sys.path[:0] = [HERE, os.path.dirname(os.path.dirname(os.path.dirname(HERE)))]
    import numpy as np
    import tensorflow as tf

    if tf.__version__ not in MODULES:
        sys.exit(f"TensorFlow is {tf.__version__}; the cases are of {list(MODULES)}.")
    cases = importlib.import_module(MODULES[tf.__version__]).CASES
    unknown = set(names) - set(cases)
    if unknown:
        sys.exit(f"No such case: {sorted(unknown)}. There are {sorted(cases)}.")
    for name in names or cases:
        with tempfile.TemporaryDirectory() as workspace:
            os.chdir(workspace)
            os.makedirs(name)
            random.seed(1)
            np.random.seed(1)
            tf.keras.backend.clear_session()
            tf.compat.v1.reset_default_graph()
            tf.compat.v1.set_random_seed(1)
            cases[name](name)
            put_in_place(name, tf.__version__)
        print(name, flush=True)


def put_in_place(name, version):
    """Replaces a directory by the one just written."""
    target = os.path.join(HERE, f"tensorflow-{version}", name)
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copytree(name, target)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    main(sys.argv[1:])
