"""What a live object would save: its variables, its optimizers and their slots.

For Keras models, optimizers of every generation, `tf.train.Checkpoint`, `tf.Module`
and dicts. Needs TensorFlow, and no Estimator.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Optional

import tensorflow as tf

from estimator_ckpt.checkpoint import contents, object_keys
from estimator_ckpt.keras import keras_optimizers
from estimator_ckpt.keras.described import Described, Live, TrackableError
from estimator_ckpt.keras.saved_objects import View, is_keras
from estimator_ckpt.tf_private import keras_api, trackables_api


def describe(
    trackable: Any,
    *,
    save_counter: bool = True,
    input_shape: Optional[Sequence[Optional[int]]] = None,
    names_by: str = "full_name",
) -> Described:
    """Describes an object; its models and optimizers are built if they are not.

    Args:
      trackable: a Keras model or layer, a `tf.train.Checkpoint`, a `tf.Module`, or a
        dict, which stands for `tf.train.Checkpoint(**dict)`.
      save_counter: whether it saves one, as `tf.train.Checkpoint.save` does and
        `write` and `save_weights` do not.
      input_shape: what to build a model with that is not built.
      names_by: with `path`, variables that share a name are called by their paths.

    Raises:
      TrackableError: it is none of these, a model is not built, an optimizer that
        is not built cannot be, or one trains what is not in the object.
      AmbiguousNameError: two variables have one name.
    """
    called = type(trackable).__name__
    if is_model(trackable):
        called = f"the model {trackable.name!r}"
    elif isinstance(trackable, dict):
        called = f"the object of {', '.join(map(repr, trackable))}"
    root = _root(trackable, save_counter)
    view = View.of(root)
    built: list[Any] = [model for model in view.models if _build(model, input_shape)]
    if keras_optimizers.build(view) or built:
        view = View.of(root)
    described = _describe(called, view, names_by)
    if not described.variables and not described.optimizers:
        raise TrackableError(f"{called} has no variables: build its layers first")
    return described


def is_model(value: Any) -> bool:
    return is_keras(value, "Model")


def _root(trackable: Any, save_counter: bool) -> Any:
    """The object that is saved; with a save_counter if it saves one."""
    given = trackable
    try:
        if isinstance(trackable, dict):
            trackable = tf.train.Checkpoint(**trackable)
        elif isinstance(
            trackable, (type, tf.Variable)
        ) or not trackables_api.is_trackable(trackable):
            raise ValueError("it is none of these")
        if save_counter and not isinstance(trackable, tf.train.Checkpoint):
            trackable = tf.train.Checkpoint(trackable)
    except (TypeError, ValueError) as error:
        raise TrackableError(
            f"{given!r} has no variables to convert for: give a Keras model, a "
            f"tf.train.Checkpoint, a tf.Module, or a dict of them ({error})"
        ) from None
    if save_counter:
        trackable.save_counter  # noqa: B018, made when it is first asked for
    return trackable


def _build(model: Any, input_shape: Optional[Sequence[Optional[int]]]) -> bool:
    """Builds a model if it is not built; returns whether it was not."""
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


def _describe(called: str, view: View, names_by: str) -> Described:
    found = keras_optimizers.find(view)
    children = {c.local_name: c.node_id for c in view.graph.nodes[0].children}
    counter = children.get(object_keys.SAVE_COUNTER)
    step = children.get(object_keys.STEP)
    if step not in view.keys or not _is_counter(view.objects[step]):
        step = None
    of_optimizers = {n for number in found for n in view.below(number)}
    aside = _aside(view, found) - of_optimizers
    left_out = {*of_optimizers, *aside, counter, step}
    by_number = _names(called, view, set(view.keys) - left_out, names_by)
    fixed = [view.live(n) for n in sorted(aside)]
    if counter is not None:
        fixed.append(view.live(counter))
    return Described(
        called=called,
        graph=view.graph,
        variables={name: view.live(n, name) for n, name in by_number.items()},
        step=None if step is None else view.live(step, object_keys.GLOBAL_STEP),
        optimizers=tuple(
            keras_optimizers.describe(view, number, optimizer, by_number)
            for number, optimizer in found.items()
        ),
        fixed=(*fixed, *_no_variables(called, view)),
        has_embeddings=any(type(v).__name__ == "Embedding" for v in view.objects),
    )


def _is_counter(variable: Any) -> bool:
    """Whether a variable can hold a global step."""
    return variable.shape.rank == 0 and tf.as_dtype(variable.dtype).is_integer


def _aside(view: View, found: Collection[int]) -> set[int]:
    """Variables that TF1 has none of: metrics, loss scales, random seeds."""
    aside = {n for n, key in view.keys.items() if "seed_generator_state" in key}
    for number, value in enumerate(view.objects):
        is_wrapper = keras_api.is_optimizer(value) and number not in found
        if is_wrapper or is_keras(value, "Metric"):
            aside |= view.below(number)
    return aside


def _names(called: str, view: View, numbers: set[int], names_by: str) -> dict[int, str]:
    """What the variables of a model are called, by node.

    Raises:
      AmbiguousNameError: two variables have one name, unless paths tell them apart.
    """
    meaning = contents_of(view, numbers)
    by_key = {key: name for name, key in meaning.keys.items()}
    if names_by == "path":
        shared = [key for found in meaning.ambiguous.values() for key in found]
        by_key.update((key, object_keys.path_of(key) or key) for key in shared)
    else:
        meaning.require_unique(called)
    return without_model_names({n: by_key[view.keys[n]] for n in numbers}, view)


def contents_of(view: View, numbers: Collection[int]) -> contents.Contents:
    """What the variables of some nodes are called, as a checkpoint's would be."""
    for number in numbers:
        # Keras 3's graph leaves out layers below a subclassed model; its paths do not.
        path = getattr(view.objects[number], "path", None)
        if path and not isinstance(view.objects[number], tf.Variable):
            for attribute in view.graph.nodes[number].attributes:
                attribute.full_name = path
    return contents.of_objects({view.keys[n] for n in numbers}, view.graph)


def without_model_names(full: dict[int, str], view: View) -> dict[int, str]:
    """Names without the model's own, which Keras 3 puts before them."""
    scopes = {model.name for model in view.models}
    shorter = {
        n: name.partition("/")[2]
        if name.partition("/")[0] in scopes
        and not isinstance(view.objects[n], tf.Variable)
        else name
        for n, name in full.items()
    }
    return shorter if len(set(shorter.values())) == len(shorter) else full


def _no_variables(called: str, view: View) -> list[Live]:
    """What an object saves that is no variable, as it is now: the entries of tables."""
    keys = set(view.keys.values())
    found = []
    for spec in (spec for saveable in view.saveables for spec in saveable.specs):
        if spec.name in keys:
            continue
        value = spec.tensor() if callable(spec.tensor) else spec.tensor
        if value.dtype == tf.variant:
            raise TrackableError(
                f"{called}: only TensorFlow can save the state of an iterator "
                f"({spec.name!r}): leave it out of the object"
            )
        found.append(Live(spec.name, spec.name, value))
    return found
