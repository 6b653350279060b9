"""What the two sides of a plan are: read once, whatever the target is."""

import os

import pytest

from estimator_ckpt.bundle.errors import CheckpointNotFoundError
from estimator_ckpt.checkpoint.roles import AS_FOUND, Role
from estimator_ckpt.planning import plan_sides
from estimator_ckpt.planning.plan_sides import NO_GRAPH, ReadBy
from tests.testdata_paths import PREFIXES

DIGITS = PREFIXES["digits/model.ckpt-300"]
READ_BY = ReadBy("full_name", AS_FOUND)


def sides_of(source, target):
    return plan_sides.sides_of(source, target, READ_BY, NO_GRAPH)


def test_of_two_checkpoints_both_are_read_by_name():
    old, new = sides_of(DIGITS, os.path.dirname(DIGITS))
    assert (old.name, new.name) == (str(DIGITS), str(DIGITS))
    assert dict(old.variables) == dict(new.variables)
    assert old.variables["global_step"].role is Role.GLOBAL_STEP
    assert not old.is_of_objects


def test_the_order_of_a_checkpoint_is_that_of_its_graph():
    old, _ = sides_of(DIGITS, DIGITS)
    assert old.order().index("conv1/kernel") < old.order().index("conv2/kernel")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (7, "a checkpoint's path, a model_fn or a trackable object, not 7"),
        (lambda features, labels, mode: None, "needs an input_fn"),
    ],
)
def test_other_targets_are_refused(target, said):
    with pytest.raises(ValueError, match=said):
        sides_of(DIGITS, target)


def test_a_source_must_be_there(tmp_path):
    with pytest.raises(CheckpointNotFoundError):
        sides_of(tmp_path / "nothing", DIGITS)
