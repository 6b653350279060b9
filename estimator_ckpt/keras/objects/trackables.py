"""Live objects described: what a Keras model, a Checkpoint, a Module or a dict saves.

One pass over the object graph; what comes of it is data (`descriptions`). Needs
TensorFlow, and no Estimator.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf

from estimator_ckpt.checkpoint import contents, naming, object_graph, object_keys, roles
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.keras.objects import building, keras_optimizers, tracked_graph
from estimator_ckpt.keras.objects.descriptions import (
    ObjectDescription,
    ObjectVariable,
    TrackableError,
)
from estimator_ckpt.keras.objects.keras_optimizers import Surroundings
from estimator_ckpt.keras.objects.tracked_graph import TrackedGraph
from estimator_ckpt.tf_private import keras_api, trackables_api


def describe(
    trackable: Any,
    *,
    save_counter: bool = True,
    input_shape: building.InputShape = None,
    names_by: naming.NamesLike = NamesBy.FULL_NAME,
) -> ObjectDescription:
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
    called = called_in_messages(trackable)
    tracked = _built(_root(trackable, save_counter), input_shape)
    description = _describe(called, tracked, naming.parse(names_by))
    if not description.variables and not description.optimizers:
        raise TrackableError(f"{called} has no variables: build its layers first")
    return description


def called_in_messages(trackable: Any) -> str:
    """What to call an object in messages."""
    if keras_api.is_model(trackable):
        return f"the model {trackable.name!r}"
    if isinstance(trackable, dict):
        return f"the object of {', '.join(map(repr, trackable))}"
    return type(trackable).__name__


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


def _built(root: Any, input_shape: building.InputShape) -> TrackedGraph:
    """The graph of an object, once its models and optimizers are built."""
    tracked = TrackedGraph.of(root)
    models = tracked.models
    built = [model for model in models if building.build_model(model, input_shape)]
    variables = [v for v in tracked.objects if isinstance(v, tf.Variable)]
    every = list(tracked.optimizers.values())
    wrappers = [tracked.wrappers.get(id(optimizer)) for optimizer in every]
    if building.build_optimizers(every, wrappers, models, variables) or built:
        return TrackedGraph.of(root)
    return tracked


def _describe(
    called: str, tracked: TrackedGraph, names_by: NamesBy
) -> ObjectDescription:
    found = tracked.optimizers
    step, counter = _counters(tracked)
    of_optimizers = {n for number in found for n in tracked.below(number)}
    aside = _aside(tracked, found) - of_optimizers
    left_out = {*of_optimizers, *aside, *step, *counter}
    names = _names(called, tracked, set(tracked.keys) - left_out, names_by)
    optimizers = tuple(
        keras_optimizers.describe(optimizer, _around(tracked, number, names))
        for number, optimizer in found.items()
    )
    kept = {held.key for optimizer in optimizers for held in optimizer.variables}
    others = [n for n in sorted(aside) if tracked.keys[n] not in kept]
    return ObjectDescription(
        called=called,
        graph=tracked.message.SerializeToString(),
        full_names=tracked.full_names,
        variables={
            name: tracked.variable(
                n, tracked_graph.model_role(tracked.objects[n]), name
            )
            for n, name in names.items()
        },
        step=next(iter(step.values()), None),
        save_counter=next(iter(counter.values()), None),
        optimizers=optimizers,
        fixed=(
            *(tracked.variable(n, roles.METRIC) for n in others),
            *_no_variables(called, tracked),
        ),
        has_embeddings=any(map(keras_api.is_embedding, tracked.objects)),
    )


def _counters(
    tracked: TrackedGraph,
) -> tuple[dict[int, ObjectVariable], dict[int, ObjectVariable]]:
    """The root's children that count, by node: at most a step and a save_counter."""
    children = {c.local_name: c.node_id for c in tracked.message.nodes[0].children}
    counter, step = {}, {}
    number = children.get(object_keys.SAVE_COUNTER)
    if number is not None:
        counter[number] = tracked.variable(number, roles.NO_VARIABLE)
    number = children.get(object_keys.STEP)
    if number in tracked.keys and _is_counter(tracked.objects[number]):
        step[number] = tracked.variable(
            number, roles.GLOBAL_STEP, object_keys.GLOBAL_STEP
        )
    return step, counter


