"""Ops that carry values from a checkpoint into a graph's variables, as a plan says.

Most variables are copied, by an initializer that restores; those that stand for parts
or replicas by a Saver. What needs more than a copy gets ops of its own: another dtype,
another shape, rows that follow a vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Optional, Union

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.estimator.graph_variables import GraphVariable
from estimator_ckpt.maps.plans import Plan
from estimator_ckpt.tf_private import graph_api, savers_api

#: tf.estimator.VocabInfo by the names of the variables whose rows follow a vocabulary.
Vocabularies = Mapping[str, Any]


def of_graph(graph_variables: Mapping[str, GraphVariable]) -> dict[str, Variable]:
    """A graph's variables as a plan takes them."""
    return {
        name: Variable(
            name,
            variable.dtype.name,
            variable.shape,
            variable.role,
            size=math.prod(variable.shape or ()) * variable.dtype.size,
            owner=variable.owner,
            optimizer=variable.optimizer,
            is_undecided=variable.is_undecided,
        )
        for name, variable in graph_variables.items()
    }


def axes(vocabularies: Vocabularies) -> dict[str, int]:
    """The axis along which each variable follows its vocabulary."""
    return {name: info.axis or 0 for name, info in vocabularies.items()}


def with_state(
    vocabularies: Vocabularies,
    graph_variables: Mapping[str, Union[GraphVariable, Variable]],
) -> Vocabularies:
    """Adds the slots and averages of variables: their rows follow the words, too.

    New words keep what these have at first; a backup initializer is for weights.
    """
    found = dict(vocabularies)
    for name, variable in graph_variables.items():
        owner = graph_variables.get(variable.owner or "")
        info = vocabularies.get(variable.owner or "")
        if owner is None or info is None or name in found:
            continue
        if variable.shape == owner.shape:
            found[name] = info._replace(backup_initializer=None)
    return found


def restorer(
    plan: Plan,
    graph_variables: Mapping[str, GraphVariable],
    prefix: str,
    vocabularies: Vocabularies,
    *,
    by_initializers: bool,
) -> Callable[[tf1.Session], None]:
    """Adds to the default graph what a plan needs.

    Args:
      plan: the plan.
      graph_variables: the graph's variables, that the plan was made with.
      prefix: the source's prefix.
      vocabularies: those that the plan was made with.
      by_initializers: whether what is simply copied may become the initializer of its
        variable, which saves running the original one. The variables' initializers
        must be gathered afterwards then, as a Scaffold without an init_op does.

    Returns:
      A function that carries the rest, after the initializers were run.
    """
    plain: dict[str, str] = {}
    initialized: list[tuple[Any, Variable]] = []
    special = []
    for item in plan.items:
        if not item.verdict.is_carried or item.source is None or item.target is None:
            continue
        variable = graph_variables[item.name]
        is_plain = item.name not in vocabularies and _is_copy(item.source, item.target)
        if (
            is_plain
            and by_initializers
            and graph_api.has_initializer(variable.saveable)
        ):
            initialized.append((variable.saveable, item.source))
        elif is_plain:
            plain[item.name] = str(item.source.key)
        else:
            vocabulary = vocabularies.get(item.name)
            special.append(_special(variable, item.source, prefix, vocabulary))
    _initialize_from(initialized, prefix)
    saver = _saver(plain)

    def run(session: tf1.Session) -> None:
        if saver is not None:
            saver.restore(session, prefix)
        session.run(special)

    return run


def _is_copy(source: Variable, target: Variable) -> bool:
    return source.dtype == target.dtype and target.shape in (None, source.shape)


def _initialize_from(found: list[tuple[Any, Variable]], prefix: str) -> None:
    """Makes restoring the initializers of variables."""
    if not found:
        return
    with tf1.name_scope("warm_start"):
        with tf.device("cpu:0"):
            values = tf.raw_ops.RestoreV2(
                prefix=prefix,
                tensor_names=[source.key for _, source in found],
                shape_and_slices=[""] * len(found),
                dtypes=[variable.dtype.base_dtype for variable, _ in found],
            )
        for (variable, source), value in zip(found, values):
            value = tf.ensure_shape(value, source.shape)
            graph_api.set_initializer(variable, tf1.assign(variable, value).op)


