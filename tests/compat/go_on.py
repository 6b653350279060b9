"""Goes on training from a checkpoint, in whatever TensorFlow this runs in.

    python tests/compat/go_on.py VERSION CASE PREFIX RESULT.npz

Writes the global step that was restored, and each variable after each further step.
"""

import os
import sys

REPOSITORY = os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
)


def main(version, case, prefix, result):
    sys.path.insert(0, REPOSITORY)
    import numpy as np
    import tensorflow as tf

    from tests.testdata import trajectory_graph

    if tf.__version__ != version:
        sys.exit(f"This is TensorFlow {tf.__version__}, not {version}")
    step, found = trajectory_graph.go_on(case, prefix)
    stacked = {n.replace("/", "%2F"): np.stack([v[n] for v in found]) for n in found[0]}
    np.savez(result, step=step, **stacked)


if __name__ == "__main__":
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main(*sys.argv[1:])