def _around(
    tracked: TrackedGraph, number: int, names: Mapping[int, str]
) -> Surroundings:
    """What is around an optimizer's node."""
    slots = tracked.message.nodes[number].slot_variables
    optimizer = tracked.optimizers[number]
    wrapper = tracked.wrappers.get(id(optimizer))
    top = [n for n, value in enumerate(tracked.objects) if value is wrapper]
    return Surroundings(
        path=tracked.path(*top or [number]),
        model=[(tracked.objects[n], name) for n, name in names.items()],
        own=[tracked.objects[n] for n in sorted(tracked.below(number))],
        wrapper=wrapper,
        graph_slots=[
            (
                slot.slot_name,
                names[slot.original_variable_node_id],
                tracked.objects[slot.slot_variable_node_id],
            )
            for slot in slots
        ],
        describe=lambda variable, role: tracked.variable(
            tracked.numbers[id(variable)], role
        ),
    )


def _is_counter(variable: Any) -> bool:
    """Whether a variable can hold a global step."""
    return bool(variable.shape.rank == 0 and tf.as_dtype(variable.dtype).is_integer)


def _aside(tracked: TrackedGraph, found: Collection[int]) -> set[int]:
    """Variables that TF1 has none of: metrics, loss scales, random seeds."""
    aside = {n for n, key in tracked.keys.items() if "seed_generator_state" in key}
    for number, value in enumerate(tracked.objects):
        is_wrapper = keras_api.is_optimizer(value) and number not in found
        if is_wrapper or keras_api.is_metric(value):
            aside |= tracked.below(number)
    return aside


def _names(
    called: str, tracked: TrackedGraph, numbers: set[int], names_by: NamesBy
) -> dict[int, str]:
    """What the variables of a model are called, by node.

    Raises:
      AmbiguousNameError: two variables have one name, unless paths tell them apart.
    """
    meaning = contents_of(tracked, numbers)
    by_key = {key: name for name, key in meaning.keys.items()}
    if names_by is NamesBy.PATH:
        shared = [key for found in meaning.ambiguous.values() for key in found]
        by_key.update((key, object_keys.path_of(key) or key) for key in shared)
    else:
        meaning.require_unique(called)
    return without_model_names({n: by_key[tracked.keys[n]] for n in numbers}, tracked)


def contents_of(tracked: TrackedGraph, numbers: Collection[int]) -> contents.Contents:
    """What the variables of some nodes are called, as a checkpoint's would be."""
    for number in numbers:
        # Keras 3's graph leaves out layers below a subclassed model; its paths do not.
        path = getattr(tracked.objects[number], "path", None)
        if path and not isinstance(tracked.objects[number], tf.Variable):
            for attribute in tracked.message.nodes[number].attributes:
                attribute.full_name = path
    nodes = functools.partial(object_graph.saved_nodes, tracked.message)
    return contents.of_objects({tracked.keys[n] for n in numbers}, nodes)


def without_model_names(names: dict[int, str], tracked: TrackedGraph) -> dict[int, str]:
    """Names without the model's own, which Keras 3 puts before them."""
    scopes = {model.name for model in tracked.models}
    shorter = {
        n: name.partition("/")[2]
        if name.partition("/")[0] in scopes
        and not isinstance(tracked.objects[n], tf.Variable)
        else name
        for n, name in names.items()
    }
    return shorter if len(set(shorter.values())) == len(shorter) else names


def _no_variables(called: str, tracked: TrackedGraph) -> list[ObjectVariable]:
    """What an object saves that is no variable, as it is now: the entries of tables."""
    keys = set(tracked.keys.values())
    found = []
    for spec in (spec for saveable in tracked.saveables for spec in saveable.specs):
        if spec.name in keys:
            continue
        value = spec.tensor() if callable(spec.tensor) else spec.tensor
        if value.dtype == tf.variant:
            raise TrackableError(
                f"{called}: only TensorFlow can save the state of an iterator "
                f"({spec.name!r}): leave it out of the object"
            )
        found.append(
            tracked_graph.object_variable(
                spec.name, spec.name, roles.NO_VARIABLE, value
            )
        )
    return found
