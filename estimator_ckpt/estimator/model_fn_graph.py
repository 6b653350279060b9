"""The variables that a model_fn makes, as plans take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint.roles import AS_FOUND, Overruling
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.estimator import graph_variables, runtime
from estimator_ckpt.estimator.warm_starts import carried_values
from estimator_ckpt.tf_private import graph_api


def of_model_fn(
    model_fn: Callable[..., Any],
    input_fn: Callable[..., Any],
    params: Optional[Mapping[str, Any]],
    mode: str,
    config: Optional[tf.estimator.RunConfig],
    overruling: Overruling = AS_FOUND,
) -> dict[str, Variable]:
    """The variables that a model_fn makes, in a graph that is then thrown away."""
    runtime.enable_estimator()
    config = config or tf.estimator.RunConfig()
    given = {"mode": mode, "params": dict(params or {}), "config": config}
    with tf.Graph().as_default():
        tf1.train.create_global_step()
        inputs = input_fn(**_taken(input_fn, given))
        if isinstance(inputs, tf.data.Dataset):
            inputs = tf1.data.make_initializable_iterator(inputs).get_next()
        is_pair = isinstance(inputs, (tuple, list)) and len(inputs) == 2
        features, labels = inputs if is_pair else (inputs, None)
        taken = _taken(model_fn, {**given, "labels": labels})
        model_fn(features, **taken)
        return carried_values.of_graph(graph_variables.of_graph(overruling))


def _taken(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the given arguments that a function takes, as Estimator sees it."""
    arguments = graph_api.fn_args(function)
    return {name: value for name, value in given.items() if name in arguments}
