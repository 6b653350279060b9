"""What names of optimizers' variables say by themselves."""

import pytest

from estimator_ckpt.checkpoint.optimizers import slot_names


@pytest.mark.parametrize(
    ("full_name", "slot"),
    [
        ("m/dense/kernel", "m"),
        ("Adam/m/dense/kernel", "m"),
        ("Adam/velocity/dense/kernel", "velocity"),
        ("adam/dense_kernel_momentum", "momentum"),
        ("adam/dense_kernel_velocity_hat", "velocity_hat"),  # the longest that fits
        ("m", None),  # a variable of that name
        ("dense/kernel", None),
        ("adam/dense/kernel_momentum", None),  # `/` is `_` there
        ("", None),
        (None, None),
    ],
)
def test_a_full_name_says_the_slot(full_name, slot):
    assert slot_names.keras_slot(full_name) == slot


@pytest.mark.parametrize(
    ("name", "is_power"),
    [
        ("beta1_power", True),
        ("train/beta2_power_3", True),
        ("beta1_power:0", True),
        ("beta3_power", False),
        ("beta1_power_x", False),
        ("beta1_power/kernel", False),
    ],
)
def test_beta_powers(name, is_power):
    assert slot_names.is_beta_power(name) is is_power
    assert slot_names.counts_steps(name) is is_power


@pytest.mark.parametrize("name", ["Adam/iter", "adam/iterations", "iteration"])
def test_counters_count_steps_and_are_no_powers(name):
    assert slot_names.counts_steps(name)
    assert not slot_names.is_beta_power(name)


def test_generations_share_the_words_that_are_common():
    assert "slow" in slot_names.LEGACY_SLOTS & slot_names.KERAS_SLOTS
    assert "accum_grad" in slot_names.LEGACY_SLOTS - slot_names.KERAS_SLOTS
    assert "norm" in slot_names.KERAS_3_SLOTS - slot_names.KERAS_SLOTS
