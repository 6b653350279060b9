"""Keras's optimizers and models: what they keep, where no public attribute says it.

Checked with Keras 2.12 to 2.15, tf-keras 2.21 and Keras 3.15;
`tests/tf_private/test_keras_api.py` fails, naming the function, when one changes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Sequence
from typing import Any, Optional

from estimator_ckpt.checkpoint.optimizers import keras_classes

#: The lists of slot variables that optimizers since 2.11 have, by class and by what
#: `checkpoint.optimizers` calls the slots.
_SLOT_LISTS = {name: each.attributes for name, each in keras_classes.KERAS.items()}

#: The child of a Keras 3 optimizer's node that is no part of it: what it trains.
TRAINED_CHILD = "_trainable_variables"


def is_legacy_optimizer(value: Any) -> bool:
    """Whether an object is an optimizer of `tf.keras.optimizers.legacy`."""
    return hasattr(value, "get_slot_names") and hasattr(value, "apply_gradients")


def is_keras_3(optimizer: Any) -> bool:
    """Whether an optimizer is one of Keras 3, and not of tf-keras."""
    version = getattr(sys.modules.get("keras"), "__version__", "")
    return _is_of_keras(optimizer) and not version.startswith("2.")


def backend() -> str:
    """The backend of Keras 3, once it is imported; TensorFlow is Keras 2's."""
    keras = sys.modules.get("keras")
    if keras is None or keras.__version__.startswith("2."):
        return "tensorflow"
    return str(keras.backend.backend())


def _is_of_keras(value: Any) -> bool:
    """Whether a class of the package keras is among an object's, own ones aside."""
    return any(base.__module__.startswith("keras.") for base in type(value).__mro__)


def is_optimizer(value: Any) -> bool:
    """Whether an object is a Keras optimizer, of any generation."""
    if is_legacy_optimizer(value):
        return True
    return all(hasattr(value, x) for x in ("apply_gradients", "iterations", "build"))


def build_slots(
    optimizer: Any, trained: Sequence[Any], wrapper: Optional[Any] = None
) -> None:
    """Makes an optimizer's slot variables, as its first step would.

    Args:
      optimizer: the optimizer.
      trained: what it trains.
      wrapper: the LossScaleOptimizer that it is in, if it is in one: Keras 3's makes
        variables of its own then.
    """
    if wrapper is not None and is_keras_3(wrapper):
        wrapper.build(trained)
    elif is_legacy_optimizer(optimizer):
        import tensorflow as tf

        with tf.name_scope(optimizer._name):  # as apply_gradients has it
            optimizer._create_all_weights(trained)
    else:
        optimizer.build(trained)


def has_slots(optimizer: Any, wrapper: Optional[Any] = None) -> bool:
    """Whether an optimizer's slot variables have been made.

    Args:
      optimizer: the optimizer.
      wrapper: the LossScaleOptimizer that it is in, if it is in one.
    """
    if wrapper is not None and is_keras_3(wrapper):
        return bool(wrapper.built)
    if is_legacy_optimizer(optimizer):
        return bool(optimizer.get_slot_names())
    return bool(getattr(optimizer, "_built", getattr(optimizer, "built", False)))


def loss_scale_of(wrapper: Any) -> Optional[tuple[Any, Any]]:
    """A LossScaleOptimizer's scale, and the steps since it changed, as variables.

    None if the scale is a constant.
    """
    if is_keras_3(wrapper):
        is_built = hasattr(wrapper, "dynamic_scale")
        return (wrapper.dynamic_scale, wrapper.step_counter) if is_built else None
    if wrapper.dynamic_counter is None:
        return None
    return wrapper._loss_scale._current_loss_scale, wrapper.dynamic_counter


def schedule_of(optimizer: Any) -> Optional[Callable[[Any], Any]]:
    """The function of the iterations that a learning rate is, None for a number."""
    if is_legacy_optimizer(optimizer):
        rate = optimizer._get_hyper("learning_rate")
    else:
        rate = optimizer._learning_rate
    if hasattr(rate, "get_config") and callable(rate):
        return rate
    return (lambda _: rate()) if callable(rate) else None


def rate_variable(optimizer: Any) -> Any:
    """The variable that holds an optimizer's learning rate; None under a schedule."""
    if schedule_of(optimizer) is not None:
        return None
    if is_legacy_optimizer(optimizer):
        return optimizer.learning_rate
    return optimizer._learning_rate


def learning_rate(optimizer: Any, iterations: int) -> float:
    """The rate of an optimizer's step after so many."""
    schedule = schedule_of(optimizer)
    if schedule is None:
        return _number(optimizer.learning_rate)
    outside = is_outside_tensorflow(optimizer)
    return _number(schedule(iterations if outside else _int64(iterations)))


def _int64(number: int) -> Any:
    import tensorflow as tf

    return tf.constant(number, tf.int64)


def _number(value: Any) -> float:
    """A scalar of whichever backend."""
    import numpy as np

    return float(np.asarray(value.detach() if hasattr(value, "detach") else value))


def is_outside_tensorflow(value: Any) -> bool:
    """Whether an object is one of Keras 3 with another backend than TensorFlow's."""
    return backend() != "tensorflow" and _is_of_keras(value)


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


def slot_lists(optimizer: Any) -> dict[str, Sequence[Any]]:
    """The slot variables of an optimizer since 2.11, in the order of what it trains.

    By what they are: `m`, `v`. Of a class of which nothing is known: none.
    """
    name = known_class(optimizer, _SLOT_LISTS)
    found = {
        slot: getattr(optimizer, attribute, ())
        for slot, attribute in _SLOT_LISTS.get(name or "", {}).items()
    }
    return {slot: variables for slot, variables in found.items() if variables}


def known_class(value: Any, names: Collection[str]) -> Optional[str]:
    """The first of an object's class and its bases that is called one of these names.

    Keras 3, tf.keras and tf-keras have classes of one name and no common base.
    """
    for base in type(value).__mro__:
        of_keras = not {"keras", "tf_keras"}.isdisjoint(base.__module__.split("."))
        if of_keras and base.__name__ in names:
            return base.__name__
    return None


def is_model(value: Any) -> bool:
    """Whether an object is a Keras model."""
    return known_class(value, ("Model",)) is not None


def is_metric(value: Any) -> bool:
    """Whether an object is a Keras metric."""
    return known_class(value, ("Metric",)) is not None


def is_embedding(value: Any) -> bool:
    """Whether an object is a Keras layer whose gradients are sparse."""
    return known_class(value, ("Embedding",)) is not None


def has_embedding(layer: Any) -> bool:
    """Whether a layer or one in it has sparse gradients."""
    inner = getattr(layer, "_flatten_layers", lambda: [layer])()
    return any(map(is_embedding, inner))


def has_layer(model: Any, layer: Any) -> bool:
    """Whether a layer is in a model, at whatever depth, and not the model itself."""
    if model is layer:
        return False
    every = getattr(model, "_flatten_layers", list)()
    return any(layer is found for found in every)
