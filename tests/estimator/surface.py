"""What TensorFlow 2.15 offers of Estimator, tried statement by statement.

python -m tests.estimator.surface prints each statement that fails, and the number of
those that do not. `estimator-ckpt run` starts it where TensorFlow is 2.16 or later.

Through the runtime, each statement has a process of its own. Where TensorFlow itself
has Estimator the list of statements is what is tried, and many share a process.
"""

from __future__ import annotations

import os
import sys
import traceback

from estimator_ckpt.tf_private.estimator_runtime import installation

_APIS = ("tensorflow", "tensorflow.compat.v1", "tensorflow.compat.v2")
_NESTED = tuple(
    f"tensorflow.compat.{outer}.compat.{inner}"
    for outer in ("v1", "v2")
    for inner in ("v1", "v2")
)
_FORWARDED = [
    "canned",
    "canned.baseline",
    "canned.dnn",
    "canned.dnn_linear_combined",
    "canned.head",
    "canned.linear",
    "canned.metric_keys",
    "canned.optimizers",
    "canned.parsing_utils",
    "canned.prediction_keys",
    "estimator",
    "estimator_lib",
    "export",
    "export.export",
    "export.export_lib",
    "export.export_output",
    "exporter",
    "gc",
    "inputs",
    "inputs.inputs",
    "inputs.numpy_io",
    "inputs.pandas_io",
    "inputs.queues",
    "inputs.queues.feeding_functions",
    "inputs.queues.feeding_queue_runner",
    "keras",
    "model_fn",
    "run_config",
    "training",
    "util",
]
_TPU = ["error_handling", "tpu_config", "tpu_context", "tpu_estimator", "util"]
_PARTS = ("experimental", "export", "inputs")


def statements() -> list[str]:
    """Each is run in a process that has imported TensorFlow and nothing else."""
    found = []
    for api in (*_APIS, *_NESTED):
        found += [
            f"import {api}.estimator as e; assert e.Estimator",
            f"from {api} import estimator as e; assert e.Estimator",
            f"import {api} as tf; assert tf.estimator.Estimator",
            f"import {api} as tf; assert 'estimator' in dir(tf)",
        ]
    for api in _APIS:
        found += [f"import {api}.estimator.{part}" for part in _PARTS]
        found += [f"from {api}.estimator import {part}" for part in _PARTS]
        attributes = _PARTS if api.endswith("v1") else _PARTS[:2]
        found += [
            f"import {api} as tf; assert tf.estimator.{part}" for part in attributes
        ]
        found.append(f"from {api}.estimator import Estimator, RunConfig, EstimatorSpec")
    for tpu in ("tpu", "tpu.experimental"):
        found.append(f"import tensorflow.compat.v1.estimator.{tpu}")
        found.append(f"import tensorflow.compat.v1 as tf; assert tf.estimator.{tpu}")
    found += [
        f"import tensorflow.compat.v1 as tf; tf.tpu.experimental.{name}(0.1)"
        for name in (
            "AdagradParameters",
            "AdamParameters",
            "FtrlParameters",
            "StochasticGradientDescentParameters",
        )
    ]
    found += [
        "from tensorflow.compat.v1.tpu.experimental import AdamParameters",
        *(
            f"import {api} as tf; tf.data.experimental.CheckpointInputPipelineHook"
            for api in _APIS[:2]
        ),
        "from tensorflow import *; assert estimator.Estimator",
        "import tensorflow as tf; assert 'estimator' in tf.__all__",
        "import tensorflow_estimator as e; assert e.estimator.Estimator",
        "from tensorflow_estimator import estimator as e; assert e.Estimator",
        "from tensorflow_estimator.python.estimator import estimator_lib",
        "import tensorflow.python.estimator",
    ]
    found += [f"import tensorflow.python.estimator.{name}" for name in _FORWARDED]
    found += [f"import tensorflow.python.tpu.{name}" for name in _TPU]
    found += [
        "from tensorflow.python.estimator import estimator as e; assert e.EstimatorV2",
        "from tensorflow.python.estimator.keras import model_to_estimator",
        "from tensorflow.python.estimator.canned import head as h; assert h._Head",
        "from tensorflow.python.tpu.tpu_estimator import TPUEstimatorSpec",
        "from tensorflow.python.tpu.tpu_config import RunConfig, TPUConfig",
        "from tensorflow.python.distribute import estimator_training as t; "
        "assert t.init_run_config and t.train_and_evaluate",
        "from tensorflow.python.tpu import session_support as s; "
        "assert s.GracefulShutdownHook",
        "from tensorflow.python.tpu import tpu_embedding as t; assert t.TableConfig",
        "from tensorflow.python.tpu import tpu_embedding_gradient",
        "from tensorflow.python.util import tf_export as t; "
        "assert t.API_ATTRS[t.ESTIMATOR_API_NAME] and t.API_ATTRS_V1['estimator']",
    ]
    return found


def main() -> None:
    import tensorflow  # noqa: F401

    tried = statements()
    together = 20 if installation.is_native() else 1
    failed = []
    for first in range(0, len(tried), together):
        some = tried[first : first + together]
        if not _runs(some):
            failed += [statement for statement in some if not _runs([statement])]
    print("\n".join(failed), file=sys.stderr)
    print(len(tried) - len(failed), "of", len(tried))
    sys.exit(bool(failed))


def _runs(statements: list[str]) -> bool:
    """Whether statements run in one fork of this process."""
    child = os.fork()
    if not child:
        try:
            for statement in statements:
                exec(statement, {})
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    main()
