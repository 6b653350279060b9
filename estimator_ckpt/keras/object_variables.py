"""The variables that a live object has, as plans take them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.keras import keras_optimizers, trackables
from estimator_ckpt.keras.tracked_graph import TrackedGraph, model_role
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
    tracked = TrackedGraph.of(target)
    found = trackables.contents_of(tracked, tracked.keys)
    found.require_unique(type(target).__name__)
    numbers = {key: number for number, key in tracked.keys.items()}
    full = {numbers[key]: name for name, key in found.keys.items()}
    of_optimizers = {
        n for number in keras_optimizers.find(tracked) for n in tracked.below(number)
    }
    result = {}
    for number, name in trackables.without_model_names(full, tracked).items():
        role = role_in(found, full[number])
        if role in (roles.TRAINABLE, roles.MODEL):  # as far as names tell
            is_model = number not in of_optimizers
            role = model_role(tracked.objects[number]) if is_model else roles.OPTIMIZER
        result[name] = tracked.variable(number, role, name).variable
    return result
