"""In place of tensorflow.python.tpu.tpu_embedding_gradient.

TPUEstimator imports it, and uses it only with use_tpu=True and embeddings.

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0.
"""

from __future__ import annotations

from estimator_ckpt.tf_private.estimator_runtime.no_tpu import EMBEDDING, INSTEAD
from estimator_ckpt.tf_private.estimator_runtime.refusals import refused_function

create_dummy_table_variables = refused_function(
    "create_dummy_table_variables", EMBEDDING, INSTEAD
)
get_gradients_through_compute_gradients = refused_function(
    "get_gradients_through_compute_gradients", EMBEDDING, INSTEAD
)
get_gradients_through_dummy_table_variables = refused_function(
    "get_gradients_through_dummy_table_variables", EMBEDDING, INSTEAD
)
hook_dummy_table_variables_to_activations = refused_function(
    "hook_dummy_table_variables_to_activations", EMBEDDING, INSTEAD
)
