"""Beta powers of tf1, from the steps that Keras optimizers took."""

import numpy as np
import pytest

from estimator_ckpt.checkpoint.optimizers import algorithms
from estimator_ckpt.keras.optimizers import beta_powers
from estimator_ckpt.keras.optimizers.beta_powers import Taken
from estimator_ckpt.keras.optimizers.state_errors import OptimizerStateError
from estimator_ckpt.maps.assignment import AssignmentMap
from tests.keras import described


def taken(*steps):
    return [
        Taken(described.optimizer(path=f"opt_{i}"), algorithms.ADAM, count)
        for i, count in enumerate(steps)
    ]


def test_a_power_is_that_of_the_next_step():
    """tf1 multiplies a power after each step, and begins with beta."""
    (one,) = taken(3)
    np.testing.assert_allclose(one.powers["beta1_power"], 0.9**4, rtol=1e-6)
    np.testing.assert_allclose(one.powers["beta2_power"], 0.99**4, rtol=1e-6)


def test_optimizers_of_one_count_have_tf1_s_own_names():
    assert set(beta_powers.by_name(taken(3, 3))) == {
        *("beta1_power", "beta2_power", "beta1_power_1", "beta2_power_1")
    }


def test_of_several_counts_the_user_has_to_say_whose_is_whose():
    both = taken(3, 5)
    names = beta_powers.by_name(both)
    assert set(names) == {
        f"opt_{i}/{power}" for i in (0, 1) for power in ("beta1_power", "beta2_power")
    }
    unsaid = AssignmentMap().rename(dict.fromkeys(names), source="here")
    with pytest.raises(OptimizerStateError, match="say which is which") as caught:
        beta_powers.require_owners(both, unsaid, "here")
    assert "'opt_1/beta1_power': 'beta1_power_1'" in str(caught.value)
    said = {
        f"opt_{i}/{power}": f"{power}_{1 - i}" if i == 0 else power
        for i in (0, 1)
        for power in ("beta1_power", "beta2_power")
    }
    renaming = AssignmentMap.of(said).rename(dict.fromkeys(names), source="here")
    beta_powers.require_owners(both, renaming, "here")


def test_an_algorithm_without_powers_has_none():
    sgd = Taken(described.optimizer("SGD", ("accumulator",)), algorithms.MOMENTUM, 3)
    assert beta_powers.by_name([sgd]) == {}
