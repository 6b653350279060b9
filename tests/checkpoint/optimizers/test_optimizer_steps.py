"""How many steps beta powers are of, and the other way round."""

import numpy as np
import pytest

from estimator_ckpt.checkpoint.optimizers import optimizer_steps

BETAS = {"beta1_power": 0.9, "beta2_power": 0.999}


def powers_after(steps):
    return {n: optimizer_steps.power_after(b, steps) for n, b in BETAS.items()}


@pytest.mark.parametrize("steps", [0, 1, 20, 900, 86_000])
@pytest.mark.parametrize("global_step", [None, 7, 1_000_000])
def test_powers_say_how_many_steps_were_taken(steps, global_step):
    found = optimizer_steps.steps_taken(powers_after(steps), BETAS, global_step)
    assert found == pytest.approx(steps, rel=1e-4)


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.99999])
@pytest.mark.parametrize("steps", [0, 1, 100, 99_999, 100_000, 200_001])
def test_a_power_is_multiplied_in_float32_step_by_step(beta, steps):
    factor = power = np.float32(beta)
    for _ in range(steps):
        power *= factor
        if power < 1.2e-38:
            power = 0
            break
    assert optimizer_steps.power_after(beta, steps) == power


def test_the_global_step_is_taken_where_one_power_agrees_with_it():
    betas = {"beta1_power": 0.9, "beta2_power": 0.99}  # beta_2 was 0.999
    assert optimizer_steps.steps_taken(powers_after(20), betas, 20) == 20


@pytest.mark.parametrize("betas", [(0.5, 0.9), (0.9, 0.99), (0.95, 0.999)])
def test_powers_of_other_betas_say_nothing(betas):
    other = dict(zip(BETAS, betas))
    with pytest.raises(ValueError, match=r"beta2_power of 0\.9.* beta1_power of 0\."):
        optimizer_steps.steps_taken(powers_after(20), other, 1000)
