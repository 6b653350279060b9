"""What a user says of roles wins, and says so."""

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence.overruled_roles import Overruled
from estimator_ckpt.checkpoint.roles import Decision, Overruling

FOUND = {
    "w": Decision(roles.TRAINABLE, "default"),
    "w/Adam": Decision(roles.SLOT, "named Adam", "w", "Adam", roles.TF1, "Adam"),
    "stat": Decision(roles.MODEL, "default"),
    "doubt": Decision(roles.MODEL, "?", is_undecided=True),
    "step": Decision(roles.GLOBAL_STEP, "named"),
}


def overruled(optimizer_state=None, model_state=None):
    return Overruled.of(FOUND, Overruling.of(optimizer_state, model_state))


def test_model_state_overrules_slots_and_doubts():
    found = overruled(model_state=["w/Adam", "doubt", "stat"])
    assert set(found.known) == {"w/Adam", "doubt"}  # `stat` is so already
    said = found.said_of(FOUND)
    assert said["w/Adam"] == Decision(roles.MODEL, "model_state says so")
    assert not said["doubt"].is_undecided


def test_optimizer_state_overrules_weights():
    found = overruled(optimizer_state=["w$", "w/Adam"])
    assert set(found.forced) == {"w"}  # `w/Adam` is so already
    assert found.said_of(FOUND)["w"].role is roles.OPTIMIZER


def test_where_evidence_then_agrees_it_is_kept_behind():
    found = overruled(optimizer_state="stat")
    then = {**FOUND, "stat": Decision(roles.SLOT, "named", "w")}
    said = found.said_of(then)["stat"]
    assert (said.role, said.owner) == (roles.SLOT, "w")
    assert said.evidence.endswith("; named")


def test_model_state_wins_and_nobody_overrules_the_global_step():
    found = overruled(optimizer_state=".*", model_state="w/Adam")
    assert set(found.known) == {"w/Adam"}
    assert "step" not in found.forced
