"""Which algorithm of tf1 left slots of some names."""

import pytest

from estimator_ckpt.checkpoint.optimizers import algorithms


@pytest.mark.parametrize(
    ("slots", "powers", "found"),
    [
        (["Adam", "Adam_1"], ["beta1_power", "beta2_power"], ["Adam"]),
        (["Adam_1", "Adam"], [], ["Adam"]),  # usual names say which
        (["adam_m", "adam_v"], [], ["AdamWeightDecay"]),
        (["RMSProp", "RMSProp_1", "RMSProp_2"], [], ["centered RMSProp"]),
        (["Momentum"], [], ["Momentum"]),
        # A name that the user gave: whatever keeps as many slots and these powers.
        (["d_adam", "d_adam_1"], ["beta1_power", "beta2_power"], ["Adam"]),
        (["d_opt", "d_opt_1"], ["beta1_power"], ["AdaMax"]),
        (["mine"], [], ["Momentum", "Adagrad"]),
        (["mine", "mine_1"], [], ["RMSProp", "Adadelta", "Ftrl"]),
        # Known names in a number that no algorithm has, and names of two optimizers.
        (["Adam"], [], []),
        (["mine", "other"], [], []),
    ],
)
def test_names_of_slots_say_the_algorithm(slots, powers, found):
    assert [a.name for a in algorithms.algorithms_of(slots, powers)] == found


def test_names_of_slots_have_no_numbers_and_name_one_algorithm_each():
    assert not [name for name in algorithms.TF1_SLOTS if name.endswith("_1")]
    assert {"Adam", "adam_m", "Ftrl", "LazyAdam"} <= algorithms.TF1_SLOTS
    assert "adam" not in algorithms.TF1_SLOTS


def test_adam_and_adamax_alone_keep_powers():
    assert {"Adam", "AdaMax"}.isdisjoint(algorithms.WITHOUT_POWERS)
    assert {"Momentum", "RMSProp", "adam_m"} <= algorithms.WITHOUT_POWERS
