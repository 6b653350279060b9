"""Models and optimizers that have no variables yet get them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Optional

from estimator_ckpt.keras.objects.descriptions import TrackableError
from estimator_ckpt.tf_private import keras_api

InputShape = Optional[Sequence[Optional[int]]]


def build_model(model: Any, input_shape: InputShape) -> bool:
    """Builds a model if it is not built; returns whether it was not.

    Args:
      model: a Keras model.
      input_shape: what to build it with; None: it has to be built.

    Raises:
      TrackableError: it is not built and cannot be.
    """
    was_built = model.built
    if not was_built and input_shape is not None:
        try:
            model.build(tuple(input_shape))
        except Exception as error:  # whatever its layers raise
            raise TrackableError(
                f"the model {model.name!r} cannot be built with an input of shape "
                f"{list(input_shape)}: {' '.join(str(error).split())}"
            ) from error
    if not model.built or not model.weights:
        raise TrackableError(
            f"the model {model.name!r} is not built, so it has no variables yet: call "
            f"it once, or give its input shape (input_shape=, --input_shape)"
        )
    return not was_built


def build_optimizers(
    optimizers: Sequence[Any],
    wrappers: Sequence[Any],
    models: Collection[Any],
    variables: Sequence[Any],
) -> bool:
    """Makes the slots of optimizers that have none; returns whether there were any.

    Args:
      optimizers: all that an object has.
      wrappers: the LossScaleOptimizer that each is in, None for none.
      models: its Keras models.
      variables: its variables, for a legacy optimizer of no model.

    Raises:
      TrackableError: which variables one of them trains cannot be known.
    """
    new = [
        (optimizer, wrapper)
        for optimizer, wrapper in zip(optimizers, wrappers)
        if not keras_api.has_slots(optimizer, wrapper)
    ]
    for optimizer, wrapper in new:
        if len(optimizers) > 1:
            raise TrackableError(
                f"the optimizer {type(optimizer).__name__} is not built, and with "
                f"{len(optimizers)} of them nobody can tell which variables it trains: "
                f"build each (optimizer.build(...))"
            )
        trained = _trained(optimizer, models, variables)
        keras_api.build_slots(optimizer, trained, wrapper)
    return bool(new)


def _trained(
    optimizer: Any, models: Collection[Any], variables: Sequence[Any]
) -> list[Any]:
    """The variables that an object's only optimizer trains."""
    if models:
        top = [m for m in models if not any(keras_api.has_layer(x, m) for x in models)]
        found = [v for model in top for v in model.trainable_variables]
        return list({id(variable): variable for variable in found}.values())
    if not keras_api.is_legacy_optimizer(optimizer):
        raise TrackableError(
            f"the optimizer {type(optimizer).__name__} is not built, and its slots "
            f"stand in the order of the variables it trains: call "
            f"optimizer.build(variables) first"
        )
    return [variable for variable in variables if variable.trainable]
