"""What a slot's numbers become where they mean something else."""

import numpy as np
import pytest

from estimator_ckpt.checkpoint.optimizers import algorithms, slot_changes
from estimator_ckpt.checkpoint.optimizers.slot_changes import Change


def changes(algorithm, is_legacy=False, epsilon=1e-7):
    return slot_changes.to_keras(
        algorithm, is_legacy=is_legacy, learning_rate=0.1, epsilon=epsilon
    )


def test_momentum_is_minus_the_rate_times_the_accumulator():
    assert changes(algorithms.MOMENTUM) == {"accumulator": Change(-0.1)}
    assert changes(algorithms.MOMENTUM, is_legacy=True) == {"accumulator": Change(-0.1)}


def test_momentum_steps_on_as_tf1_does():
    """One step of each formula from the same state, in float64."""
    a, w, g, mu, lr = 3.0, 5.0, 0.5, 0.9, 0.1
    (change,) = changes(algorithms.MOMENTUM).values()
    m = mu * (a * change.factor + change.offset) - lr * g
    assert w + m == pytest.approx(w - lr * (mu * a + g))


def test_adagrad_since_2_11_has_epsilon_in_the_root():
    assert changes(algorithms.ADAGRAD) == {"accumulator": Change(offset=-1e-7)}
    assert changes(algorithms.ADAGRAD, is_legacy=True) == {}
    assert changes(algorithms.ADAGRAD, epsilon=0) == {}


@pytest.mark.parametrize("algorithm", [algorithms.ADAM, algorithms.FTRL])
def test_what_means_the_same_keeps_its_bytes(algorithm):
    assert changes(algorithm) == {}


def test_the_inverse_leads_back():
    change = Change(-0.25, 0.5)
    x = np.float64([1, -2, 3])
    there = x * change.factor + change.offset
    back = there * change.inverse.factor + change.inverse.offset
    np.testing.assert_allclose(back, x)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change(-0.1), "times -0.1"),
        (Change(offset=-1e-7), "plus -1e-07"),
        (Change(2, 1), "times 2, plus 1"),
        (Change(), ""),
    ],
)
def test_it_says_what_is_done(change, text):
    assert str(change) == text
