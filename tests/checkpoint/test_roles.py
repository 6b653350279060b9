"""Roles: what is optimizer state is told from names, and only from safe ones."""

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import role_evidence
from estimator_ckpt.checkpoint.optimizers import slot_names


def slot_owner(name, names):
    said = role_evidence.by_names({name, *names})[name]
    return said.owner if said.role is roles.SLOT else None


def is_optimizer_state(name, names):
    return role_evidence.by_names({name, *names}).role(name) in roles.OF_OPTIMIZER


MODEL = {"dense/kernel", "dense/bias", "bn/moving_mean", "global_step", "w"}


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("dense/kernel/Adam", "dense/kernel"),
        ("dense/kernel/Adam_1", "dense/kernel"),
        ("OptimizeLoss/dense/kernel/Momentum", "dense/kernel"),
        ("dense/kernel/adam_v", "dense/kernel"),
    ],
)
def test_slots_are_named_after_their_variable(name, owner):
    assert slot_owner(name, MODEL) == owner
    assert is_optimizer_state(name, MODEL)


@pytest.mark.parametrize(
    ("name", "owner", "counter"),
    [
        ("Adam/dense/kernel/m", "dense/kernel", "Adam/iter"),  # Keras, legacy
        ("Adam/v/dense/kernel", "dense/kernel", "iteration"),  # Keras since 2.11
        ("velocity/w", "w", "iteration"),
    ],
)
def test_keras_slots_count_only_beside_a_step_counter(name, owner, counter):
    assert slot_owner(name, {counter} | MODEL) == owner
    assert not is_optimizer_state(name, MODEL)


@pytest.mark.parametrize(
    "name", ["beta1_power", "OptimizeLoss/beta2_power", "beta1_power_1"]
)
def test_beta_powers_are_optimizer_state(name):
    assert is_optimizer_state(name, MODEL)


def test_hyperparameters_count_only_beside_an_iteration_counter():
    assert is_optimizer_state("Adam/decay", {"Adam/iter"} | MODEL)
    assert not is_optimizer_state("layer/decay", MODEL)


@pytest.mark.parametrize(
    "name",
    [
        "bn/moving_mean",
        "other/kernel/Adam",  # no variable of that name: not a slot of anything here
        "dense/kernel",
        "dense/kernel/ExponentialMovingAverage",
        "global_step",
    ],
)
def test_the_model_is_not_optimizer_state(name):
    assert not is_optimizer_state(name, MODEL)


def test_an_average_names_its_variable():
    shadow = "dense/kernel/ExponentialMovingAverage"
    found = role_evidence.by_names({shadow, *MODEL})
    assert found.averaged(shadow) == "dense/kernel"
    assert found.averaged("dense/kernel") is None


@pytest.mark.parametrize(
    ("full_name", "slot"),
    [
        ("m/dense/kernel", "m"),
        ("Adam/m/dense/kernel", "m"),
        ("adam/dense_kernel_momentum", "momentum"),
        ("adam/dense_kernel_velocity_hat", "velocity_hat"),
        ("adam/iteration", None),
        ("iteration", None),
        ("", None),
    ],
)
def test_keras_names_its_slots_in_two_ways(full_name, slot):
    assert slot_names.keras_slot(full_name) == slot
