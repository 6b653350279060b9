"""Slots and averages are called after their variables where paths say nothing."""

from estimator_ckpt.checkpoint import contents, roles
from estimator_ckpt.checkpoint.evidence import path_names
from estimator_ckpt.checkpoint.roles import Decision

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def meaning(*names, **changes):
    found = contents.of_names([f"{name}{SUFFIX}" for name in names])
    keys = {name: f"{name}{SUFFIX}" for name in names}
    return found._replace(keys=keys, **changes)


def renamed(given, said):
    found = path_names.after_owners(given, said)
    return {key.replace(SUFFIX, ""): name for name, key in found.keys.items()}


def test_slots_are_called_after_their_variable():
    given = meaning("w", "opt/_variables/3", "opt/_variables/4", "ema/0", "it")
    said = {
        "opt/_variables/3": Decision(roles.SLOT, "", "w", "Adam_1", roles.TF1, "opt"),
        "opt/_variables/4": Decision(roles.SLOT, "", "w", "m", roles.KERAS, "opt"),
        "ema/0": Decision(
            roles.AVERAGE, "", "w", "ExponentialMovingAverage", roles.TF1
        ),
        "it": Decision(roles.GLOBAL_STEP, ""),
    }
    assert renamed(given, said) == {
        "w": "w",
        "opt/_variables/3": "w/Adam_1",
        "opt/_variables/4": "opt/w/m",
        "ema/0": "w/ExponentialMovingAverage",
        "it": "global_step",
    }


def test_paths_that_say_it_and_names_that_are_taken_stay():
    given = meaning("w", "w/.OPTIMIZER_SLOT/opt/m", "w/Adam", "v/3")
    said = {
        "w/.OPTIMIZER_SLOT/opt/m": Decision(
            roles.SLOT, "", "w", "m", roles.LEGACY, "opt"
        ),
        "v/3": Decision(roles.SLOT, "", "w", "Adam", roles.TF1, "opt"),
    }
    assert renamed(given, said) == {name: name for name in given.keys}


def test_slots_of_what_nobody_named_are_called_after_its_path():
    given = meaning("layer/w", "Variable/Adam_2", unnamed=frozenset({"layer/w"}))
    said = {"Variable/Adam_2": Decision(roles.SLOT, "", "layer/w", "Adam", roles.TF1)}
    found = path_names.after_unnamed(given, said, {})
    assert set(found.keys) == {"layer/w", "layer/w/Adam"}
