"""What optimizers keep once, and whose each beta power is."""

from estimator_ckpt.checkpoint.evidence import optimizer_scopes, slot_families
from tests.checkpoint.evidence.scenes import W, scene_and_names

COUNTER = ("int64", ())


def powers(variables, **options):
    scene, names = scene_and_names(variables, **options)
    decided = slot_families.decide(scene, names)
    return optimizer_scopes.decide_powers(scene, names, decided)


def settings(variables):
    scene, names = scene_and_names(variables)
    return optimizer_scopes.decide_settings(names, slot_families.decide(scene, names))


def test_settings_in_the_scope_of_a_legacy_optimizer():
    variables = {"w": W, "Adam/w/m": W, "Adam/iter": COUNTER, "Adam/decay": ()}
    found = settings({**variables, "dense/decay": ()})
    assert {name: said.optimizer for name, said in found.items()} == {
        "Adam/iter": "Adam",
        "Adam/decay": "Adam",
    }


def test_a_scope_of_any_name_that_keeps_what_a_legacy_one_does():
    kept = {"mine/iter": COUNTER, "mine/decay": (), "mine/learning_rate": ()}
    assert set(settings(kept)) == set(kept)
    assert settings({**kept, "mine/kernel": W}) == {}  # it has something else


def test_what_newer_ones_keep_in_no_scope_counts_beside_their_slots():
    kept = {"iteration": COUNTER, "learning_rate": ()}
    assert set(settings({"w": W, "Adam/m/w": W, **kept})) == set(kept)
    assert settings({"w": W, **kept}) == {}


def test_the_only_optimizer_with_powers_has_them():
    variables = {"w": W, "v": W, "w/Adam": W, "v/Momentum": W, "beta1_power": ()}
    assert powers(variables)["beta1_power"].optimizer == "Adam"


def test_two_of_one_scope_each_are_told_by_their_scopes():
    variables = {"a": W, "b": W, "g/a/Adam": W, "d/b/Adam": W}
    variables |= {"g/beta1_power": (), "d/beta1_power": ()}
    found = powers(variables)
    assert found["g/beta1_power"].optimizer == "g/Adam"
    assert found["d/beta1_power"].optimizer == "d/Adam"


def test_two_of_one_name_are_told_by_the_order_in_which_a_graph_made_them():
    order = ["a", "b", "beta1_power", "a/Adam", "beta1_power_1", "b/Adam"]
    variables = {name: () if "power" in name else W for name in order}
    found = powers(variables, order=order)
    assert found["beta1_power"].optimizer == found["a/Adam"].optimizer
    assert found["beta1_power_1"].optimizer == found["b/Adam"].optimizer
    assert found["a/Adam"].optimizer != found["b/Adam"].optimizer
    assert powers(variables)["beta1_power"].optimizer is None  # nobody knows
