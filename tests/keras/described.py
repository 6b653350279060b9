"""Objects described by hand, and checkpoints for them: what needs no TensorFlow.

An object of a model with a kernel and a bias and, if one is asked for, an optimizer
with slots for both; checkpoints of the same as TensorFlow 1 names it.
"""

import contextlib

import numpy as np

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import object_keys, roles
from estimator_ckpt.checkpoint.optimizers import keras_classes
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.conversion import dictionary_graph
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import (
    Generation,
    ObjectDescription,
    ObjectVariable,
    OptimizerDescription,
)
from estimator_ckpt.maps.assignment import AssignmentMap

KERNEL, BIAS = "net/kernel", "net/bias"
SHAPES = {KERNEL: (2, 3), BIAS: (3,)}


class Held:
    """A value that can be assigned."""

    def __init__(self, value):
        self.value = value

    def get(self):
        return self.value

    def set(self, value):
        self.value = np.asarray(value)


def variable(name, value, role=roles.TRAINABLE):
    """A variable of an object, with its `Held` as `.assign.__self__`."""
    value = np.asarray(value)
    held = Held(value)
    key = object_keys.variable_key(name, "object")
    facts = Variable(name, value.dtype.name, value.shape, role, key, value.nbytes)
    return ObjectVariable(facts, held.get, held.set)


def optimizer(known="Adam", slots=("m", "v"), **options):
    """An optimizer that trains both variables, its slots at -1."""
    facts = {
        "called": known,
        "path": "optimizer",
        "keras_class": keras_classes.KERAS[known],
        "generation": Generation.SINCE_2_11,
        "settings": {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-7, "momentum": 0.9},
        "has_schedule": False,
        "learning_rate": lambda steps: 0.5,
        "iterations": variable("optimizer/iter", np.int64(0), roles.OPTIMIZER),
        "slots": {
            slot: {
                name: variable(
                    f"optimizer/{slot}/{name}",
                    np.full(shape, -1, np.float32),
                    roles.SLOT,
                )
                for name, shape in SHAPES.items()
            }
            for slot in slots
        },
        "averages": {},
        "rate": None,
        "loss_scale": None,
        "others": (),
    }
    return OptimizerDescription(**{**facts, **options})


def model(*optimizers, **options):
    """A model, its variables at -1, with optimizers."""
    variables = {
        name: variable(name, np.full(shape, -1, np.float32))
        for name, shape in SHAPES.items()
    }
    facts = {
        "called": "the model 'net'",
        "graph": dictionary_graph.build(sorted(variables), root="object"),
        "full_names": {},
        "variables": variables,
        "step": None,
        "save_counter": None,
        "optimizers": optimizers,
        "fixed": (),
        "has_embeddings": False,
    }
    return ObjectDescription(**{**facts, **options})


def values(*suffixes, step=None, **more):
    """Random float32 values of both variables, and of `<V>/<suffix>` for suffixes."""
    random = np.random.default_rng(3)
    found = {
        f"{name}{suffix}": random.normal(size=shape).astype(np.float32)
        for suffix in ("", *(f"/{suffix}" for suffix in suffixes))
        for name, shape in SHAPES.items()
    }
    if step is not None:
        found["global_step"] = np.int64(step)
    return {**found, **more}


def legacy_slots(*suffixes):
    """Values of `Adam/<V>/<suffix>`, as legacy optimizers name their slots."""
    found = values(*suffixes)
    return {f"Adam/{name}": found[name] for name in found if name not in SHAPES}


@contextlib.contextmanager
def source(path, written, assignment_map=None):
    """A checkpoint with these values, as a source."""
    write_bundle(path, written)
    with ec.open_checkpoint(path) as checkpoint:
        yield Source.of(checkpoint, AssignmentMap.of(assignment_map))
