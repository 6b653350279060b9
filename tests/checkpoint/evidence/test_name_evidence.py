"""What names say together: whose each is, what a user forces, what is in doubt."""

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import name_evidence
from tests.checkpoint.evidence.scenes import W, scene


def decided(variables, **options):
    return name_evidence.decide(scene(variables, **options))


def test_an_optimizer_s_state_is_found_whole():
    variables = {"w": W, "w/Adam": W, "w/Adam_1": W}
    variables |= {"beta1_power": (), "beta2_power": ()}
    found = decided(variables)
    assert {name: str(said.role) for name, said in found.items()} == {
        "w/Adam": "slot",
        "w/Adam_1": "slot",
        "beta1_power": "optimizer",
        "beta2_power": "optimizer",
    }
    assert {said.optimizer for said in found.values()} == {"Adam"}


def test_what_a_user_says_is_optimizer_state_is_whose_it_seems():
    found = decided({"w": W, "w/mine": W, "x": W}, forced={"w/mine", "x"})
    assert (found["w/mine"].role, found["w/mine"].owner) == (roles.SLOT, "w")
    assert (found["x"].role, found["x"].owner) == (roles.OPTIMIZER, None)
    assert found["x"].evidence == name_evidence.FORCED


@pytest.mark.parametrize(
    ("variables", "name", "why"),
    [
        ({"layer/learning_rate": ()}, "layer/learning_rate", "in no optimizer's scope"),
        ({"gone/Adam": W}, "gone/Adam", "but its variable is not there"),
        ({"w": W, "w/mine": W}, "w/mine", "stands under 'w', in its shape"),
    ],
)
def test_what_is_in_doubt_is_model_state_that_says_so(variables, name, why):
    said = decided(variables)[name]
    assert (said.role, said.is_undecided) == (roles.MODEL, True)
    assert why in said.evidence


def test_of_weights_nothing_is_said():
    assert decided({"dense/kernel": W, "dense/bias": (4,)}) == {}
