"""What a live object would save: its variables, its optimizers and their slots.

For Keras models, optimizers of every generation, `tf.train.Checkpoint`, `tf.Module`
and dicts. Needs TensorFlow, and no Estimator.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Optional

import tensorflow as tf

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.migration import layout, names, optimizers, roles
from estimator_ckpt.migration.plan import Variable
from estimator_ckpt.training import private


class TrackableError(CheckpointError, ValueError):
    """An object that is not ready to be converted for."""


@dataclasses.dataclass(frozen=True)
class Live:
    """A variable of a live object.

    Attributes:
      name: its name.
      key: its object key.
      variable: the `tf.Variable`, or Keras 3's own.
    """

    name: str
    key: str
    variable: Any

    @property
    def dtype(self) -> str:
        return str(tf.as_dtype(self.variable.dtype).base_dtype.name)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(size) for size in self.variable.shape)

    @property
    def role(self) -> str:
        """That of a model's variable."""
        trains = getattr(self.variable, "trainable", True)  # a ShardedVariable: no word
        return roles.TRAINABLE if trains else roles.MODEL

    def value(self) -> Any:
        """Its value now, as an array."""
        return self.variable.numpy()

    def as_variable(self, role: str) -> Variable:
        """It as plans take it."""
        size = math.prod(self.shape) * tf.as_dtype(self.dtype).size
        return Variable(self.name, self.dtype, self.shape, role, self.key, size)


@dataclasses.dataclass(frozen=True)
class LiveOptimizer:
    """A Keras optimizer.

    Attributes:
      optimizer: the object.
      path: where it is in the object: `optimizer`.
      kind: what its class keeps.
      iterations: its step counter.
      slots: slot variables by what they are, then by their variable's name.
      averages: the averages that it keeps (`use_ema`), by their variable's name.
      others: its other variables: hyperparameters and the like.
    """

    optimizer: Any
    path: str
    kind: optimizers.KerasKind
    iterations: Live
    slots: Mapping[str, Mapping[str, Live]]
    averages: Mapping[str, Live]
    others: tuple[Live, ...]

    @property
    def name(self) -> str:
        """What to call it in messages: `legacy.Adam`, `Adam`."""
        name = type(self.optimizer).__name__
        return f"legacy.{name}" if self.is_legacy else name

    @property
    def is_legacy(self) -> bool:
        return private.is_legacy_optimizer(self.optimizer)

    @property
    def is_keras_3(self) -> bool:
        return private.is_keras_3(self.optimizer)

    def setting(self, name: str, default: float = 0.0) -> float:
        """A hyperparameter's value: `epsilon`, `beta_1`; 0 if there is none."""
        value = self.optimizer.get_config().get(name, default)
        return float(default if value is None else value)

    @property
    def has_schedule(self) -> bool:
        """Whether the learning rate is a function of the iterations."""
        return private.schedule_of(self.optimizer) is not None

    def learning_rate(self, iterations: int) -> float:
        """The rate of the step after so many."""
        schedule = private.schedule_of(self.optimizer)
        if schedule is not None:
            return float(schedule(tf.constant(iterations, tf.int64)))
        return float(tf.convert_to_tensor(self.optimizer.learning_rate))

    @property
    def trained(self) -> set[str]:
        """The names of the variables that have slots."""
        return {owner for by_owner in self.slots.values() for owner in by_owner}

    @property
    def variables(self) -> list[Live]:
        """All of them."""
        slots = [live for by in self.slots.values() for live in by.values()]
        return [self.iterations, *self.others, *slots, *self.averages.values()]


@dataclasses.dataclass(frozen=True)
class Described:
    """What an object would save.

    Attributes:
      called: what to call it in messages.
      graph: its object graph, a TrackableObjectGraph message.
      variables: by name, without those of optimizers.
      step: the child `step` of the root, which stands for the global step.
      optimizers: its Keras optimizers.
      fixed: other variables that keep their values: `save_counter`, random seeds,
        metrics, loss scales.
      has_embeddings: whether a layer's gradients are sparse.
    """

    called: str
    graph: Any
    variables: Mapping[str, Live]
    step: Optional[Live]
    optimizers: tuple[LiveOptimizer, ...]
    fixed: tuple[Live, ...]
    has_embeddings: bool


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
    root = _root(trackable, save_counter)
    graph, objects, saveables = private.objects_of(root)
    models = [value for value in objects if is_model(value)]
    built: list[Any] = [model for model in models if _build(model, input_shape)]
    found = list(_optimizers(objects).values())
    for optimizer in found:
        if not private.has_slots(optimizer):
            private.build_slots(optimizer, _trained(optimizer, found, models, objects))
            built.append(optimizer)
    if built:
        graph, objects, saveables = private.objects_of(root)
    called = type(trackable).__name__
    if is_model(trackable):
        called = f"the model {trackable.name!r}"
    elif isinstance(trackable, dict):
        called = f"the object of {', '.join(map(repr, trackable))}"
    described = _describe(called, graph, objects, saveables, models, names_by)
    if not described.variables and not described.optimizers:
        raise TrackableError(f"{called} has no variables: build its layers first")
    return described


