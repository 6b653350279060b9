"""The state that a checkpoint holds for a Keras optimizer: slots, steps, formulas."""

import numpy as np
import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.optimizers import algorithms, keras_classes
from estimator_ckpt.keras.optimizers import optimizer_state
from estimator_ckpt.keras.optimizers.state_errors import OptimizerStateError
from tests.keras import described
from tests.keras.described import BIAS, KERNEL

OWNERS = (KERNEL, BIAS)


def powers(steps):
    return {
        "beta1_power": np.float32(0.9 ** (steps + 1)),
        "beta2_power": np.float32(0.99 ** (steps + 1)),
    }


def test_tf1_s_adam_is_found_with_its_steps(tmp_path):
    written = described.values("Adam", "Adam_1", step=50, **powers(5))
    with described.source(tmp_path / "c", written) as source:
        state = optimizer_state.find(source, described.optimizer(), OWNERS, None)
    assert state.algorithm is algorithms.ADAM
    assert state.style == roles.TF1
    assert state.slots["m"] == {name: f"{name}/Adam" for name in OWNERS}
    assert state.slots["v"] == {name: f"{name}/Adam_1" for name in OWNERS}
    assert (state.steps, state.global_step) == (5, 50)
    assert state.changes(described.optimizer(), 5) == {}


def test_what_a_user_says_of_steps_counts(tmp_path):
    written = described.values("Adam", "Adam_1", step=50, **powers(5))
    with described.source(tmp_path / "c", written) as source:
        state = optimizer_state.find(source, described.optimizer(), OWNERS, 9)
    assert state.steps == 9


def test_momentum_is_times_the_learning_rate_in_keras(tmp_path):
    """m = -lr a, with the rate of the next step; 0 cannot be undone."""
    sgd = described.optimizer("SGD", ("accumulator",))
    written = described.values("Momentum", step=5)
    with described.source(tmp_path / "c", written) as source:
        state = optimizer_state.find(source, sgd, OWNERS, None)
        assert state.changes(sgd, 5)["accumulator"].factor == -0.5
        stopped = described.optimizer(
            "SGD", ("accumulator",), learning_rate=lambda steps: 0.0
        )
        with pytest.raises(OptimizerStateError, match="which is 0 here"):
            state.changes(stopped, 5)


@pytest.mark.parametrize(
    ("suffixes", "optimizer", "message"),
    [
        ((), ("Adam", ("m", "v")), "has no slots of Adam"),
        (("Momentum",), ("Adam", ("m", "v")), "has slots of Momentum"),
        (("Adam", "Adam_1"), ("Adam", ("m", "v", "vhat")), "keeps as vhat"),
        (
            ("RMSProp", "RMSProp_1", "RMSProp_2"),
            ("RMSprop", ("rms", "momentum")),
            "centered=True",
        ),
    ],
)
def test_another_optimizer_s_state_is_refused(tmp_path, suffixes, optimizer, message):
    known, slots = optimizer
    written = described.values(*suffixes, step=5)
    with described.source(tmp_path / "c", written) as source:
        wanted = described.optimizer(known, slots)
        with pytest.raises(OptimizerStateError) as caught:
            optimizer_state.find(source, wanted, OWNERS, None)
    assert message in str(caught.value)
    assert "--nooptimizer_state" in str(caught.value) or "centered" in message


def test_an_optimizer_of_which_nothing_is_known_is_refused(tmp_path):
    unknown = described.optimizer(keras_class=keras_classes.UNKNOWN, called="Mine")
    with pytest.raises(OptimizerStateError, match="Mine is an optimizer of which"):
        optimizer_state.require_known(unknown)
