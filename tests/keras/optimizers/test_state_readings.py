"""How saved optimizers can be understood by the one that is given."""

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.optimizers import algorithms
from estimator_ckpt.keras.optimizers import saved_optimizers, state_readings
from estimator_ckpt.keras.optimizers.state_errors import OptimizerStateError
from tests.keras import described
from tests.keras.described import BIAS, KERNEL

OWNERS = (KERNEL, BIAS)


def readings(path, written, optimizer, assignment_map=None):
    with described.source(path, written, assignment_map) as source:
        return state_readings.of(source, optimizer, saved_optimizers.of(source, OWNERS))


def test_slots_of_tf1_have_the_meaning_of_their_numbers(tmp_path):
    written = described.values("RMSProp", "RMSProp_1")
    rmsprop = described.optimizer("RMSprop", ("rms", "momentum"))
    (found,) = readings(tmp_path / "c", written, rmsprop)
    assert found.algorithm is algorithms.RMSPROP
    assert found.style == roles.TF1
    assert found.slots["rms"][KERNEL] == f"{KERNEL}/RMSProp"
    assert found.slots["momentum"][KERNEL] == f"{KERNEL}/RMSProp_1"


def test_slots_of_legacy_keras(tmp_path):
    written = {
        **described.values(),
        **described.legacy_slots("m", "v"),
    }
    (found,) = readings(tmp_path / "c", written, described.optimizer())
    assert (found.algorithm, found.style) == (algorithms.ADAM, roles.LEGACY)
    assert found.slots["v"][BIAS] == f"Adam/{BIAS}/v"


def test_two_that_would_do_are_refused_by_name(tmp_path):
    """The state of tf1's Adam, and of a legacy Keras Adam beside it."""
    tf1, legacy = described.values("Adam", "Adam_1"), described.legacy_slots("m", "v")
    with pytest.raises(OptimizerStateError, match="of several optimizers"):
        readings(tmp_path / "c", {**tf1, **legacy}, described.optimizer())


def test_halves_of_two_optimizers_are_put_together(tmp_path):
    """One trained the kernel and the other the bias; each has an `Adam` of its own."""
    written = described.values("Adam", "Adam_1")
    with described.source(tmp_path / "c", written) as source:
        halves = [
            state_readings.of(
                source, described.optimizer(), saved_optimizers.of(source, [owner])
            )
            for owner in OWNERS
        ]
    assert [len(half) for half in halves] == [1, 1]
    slots = state_readings.slots_of([*halves[0], *halves[1]])
    assert slots["m"] == {owner: f"{owner}/Adam" for owner in OWNERS}
    assert slots["v"] == {owner: f"{owner}/Adam_1" for owner in OWNERS}
