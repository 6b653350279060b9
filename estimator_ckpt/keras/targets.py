"""The variables that a model_fn or a live object has, as plans take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.migration import roles
from estimator_ckpt.migration.plan import Variable, role_in
from estimator_ckpt.training import (
    carrying,
    keras_optimizers,
    private,
    trackables,
    variables,
)
from estimator_ckpt.training.view import View


def of_model_fn(
    model_fn: Callable[..., Any],
    input_fn: Callable[..., Any],
    params: Optional[Mapping[str, Any]],
    mode: str,
    config: Optional[tf.estimator.RunConfig],
) -> dict[str, Variable]:
    """The variables that a model_fn makes, in a graph that is then thrown away."""
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
        return carrying.of_graph(variables.of_graph())


def _taken(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the given arguments that a function takes, as Estimator sees it."""
    arguments = private.fn_args(function)
    return {name: value for name, value in given.items() if name in arguments}


def is_trackable(target: Any) -> bool:
    """Whether a target is an object with variables, and no model_fn."""
    kinds = (tf.train.Checkpoint, tf.Module, tf.keras.Model, dict)
    return isinstance(target, kinds)


def of_trackable(target: Any) -> dict[str, Variable]:
    """An object's variables: by their names, or their paths where names say nothing.

    Raises:
      AmbiguousNameError: two variables have one name.
    """
    if isinstance(target, dict):
        target = tf.train.Checkpoint(**target)
    view = View.of(target)
    found = trackables.layout_of(view, view.keys)
    found.require_unique(type(target).__name__)
    numbers = {key: number for number, key in view.keys.items()}
    full = {numbers[key]: name for name, key in found.keys.items()}
    of_optimizers = {
        n for number in keras_optimizers.find(view) for n in view.below(number)
    }
    result = {}
    for number, name in trackables.without_model_names(full, view).items():
        live = view.live(number, name)
        role = role_in(found, full[number])
        if role in (roles.TRAINABLE, roles.MODEL):  # as far as names tell
            role = roles.OPTIMIZER if number in of_optimizers else live.role
        result[name] = live.as_variable(role)
    return result
