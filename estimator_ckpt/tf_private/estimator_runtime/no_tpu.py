"""TPUEstimator with use_tpu=True says at once that there is no TPU for it.

Without this it ends in a search for workers that can take minutes, or in an error about
a master address.

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0.
"""

from __future__ import annotations

from typing import Any

from estimator_ckpt.tf_private.estimator_runtime.import_hook import Watcher
from estimator_ckpt.tf_private.estimator_runtime.refusals import refuse

TPU = "tf.estimator on TPU hardware"
EMBEDDING = "tf.estimator with TPU embeddings"
INSTEAD = (
    "give TPUEstimator use_tpu=False, stay on TensorFlow 2.15, or train the model with "
    "tf.distribute.TPUStrategy"
)


def watch(watcher: Watcher) -> None:
    """Changes Estimator's module when it is imported."""
    watcher.after(
        r"tensorflow_estimator\.python\.estimator\.tpu\.tpu_context", _refuse_tpu
    )


def _refuse_tpu(tpu_context: Any) -> None:
    system = tpu_context.tpu_system_metadata_lib
    query = system._query_tpu_system_metadata
    context = tpu_context._InternalTPUContext
    metadata = context._get_tpu_system_metadata

    def get_tpu_system_metadata(self: Any) -> Any:
        # Estimator's own tests put a query of theirs in place of TensorFlow's.
        if system._query_tpu_system_metadata is query:
            refuse(TPU, INSTEAD)
        return metadata(self)

    context._get_tpu_system_metadata = get_tpu_system_metadata
