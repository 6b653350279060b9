"""What becomes of each variable in a new model dir's first checkpoint."""

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import formats
from estimator_ckpt.conversion import first_plans
from estimator_ckpt.conversion.first_plans import FirstCheckpoint
from estimator_ckpt.maps.choices import Choice
from estimator_ckpt.maps.plans import Verdict

VALUES = {
    "w": np.zeros([2], np.float32),
    "w/Adam": np.zeros([2], np.float32),
    "w/Adam_1": np.zeros([2], np.float32),
    "beta1_power": np.float32(0.9),
    "beta2_power": np.float32(0.999),
    "global_step": np.int64(7),
}


@pytest.fixture
def checkpoint(tmp_path):
    write_bundle(tmp_path / "old", VALUES)
    with ec.open_checkpoint(tmp_path / "old") as opened:
        yield opened


def verdicts(checkpoint, **options):
    strict = options.pop("strict", False)
    first = FirstCheckpoint("new", Choice.of(**options), strict=strict)
    plan = first_plans.plan(checkpoint, first)
    return {item.name: item.verdict for item in plan.items}, plan


def test_all_but_the_step_is_carried(checkpoint):
    found, plan = verdicts(checkpoint, carry="all")
    assert found.pop("global_step") is Verdict.RESET
    assert set(found.values()) == {Verdict.CARRIED}
    assert plan.target == "new"


def test_a_slot_goes_by_its_variable_s_new_name(checkpoint):
    _, plan = verdicts(checkpoint, carry="all", assignment_map={"w": "v"})
    items = {item.name: item for item in plan.items}
    assert items["v/Adam"].verdict is Verdict.RENAMED
    assert items["v/Adam"].target.owner == "v"


def test_model_leaves_the_optimizer_out(checkpoint):
    found, _ = verdicts(checkpoint, carry="model")
    assert {name for name, v in found.items() if v.is_carried} == {"w"}


def test_nothing_to_carry_is_an_error(checkpoint):
    with pytest.raises(ec.CheckpointError, match="none of its 6 variables is carried"):
        verdicts(checkpoint, carry="model", exclude="w$")


def test_strict_refuses_what_matches_nothing(checkpoint):
    _, plan = verdicts(checkpoint, carry="all", exclude="none")
    assert plan.unused == ("the pattern 'none' matches no variable",)
    with pytest.raises(
        ec.CheckpointError, match=r"'none' matches no variable \(strict"
    ):
        verdicts(checkpoint, carry="all", exclude="none", strict=True)


def test_no_plan_has_a_problem_whatever_is_chosen(checkpoint):
    """The target is made of the source, so a dry run has nothing to exit with 1 for."""
    for options in (
        {"carry": "all", "reset": "w/"},
        {"carry": "model"},
        {"carry": "all", "assignment_map": {"w": "v"}, "include": "v"},
    ):
        _, plan = verdicts(checkpoint, **options)
        assert not plan.problems


def test_the_step_is_a_new_one_in_the_moves(checkpoint):
    _, plan = verdicts(checkpoint, carry="all")
    moves = first_plans.moves_of(checkpoint, plan, formats.TF1, None)
    assert moves.added.fresh_step == (b"global_step",)
    assert moves.new_keys[b"global_step"] == ()
    assert moves.new_keys[b"w/Adam"] == (b"w/Adam",)
