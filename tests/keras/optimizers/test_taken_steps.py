"""How many steps an optimizer took, by what a checkpoint says."""

import numpy as np
import pytest

from estimator_ckpt.checkpoint.optimizers import algorithms, optimizer_steps
from estimator_ckpt.keras.optimizers import saved_optimizers, taken_steps
from estimator_ckpt.keras.optimizers.state_errors import OptimizerStateError
from tests.keras import described
from tests.keras.described import SHAPES


def of_tf1(path, algorithm, optimizer=None, **more):
    written = described.values("Adam", "Adam_1", step=20, **more)
    with described.source(path, written) as source:
        labels = {saved.label for saved in saved_optimizers.of(source, SHAPES)}
        given = optimizer or described.optimizer()
        return taken_steps.of_tf1(source, given, algorithm, labels)


@pytest.mark.parametrize("steps", [0, 1, 7, 300])
def test_beta_powers_say_it(tmp_path, steps):
    powers = {
        "beta1_power": np.float32(0.9 ** (steps + 1)),
        "beta2_power": np.float32(0.99 ** (steps + 1)),
    }
    found = of_tf1(tmp_path / "c", algorithms.ADAM, **powers)
    assert found == steps


def test_without_powers_it_is_the_global_step(tmp_path):
    assert of_tf1(tmp_path / "c", algorithms.ADAGRAD) == 20


def test_where_no_bias_is_corrected_it_is_a_large_number(tmp_path):
    found = of_tf1(tmp_path / "c", algorithms.BERT)
    assert found == optimizer_steps.UNCORRECTED + 20
    with pytest.raises(OptimizerStateError, match="a learning rate schedule must"):
        of_tf1(tmp_path / "d", algorithms.BERT, described.optimizer(has_schedule=True))


def test_powers_of_other_betas_are_refused(tmp_path):
    powers = {"beta1_power": np.float32(0.5), "beta2_power": np.float32(0.97)}
    with pytest.raises(OptimizerStateError, match="give Adam the betas that it had"):
        of_tf1(tmp_path / "c", algorithms.ADAM, **powers)


def test_a_counter_of_keras_says_it(tmp_path):
    written = {
        **described.values(),
        **described.legacy_slots("m", "v"),
        "Adam/iter": np.int64(11),
    }
    with described.source(tmp_path / "c", written) as source:
        labels = {saved.label for saved in saved_optimizers.of(source, SHAPES)}
        found = taken_steps.of_keras(source, described.optimizer(), labels)
    assert found == 11
