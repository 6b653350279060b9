"""The variables that a live object has, as plans take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.contents import Contents
from estimator_ckpt.checkpoint.evidence import role_evidence
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.checkpoint.roles import AS_FOUND, TRAINABLE, Decision, Overruling
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.keras.objects import trackables
from estimator_ckpt.keras.objects.tracked_graph import TrackedGraph, model_role
from estimator_ckpt.tf_private import keras_api


def is_trackable(target: Any) -> bool:
    """Whether a target is an object with variables, and no model_fn."""
    # Not tf.keras.Model: looking it up decides which Keras it is, for a model_fn too.
    types = (tf.train.Checkpoint, tf.Module, dict)
    return isinstance(target, types) or keras_api.is_model(target)


class OfObject(NamedTuple):
    """The variables of an object.

    Attributes:
      variables: the variables by name.
      full_names: by name, what a checkpoint of the object calls them, where the name
        of the model stands before that.
    """

    variables: dict[str, Variable]
    full_names: dict[str, str]


def of_trackable(
    target: Any,
    overruling: Overruling = AS_FOUND,
    names_by: NamesBy = NamesBy.FULL_NAME,
) -> OfObject:
    """An object's variables: by their names, or their paths where names say nothing.

    Args:
      target: the object.
      overruling: what a user says of their roles.
      names_by: with `path`, variables that share a name are called by their paths.

    Raises:
      AmbiguousNameError: two variables have one name.
    """
    if isinstance(target, dict):
        target = tf.train.Checkpoint(**target)
    tracked = TrackedGraph.of(target)
    found = trackables.contents_of(tracked, tracked.keys)
    if names_by is not NamesBy.PATH:
        found.require_unique(type(target).__name__)
    keys = {**found.keys, **_paths_of_shared(found, names_by)}
    numbers = {key: number for number, key in tracked.keys.items()}
    full = {numbers[key]: name for name, key in keys.items()}
    names = trackables.without_model_names(full, tracked)
    called = {name: names[number] for number, name in full.items()}
    variables = {
        name: tracked.variable(
            number, model_role(tracked.objects[number]), called[name]
        ).variable
        for number, name in full.items()
    }
    roles = role_evidence.decide(
        {name: Fact(v.dtype, v.shape) for name, v in variables.items()},
        global_step=found.global_step,
        keys=keys,
        graph=tracked.message,
        trainable={name: v.role is TRAINABLE for name, v in variables.items()},
        collection="the object's own list",
        overruling=overruling,
    )
    described = {
        called[name]: _described(variable, roles[name], called)
        for name, variable in variables.items()
    }
    return OfObject(described, {called[name]: name for name in full.values()})


def _paths_of_shared(found: Contents, names_by: NamesBy) -> dict[str, str]:
    """The keys of variables that share a name, by path, if they go by their paths."""
    if names_by is not NamesBy.PATH:
        return {}
    shared = [key for same in found.ambiguous.values() for key in same]
    return {object_keys.path_of(key) or key: key for key in shared}


def _described(
    variable: Variable, said: Decision, called: Mapping[str, str]
) -> Variable:
    """A variable with what its role is decided to be; its owner by its own name."""
    return variable._replace(
        role=said.role,
        owner=called.get(said.owner or "", said.owner),
        optimizer=said.optimizer,
        is_undecided=said.is_undecided,
        slot=said.slot,
    )