def _root(trackable: Any, save_counter: bool) -> Any:
    given = trackable
    try:
        if isinstance(trackable, dict):
            trackable = tf.train.Checkpoint(**trackable)
        elif isinstance(trackable, (type, tf.Variable)) or not private.is_trackable(
            trackable
        ):
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


def _is_keras(value: Any, name: str) -> bool:
    """Whether an object is of a Keras class, of tf.keras's, tf-keras's or Keras 3's."""
    return any(
        base.__name__ == name and "keras" in base.__module__
        for base in type(value).__mro__
    )


def is_model(value: Any) -> bool:
    return _is_keras(value, "Model")


def _unwrapped(value: Any) -> Any:
    """What an optimizer stands for: a LossScaleOptimizer has another in it."""
    return getattr(value, "inner_optimizer", value)


def _optimizers(objects: Sequence[Any]) -> dict[int, Any]:
    """The optimizers among the objects of a graph, by node.

    tf.keras's LossScaleOptimizer stands in the graph for the one in it; Keras 3's has
    a node of its own, and no slots.
    """
    found = {n: v for n, v in enumerate(objects) if private.is_optimizer(v)}
    present = {id(value) for value in objects}
    return {
        n: _unwrapped(value)
        for n, value in found.items()
        if _unwrapped(value) is value or id(_unwrapped(value)) not in present
    }


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


def _trained(
    optimizer: Any, every: Sequence[Any], models: Sequence[Any], objects: Sequence[Any]
) -> list[Any]:
    """The variables that an optimizer trains which has no slots yet."""
    name = type(optimizer).__name__
    if len(every) > 1:
        raise TrackableError(
            f"the optimizer {name} is not built, and with {len(every)} of them nobody "
            f"can tell which variables it trains: build each (optimizer.build(...))"
        )
    if models:
        top = [m for m in models if not any(_holds(other, m) for other in models)]
        found = [v for model in top for v in model.trainable_variables]
        return list({id(variable): variable for variable in found}.values())
    if not private.is_legacy_optimizer(optimizer):
        raise TrackableError(
            f"the optimizer {name} is not built, and its slots stand in the order of "
            f"the variables it trains: call optimizer.build(variables) first"
        )
    return [v for v in objects if isinstance(v, tf.Variable) and v.trainable]


def _holds(model: Any, other: Any) -> bool:
    if model is other:
        return False
    return other in getattr(model, "_flatten_layers", list)()


def _describe(
    called: str,
    graph: Any,
    objects: Sequence[Any],
    saveables: Sequence[Any],
    models: Sequence[Any],
    names_by: str,
) -> Described:
    keys = {}
    for number, node in enumerate(graph.nodes):
        for attribute in node.attributes:
            if attribute.name == names.VARIABLE_VALUE:
                keys[number] = attribute.checkpoint_key
    found = {
        number: (value, _below(graph, number) & set(keys))
        for number, value in _optimizers(objects).items()
    }
    of_optimizers = {n for _, mine in found.values() for n in mine}
    aside = {
        n
        for number, value in enumerate(objects)
        if (private.is_optimizer(value) and number not in found)
        or _is_keras(value, "Metric")
        for n in _below(graph, number) & set(keys) - of_optimizers
    }
    children = {c.local_name: c.node_id for c in graph.nodes[0].children}
    counter = children.get(names.SAVE_COUNTER)
    step = children.get(names.STEP)
    if step not in keys or not _is_counter(objects[step]):
        step = None
    aside |= {n for n, key in keys.items() if "seed_generator_state" in key}
    left_out = {*of_optimizers, *aside, counter, step}
    models_own = {n: key for n, key in keys.items() if n not in left_out}
    for number in models_own:
        # Keras 3's graph leaves out layers below a subclassed model; its paths do not.
        path = getattr(objects[number], "path", None)
        if path and not isinstance(objects[number], tf.Variable):
            for attribute in graph.nodes[number].attributes:
                attribute.full_name = path
    meaning = layout.of_objects(set(models_own.values()), graph)
    by_key = {key: name for name, key in meaning.keys.items()}
    if names_by == "path":
        shared = [key for found in meaning.ambiguous.values() for key in found]
        by_key.update((key, names.path_of(key) or key) for key in shared)
    else:
        meaning.require_unique(called)
    by_number = _without_model_names(
        {n: by_key[key] for n, key in models_own.items()}, objects, models
    )

    def live(number: int, name: Optional[str] = None) -> Live:
        key = keys[number]
        return Live(name or names.path_of(key) or key, key, objects[number])

    fixed = [live(n) for n in sorted(aside)]
    if counter is not None:
        fixed.append(live(counter))
    fixed += _no_variables(called, saveables, set(keys.values()))
    return Described(
        called=called,
        graph=graph,
        variables={name: live(n, name) for n, name in by_number.items()},
        step=None if step is None else live(step, names.GLOBAL_STEP),
        optimizers=tuple(
            _optimizer(number, value, mine, graph, objects, by_number, live)
            for number, (value, mine) in found.items()
        ),
        fixed=tuple(fixed),
        has_embeddings=any(type(value).__name__ == "Embedding" for value in objects),
    )


