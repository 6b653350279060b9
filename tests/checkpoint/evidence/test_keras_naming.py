"""Slots under names of Keras that are no families."""

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import keras_naming
from tests.checkpoint.evidence.scenes import W, scene_and_names

COUNTER = ("int64", ())


def test_the_path_of_a_slot_says_all():
    name = "model/w/.OPTIMIZER_SLOT/opt/m"
    _, names = scene_and_names({name: W})
    said = keras_naming.decide_slot_paths(names)[name]
    assert (said.owner, said.slot, said.optimizer) == ("model/w", "m", "opt")


def test_below_the_path_of_an_optimizer_all_is_its_own_but_what_it_trains():
    scene, names = scene_and_names(
        {
            "opt/_iterations": COUNTER,
            "opt/_variables/1": W,
            "opt/_learning_rate": (),
            "opt/_trainable_variables/0": W,
            "dense/_variables/0": W,
        }
    )
    found = keras_naming.decide_below(scene, names)
    assert {name: said.role for name, said in found.items()} == {
        "opt/_iterations": roles.OPTIMIZER,
        "opt/_variables/1": roles.SLOT,
        "opt/_learning_rate": roles.OPTIMIZER,
        "opt/_trainable_variables/0": roles.TRAINABLE,
    }


def test_iterations_alone_make_no_optimizer():
    scene, names = scene_and_names({"x/_iterations": COUNTER, "x/kernel": W})
    assert keras_naming.decide_below(scene, names) == {}


def test_slots_of_keras_3_have_their_variable_s_name_with_underscores():
    variables = {"dense/kernel": W, "adam/iteration": COUNTER, "adam/learning_rate": ()}
    scene, names = scene_and_names({**variables, "adam/dense_kernel_momentum": W})
    (name, said), *others = keras_naming.decide_flat(scene, names, {}).items()
    assert name == "adam/dense_kernel_momentum"
    assert (said.owner, said.slot, said.style) == (
        "dense/kernel",
        "momentum",
        roles.KERAS_3,
    )
    assert others == []


def test_in_no_optimizer_s_scope_they_are_names_like_any():
    scene, names = scene_and_names({"dense/kernel": W, "x/dense_kernel_momentum": W})
    assert keras_naming.decide_flat(scene, names, {}) == {}
