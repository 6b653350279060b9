"""The variables that a live object has, as plans take them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.keras import keras_optimizers, trackables
from estimator_ckpt.keras.saved_objects import View
from estimator_ckpt.maps.plans import Variable, role_in


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
    found = trackables.contents_of(view, view.keys)
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