def _is_counter(variable: Any) -> bool:
    """Whether a variable can hold a global step."""
    return variable.shape.rank == 0 and tf.as_dtype(variable.dtype).is_integer


def _no_variables(
    called: str, saveables: Sequence[Any], keys: Collection[str]
) -> list[Live]:
    """What an object saves that is no variable, as it is now: the entries of tables."""
    found = []
    for spec in (spec for saveable in saveables for spec in saveable.specs):
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


def _below(graph: Any, root: int) -> set[int]:
    """The nodes of an optimizer, its slots included, without what it trains."""
    found, waiting = {root}, [root]
    while waiting:
        node = graph.nodes[waiting.pop()]
        reached = [
            child.node_id
            for child in node.children
            if child.local_name != "_trainable_variables"
        ]
        reached += [slot.slot_variable_node_id for slot in node.slot_variables]
        waiting += set(reached) - found
        found.update(reached)
    return found


def _without_model_names(
    called: Mapping[int, str], objects: Sequence[Any], models: Sequence[Any]
) -> dict[int, str]:
    """Names without the model's own, which Keras 3 puts before them."""
    scopes = {model.name for model in models}
    shorter = {
        n: name.partition("/")[2]
        if not isinstance(objects[n], tf.Variable) and name.partition("/")[0] in scopes
        else name
        for n, name in called.items()
    }
    return shorter if len(set(shorter.values())) == len(shorter) else dict(called)


def _optimizer(
    number: int,
    value: Any,
    mine: set[int],
    graph: Any,
    objects: Sequence[Any],
    called: Mapping[int, str],
    live: Any,
) -> LiveOptimizer:
    kinds = (optimizers.KERAS.get(base.__name__) for base in type(value).__mro__)
    kind = next(filter(None, kinds), optimizers.UNKNOWN)
    slots: dict[str, dict[str, Live]] = {}
    averages: dict[str, Live] = {}
    if private.is_legacy_optimizer(value):
        what = {name: slot for slot, name in kind.legacy.items()}
        for slot in graph.nodes[number].slot_variables:
            owner = called[slot.original_variable_node_id]
            slots.setdefault(what.get(slot.slot_name, slot.slot_name), {})[owner] = (
                live(slot.slot_variable_node_id)
            )
    else:
        owners = {
            place: name
            for n, name in called.items()
            if (place := private.place_in(value, objects[n])) is not None
        }
        _require_owners(value, owners)
        numbers = {id(objects[n]): n for n in mine}
        lists = {slot: getattr(value, a, ()) for slot, a in kind.attributes.items()}
        lists = {slot: found for slot, found in lists.items() if found}
        slots = {
            slot: {owners[i]: live(numbers[id(v)]) for i, v in enumerate(variables)}
            for slot, variables in lists.items()
        }
        averages = {
            owners[i]: live(numbers[id(v)])
            for i, v in enumerate(private.averages_of(value))
        }
    counter = next(n for n in mine if objects[n] is value.iterations)
    of_variables = [*slots.values(), averages]
    taken = {id(s.variable) for by_owner in of_variables for s in by_owner.values()}
    return LiveOptimizer(
        optimizer=value,
        path=_path(graph, number),
        kind=kind,
        iterations=live(counter),
        slots=slots,
        averages=averages,
        others=tuple(
            live(n)
            for n in sorted(mine)
            if n != counter and id(objects[n]) not in taken
        ),
    )


def _require_owners(optimizer: Any, owners: Mapping[int, str]) -> None:
    """Raises TrackableError if an optimizer was built for what is not in the object."""
    trained = private.trained_by(optimizer)
    absent = [name for place, name in enumerate(trained) if place not in owners]
    if absent:
        listed = ", ".join(map(repr, absent[:6]))
        more = f" and {len(absent) - 6} more" if len(absent) > 6 else ""
        raise TrackableError(
            f"the optimizer {type(optimizer).__name__} was built for variables that "
            f"the object given does not have: {listed}{more}. Give the model that it "
            f"trains along with it, or an optimizer that is not built"
        )


def _path(graph: Any, number: int) -> str:
    """The local names that lead to a node from the root."""
    parents = {
        child.node_id: (parent, child.local_name)
        for parent, node in reversed(list(enumerate(graph.nodes)))
        for child in node.children
    }
    steps: list[str] = []
    while number and len(steps) < len(graph.nodes):
        number, local_name = parents[number]
        steps.insert(0, local_name)
    return "/".join(steps)
