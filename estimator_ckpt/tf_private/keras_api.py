"""Keras's optimizers and models: what they keep, where no public attribute says it.

Checked with Keras 2.12 to 2.15, tf-keras 2.21 and Keras 3.15;
`tests/tf_private/test_keras_api.py` fails, naming the function, when one changes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, Optional

import tensorflow as tf


def is_legacy_optimizer(value: Any) -> bool:
    """Whether an object is an optimizer of `tf.keras.optimizers.legacy`."""
    return hasattr(value, "get_slot_names") and hasattr(value, "apply_gradients")


def is_keras_3(optimizer: Any) -> bool:
    """Whether an optimizer is one of Keras 3, and not of tf-keras."""
    version = getattr(sys.modules.get("keras"), "__version__", "")
    is_of_keras = type(optimizer).__module__.startswith("keras.")
    return is_of_keras and not version.startswith("2.")


def is_optimizer(value: Any) -> bool:
    """Whether an object is a Keras optimizer, of any generation."""
    if is_legacy_optimizer(value):
        return True
    return all(hasattr(value, x) for x in ("apply_gradients", "iterations", "build"))


def build_slots(optimizer: Any, trained: Sequence[Any]) -> None:
    """Makes an optimizer's slot variables, as its first step would."""
    if is_legacy_optimizer(optimizer):
        with tf.name_scope(optimizer._name):  # as apply_gradients has it
            optimizer._create_all_weights(trained)
    else:
        optimizer.build(trained)


def has_slots(optimizer: Any) -> bool:
    """Whether an optimizer's slot variables have been made."""
    if is_legacy_optimizer(optimizer):
        return bool(optimizer.get_slot_names())
    return bool(getattr(optimizer, "_built", getattr(optimizer, "built", False)))


def schedule_of(optimizer: Any) -> Optional[Callable[[Any], Any]]:
    """The function of the iterations that a learning rate is, None for a number."""
    if is_legacy_optimizer(optimizer):
        rate = optimizer._get_hyper("learning_rate")
    else:
        rate = optimizer._learning_rate
    if hasattr(rate, "get_config") and callable(rate):
        return rate
    return (lambda _: rate()) if callable(rate) else None


def averages_of(optimizer: Any) -> Sequence[Any]:
    """The averages of its variables that an optimizer since 2.11 keeps (use_ema)."""
    return getattr(optimizer, "_model_variables_moving_average", None) or ()


def trained_by(optimizer: Any) -> list[str]:
    """The names of the variables that an optimizer since 2.11 was built for."""
    if hasattr(optimizer, "_index_dict"):
        places = optimizer._index_dict.items()
        keys = [key for key, _ in sorted(places, key=lambda item: item[1])]
        return [re.sub(r"_\d+$", "", key) for key in keys]  # a number of TensorFlow's
    known = getattr(optimizer, "_trainable_variables", ())
    return [getattr(v, "path", v.name) for v in known]  # Keras 3 takes tf.Variable too


def place_in(optimizer: Any, variable: Any) -> Optional[int]:
    """Where a variable's slots stand in the lists of an optimizer since 2.11."""
    if hasattr(optimizer, "_index_dict"):
        place: Optional[int] = optimizer._index_dict.get(optimizer._var_key(variable))
        return place
    known = optimizer._trainable_variables
    return next((i for i, v in enumerate(known) if v is variable), None)