def _saver(keys: Mapping[str, str]) -> Optional[tf1.train.Saver]:
    if not keys:
        return None
    saveables = savers_api.saveables_by_name(None)
    return savers_api.Saver(
        {name: saveables[name] for name in keys},
        name="warm_start",
        sharded=True,
        builder=savers_api.RestoreBuilder(keys),
    )


def _special(
    variable: GraphVariable, source: Variable, prefix: str, vocabulary: Any
) -> tf.Operation:
    """Carries a value that is not simply copied into a variable."""
    with tf1.name_scope("warm_start"):
        (value,) = tf.raw_ops.RestoreV2(
            prefix=prefix,
            tensor_names=[source.key],
            shape_and_slices=[""],
            dtypes=[tf.as_dtype(source.dtype)],
        )
        value = tf.ensure_shape(tf.cast(value, variable.dtype), source.shape)
        if vocabulary is not None:
            value = _follow_vocabulary(value, variable, vocabulary)
        elif source.shape != variable.shape:
            value = _fit(value, variable)
        return _assign(variable, value)


def _follow_vocabulary(value: tf.Tensor, variable: GraphVariable, info: Any) -> Any:
    """The rows (or columns, `info.axis`) of the new vocabulary's words.

    Words that the old vocabulary lacks, and out-of-vocabulary buckets, get
    `info.backup_initializer`'s values, or keep the variable's initial ones.
    """
    axis = info.axis or 0
    old = {
        word: i for i, word in enumerate(_words(info.old_vocab, info.old_vocab_size))
    }
    places = [old.get(word, -1) for word in _words(info.new_vocab, info.new_vocab_size)]
    shape = variable.shape or ()
    places += [-1] * (shape[axis] - len(places))
    known = tf.gather(value, [max(place, 0) for place in places], axis=axis)
    if info.backup_initializer is None:
        initial = _current(variable)
    else:
        initial = info.backup_initializer(shape=shape, dtype=variable.dtype)
    mask = [place >= 0 for place in places]
    mask_shape = [len(places) if i == axis else 1 for i in range(len(shape))]
    return tf.where(tf.reshape(mask, mask_shape), known, initial)


def _words(path: str, size: int) -> list[str]:
    with tf.io.gfile.GFile(path, "r") as file:
        words = [line.rstrip("\n") for line in file]
    return words if size in (None, -1) else words[:size]


def _fit(value: tf.Tensor, variable: GraphVariable) -> Any:
    """What fits of `value` into the variable; elsewhere its initial value stays."""
    shape = variable.shape or ()
    common = [min(a, b) for a, b in zip(value.shape.as_list(), shape)]
    paddings = [(0, size - fits) for size, fits in zip(shape, common)]
    part = tf.pad(tf.slice(value, [0] * len(common), common), paddings)
    mask = tf.pad(tf.ones(common, tf.bool), paddings, constant_values=False)
    return tf.where(mask, part, _current(variable))


def _current(variable: GraphVariable) -> Any:
    """The whole of a variable, put together where it is partitioned."""
    if len(variable.parts) == 1:
        return tf.convert_to_tensor(variable.parts[0])
    return tf.concat(list(variable.parts), _axis(variable))


def _assign(variable: GraphVariable, value: Any) -> tf.Operation:
    if len(variable.parts) == 1:
        return tf1.assign(variable.parts[0], value).op
    sizes = [part.shape.as_list()[_axis(variable)] for part in variable.parts]
    values = tf.split(value, sizes, _axis(variable))
    return tf.group(
        *(tf1.assign(part, cut) for part, cut in zip(variable.parts, values))
    )


def _axis(variable: GraphVariable) -> int:
    """The axis along which a partitioned variable is cut."""
    shape = variable.shape or ()
    part = variable.parts[0].shape.as_list()
    return next(i for i, (whole, cut) in enumerate(zip(shape, part)) if whole != cut)
