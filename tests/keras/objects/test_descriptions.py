"""An object as data: what it would save, and what an optimizer says of itself."""

import numpy as np

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.keras.objects.descriptions import Generation, LossScale
from tests.keras import described
from tests.keras.described import BIAS, KERNEL, variable


def test_an_optimizer_lists_each_variable_once():
    rate = variable("optimizer/rate", np.float32(1), roles.OPTIMIZER)
    scale = LossScale(
        variable("scale", np.float32(2), roles.LOSS_SCALE),
        variable("good_steps", np.int64(3), roles.LOSS_SCALE),
    )
    average = {KERNEL: variable("average", np.float32(4), roles.AVERAGE)}
    found = described.optimizer(rate=rate, loss_scale=scale, averages=average)
    names = [held.name for held in found.variables]
    assert len(names) == len(set(names)) == 1 + 1 + 2 + 4 + 1
    assert found.trained == {KERNEL, BIAS}


def test_settings_that_there_are_not_are_0():
    found = described.optimizer()
    assert found.betas == {"beta1_power": 0.9, "beta2_power": 0.99}
    assert found.setting("weight_decay") == 0


def test_generations():
    assert not described.optimizer().is_legacy
    assert described.optimizer(generation=Generation.LEGACY).is_legacy


def test_an_object_lists_what_it_would_save():
    step = variable("step", np.int64(7), roles.GLOBAL_STEP)
    seed = variable("seed", np.int64(1), roles.METRIC)
    found = described.model(described.optimizer(), step=step, fixed=(seed,))
    names = [held.name for held in found.every]
    assert names[:3] == [KERNEL, BIAS, "step"]
    assert names[-1] == "seed"
    assert len(names) == 2 + 1 + (1 + 4) + 1
