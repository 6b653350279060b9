"""The variables that a live object has, as plans take them."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from estimator_ckpt.checkpoint.evidence import role_evidence
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact
from estimator_ckpt.checkpoint.roles import AS_FOUND, TRAINABLE, Overruling
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.keras.objects import trackables
from estimator_ckpt.keras.objects.tracked_graph import TrackedGraph, model_role


def is_trackable(target: Any) -> bool:
    """Whether a target is an object with variables, and no model_fn."""
    types = (tf.train.Checkpoint, tf.Module, tf.keras.Model, dict)
    return isinstance(target, types)


def of_trackable(target: Any, overruling: Overruling = AS_FOUND) -> dict[str, Variable]:
    """An object's variables: by their names, or their paths where names say nothing.

    Args:
      target: the object.
      overruling: what a user says of their roles.

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
    names = trackables.without_model_names(full, tracked)
    called = {name: names[number] for number, name in full.items()}
    model_roles = {
        name: model_role(tracked.objects[number]) for number, name in full.items()
    }
    variables = {
        name: tracked.variable(number, model_roles[name], called[name]).variable
        for number, name in full.items()
    }
    roles = role_evidence.decide(
        {name: Fact(v.dtype, v.shape) for name, v in variables.items()},
        global_step=found.global_step,
        keys=found.keys,
        graph=tracked.message,
        trainable={name: role is TRAINABLE for name, role in model_roles.items()},
        collection="the object's own list",
        overruling=overruling,
    )
    return {
        called[name]: dataclasses.replace(
            variable,
            role=roles[name].role,
            owner=called.get(roles[name].owner or "", roles[name].owner),
            optimizer=roles[name].optimizer,
            is_undecided=roles[name].is_undecided,
        )
        for name, variable in variables.items()
    }
