"""What tf1 calls an object's variables and slots, and what each is made of."""

import dataclasses

import numpy as np
import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.optimizers import algorithms, optimizer_steps
from estimator_ckpt.keras import tf1_tensors
from estimator_ckpt.keras.optimizers.beta_powers import Taken
from estimator_ckpt.keras.optimizers.state_errors import OptimizerStateError
from estimator_ckpt.keras.written_objects import WrittenObject
from tests.keras import described
from tests.keras.described import BIAS, KERNEL


def written(*optimizers):
    """An object and its checkpoint, of which nothing is read here."""
    model = described.model(*optimizers)
    paths = {held.key: f"object/{held.name}" for held in model.every}
    return WrittenObject(model, None, paths)


def test_the_model_s_variables_keep_their_names():
    found = {made.name: made for made in tf1_tensors.of_model(written(), ())}
    assert set(found) == {KERNEL, BIAS}
    assert found[KERNEL].role is roles.TRAINABLE
    assert found[KERNEL].origin.is_link


def slots(optimizer, algorithm, steps=3):
    taken = Taken(optimizer, algorithm, steps)
    return {
        made.name: made.origin
        for made in tf1_tensors.of_optimizer(taken, written(optimizer), ())
    }


def test_slots_stand_under_their_variable():
    found = slots(described.optimizer(), algorithms.ADAM)
    assert set(found) == {
        f"{name}/{suffix}" for name in (KERNEL, BIAS) for suffix in ("Adam", "Adam_1")
    }
    assert all(origin.is_link for origin in found.values())


def test_momentum_is_divided_by_the_negative_rate():
    """Keras: m = -lr a; so a = -m / lr, with the rate of the next step."""
    sgd = described.optimizer("SGD", ("accumulator",))
    found = slots(sgd, algorithms.MOMENTUM)
    assert found[f"{KERNEL}/Momentum"].change.factor == -2.0


def test_rmsprop_has_a_slot_of_momentum_in_any_case():
    rmsprop = described.optimizer("RMSprop", ("rms",))
    found = slots(rmsprop, algorithms.RMSPROP)
    assert found[f"{BIAS}/RMSProp_1"].change.factor == 0.0


def test_averages_and_loss_scales_have_tf1_s_names():
    average = {KERNEL: described.variable("average", np.float32(1), roles.AVERAGE)}
    found = slots(described.optimizer(averages=average), algorithms.ADAM)
    assert f"{KERNEL}/ExponentialMovingAverage" in found


def test_what_tf1_has_not_is_refused():
    amsgrad = described.optimizer(slots=("m", "v", "vhat"))
    with pytest.raises(OptimizerStateError, match="keeps vhat, which Adam of tf1"):
        slots(amsgrad, algorithms.ADAM)


@pytest.mark.parametrize(
    ("known", "options", "steps", "algorithm"),
    [
        ("Adam", {}, 7, algorithms.ADAM),
        ("Adam", {}, optimizer_steps.UNCORRECTED + 7, algorithms.BERT),
        ("SGD", {"slots": ("accumulator",)}, 7, algorithms.MOMENTUM),
        ("SGD", {"slots": (), "settings": {}}, 7, algorithms.SGD),
        ("RMSprop", {"slots": ("rms", "mg")}, 7, algorithms.CENTERED),
    ],
)
def test_the_algorithm_that_goes_on(known, options, steps, algorithm):
    optimizer = described.optimizer(known, **options)
    assert tf1_tensors.algorithm_of(optimizer, steps) is algorithm


def test_two_optimizers_of_one_variable_are_refused():
    named = list(tf1_tensors.of_model(written(), ()))
    tf1_tensors.require_one_owner(named)
    twice = [*named, dataclasses.replace(named[0])]
    with pytest.raises(OptimizerStateError, match="two optimizers would have one name"):
        tf1_tensors.require_one_owner(twice)
