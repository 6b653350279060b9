"""Checkpoints of TensorFlow 2.21.0 with Keras 3, with what each variable is for."""

import os

import keras
import numpy as np
import tensorflow as tf
from truth import (
    AVERAGE,
    LOSS_SCALE,
    METRIC,
    MODEL,
    OPTIMIZER,
    SLOT,
    TRAINABLE,
    of_objects,
)

CASES = {}
X, Y = np.ones((4, 3), np.float32), np.ones((4, 1), np.float32)


def case(function):
    """Registers the writer of the directory of its name."""
    CASES[function.__name__] = function
    return function


def sequential(name="net"):
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dropout(0.5, seed=1, name="dropout"),
            keras.layers.Dense(1, name="head"),
        ],
        name=name,
    )


def functional(name="net"):
    inputs = keras.Input((3,))
    x = keras.layers.Dense(2, name="dense")(inputs)
    x = keras.layers.LayerNormalization(name="ln")(x)
    return keras.Model(inputs, keras.layers.Dense(1, name="head")(x), name=name)


def of_model(model):
    for variable in model.trainable_variables:
        yield variable, TRAINABLE, None, None
    for variable in model.non_trainable_variables:
        yield variable, MODEL, None, None


def of_optimizer(optimizer, label="the"):
    """What a Keras 3 optimizer says of its variables."""
    variables = optimizer._trainable_variables
    averages = getattr(optimizer, "_model_variables_moving_average", None) or []
    for variable, average in zip(variables, averages):
        yield average, AVERAGE, variable, label
    for name, value in vars(optimizer).items():
        if name in ("_variables", "_trainable_variables"):
            continue
        if name == "_model_variables_moving_average":
            continue
        if isinstance(value, (list, tuple)) and len(value) == len(variables):
            for slot, variable in zip(value, variables):
                if hasattr(slot, "assign"):
                    yield slot, SLOT, variable, label
    for variable in optimizer.variables:
        yield variable, OPTIMIZER, None, label


def save(directory, root, said):
    """Saves an object, and what each of its variables is for."""
    from estimator_ckpt.tf_private import trackables_api

    prefix = os.path.join(directory, "model.ckpt")
    root._maybe_create_save_counter()
    root.write(prefix)
    graph, objects, _ = trackables_api.objects_of(root)
    of_objects(prefix, graph, objects, list(said)).write(directory)


def trained(directory, optimizer, model=None, separate=True):
    model = sequential() if model is None else model
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    if separate:
        root = tf.train.Checkpoint(model=model, optimizer=optimizer)
    else:
        root = tf.train.Checkpoint(model)
    said = [*of_model(model), *of_optimizer(optimizer)]
    said += [(v, METRIC, None, None) for m in model.metrics for v in m.variables]
    said += [(v, METRIC, None, None) for v in model._loss_tracker.variables]
    save(directory, root, said)


@case
def adam_sequential(directory):
    trained(directory, keras.optimizers.Adam(0.01))


@case
def adam_functional(directory):
    trained(directory, keras.optimizers.Adam(0.01), functional())


@case
def adam_in_model(directory):
    trained(directory, keras.optimizers.Adam(0.01, amsgrad=True), separate=False)


@case
def adam_schedule(directory):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    trained(directory, keras.optimizers.Adam(schedule), functional())


@case
def adam_ema(directory):
    optimizer = keras.optimizers.Adam(0.01, use_ema=True, gradient_accumulation_steps=2)
    trained(directory, optimizer, functional())


@case
def adafactor(directory):
    trained(directory, keras.optimizers.Adafactor(0.01), functional())


@case
def sgd_momentum(directory):
    trained(directory, keras.optimizers.SGD(0.01, momentum=0.9))


@case
def rmsprop_centered(directory):
    trained(directory, keras.optimizers.RMSprop(0.01, momentum=0.9, centered=True))


@case
def lamb(directory):
    trained(directory, keras.optimizers.Lamb(0.01), functional())


@case
def muon(directory):
    """Other slots for some variables than for others."""
    trained(directory, keras.optimizers.Muon(0.01), functional())


class Words(keras.layers.Layer):
    """A layer whose weights are called as an optimizer's and a metric's are."""

    def build(self, shape):
        for name in ("m", "v", "momentum", "velocity", "beta", "total_scale"):
            setattr(self, name, self.add_weight(shape=(3,), name=name))
        for name in ("learning_rate", "rho", "count", "total"):
            weight = self.add_weight(shape=(), name=name, trainable=name == "rho")
            setattr(self, name, weight)
        self.iteration = self.add_weight(
            shape=(), dtype="int64", trainable=False, name="iteration"
        )

    def call(self, x):
        return x * self.m + self.v * self.momentum * self.velocity + self.beta


@case
def decoys(directory):
    inputs = keras.Input((3,))
    x = Words(name="optimizer")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, name="adam")(x), name="net")
    optimizer = keras.optimizers.RMSprop(0.1, momentum=0.9, centered=True)
    trained(directory, optimizer, model)


@case
def loss_scale(directory):
    inner = keras.optimizers.Adam(0.01)
    wrapper = keras.optimizers.LossScaleOptimizer(inner)
    model = functional()
    wrapper.build(model.trainable_variables)
    root = tf.train.Checkpoint(model=model, optimizer=wrapper)
    said = [*of_model(model)]
    said += [
        (v, LOSS_SCALE, None, None)
        for v in (wrapper.step_counter, wrapper.dynamic_scale)
    ]
    said += [*of_optimizer(inner), *of_optimizer(wrapper, "wrapper")]
    save(directory, root, said)


def gan(directory, make):
    models = make("generator"), make("discriminator")
    optimizers = keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.02)
    said = []
    for model, optimizer in zip(models, optimizers):
        optimizer.build(model.trainable_variables)
        said += [*of_model(model), *of_optimizer(optimizer, model.name)]
    root = tf.train.Checkpoint(
        generator=models[0],
        discriminator=models[1],
        g_optimizer=optimizers[0],
        d_optimizer=optimizers[1],
    )
    save(directory, root, said)


@case
def gan_functional(directory):
    gan(directory, functional)


@case
def gan_sequential(directory):
    gan(directory, sequential)
