"""Slots and averages by their families."""

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import slot_families
from tests.checkpoint.evidence.scenes import W, scene_and_names

COUNTER = {"Adam/iter": ("int64", ())}


def decided(variables):
    return slot_families.decide(*scene_and_names(variables))


@pytest.mark.parametrize(
    ("variables", "slot", "style", "optimizer"),
    [
        ({"w": W, "w/Adam_1": W}, "w/Adam_1", roles.TF1, "Adam"),
        ({"w": W, "w/adam_m": W}, "w/adam_m", roles.TF1, "adam"),
        ({"w": W, "t/w/Momentum": W}, "t/w/Momentum", roles.TF1, "t/Momentum"),
        ({"w": W, "Adam/w/m": W, **COUNTER}, "Adam/w/m", roles.LEGACY, "Adam"),
        ({"w": W, "Adam/m/w": W, **COUNTER}, "Adam/m/w", roles.KERAS, "Adam"),
        # A name that no table knows: several variables, in their shapes.
        ({"w": W, "v": W, "w/mine": W, "v/mine": W}, "v/mine", roles.TF1, "mine"),
        ({"w": W, "w/mine": W, "beta1_power": ()}, "w/mine", roles.TF1, "mine"),
    ],
)
def test_slots(variables, slot, style, optimizer):
    said = decided(variables)[slot]
    assert (said.role, said.style) == (roles.SLOT, style)
    assert said.optimizer == optimizer
    assert said.owner in variables


@pytest.mark.parametrize("called", ["average", "kernel", "ema", "moving_average"])
def test_beta_powers_tell_an_adam_that_is_called_as_something_else(called):
    variables = {"w": W, f"w/{called}": W, f"w/{called}_1": W, "beta1_power": ()}
    found = decided(variables)
    assert {said.slot for said in found.values()} == {called, f"{called}_1"}
    assert {said.role for said in found.values()} == {roles.SLOT}


def test_powers_of_another_adam_make_no_slots_of_averages():
    variables = dict.fromkeys(["w", "w/average", "w/average_1"], W)
    others = {"w/Adam": W, "w/Adam_1": W, "beta1_power": ()}
    found = decided({**variables, **others})
    assert found["w/average"].role is found["w/average_1"].role is roles.AVERAGE


def test_an_optimizer_s_own_name_can_have_steps():
    found = decided(dict.fromkeys(["w", "v", "w/D/opt", "v/D/opt"], W))
    assert found["v/D/opt"][:4] == (roles.SLOT, found["w/D/opt"].evidence, "v", "D/opt")
    parts = decided({"w": W, "w/t_0/Adagrad": W})
    assert parts["w/t_0/Adagrad"].slot == "Adagrad"


@pytest.mark.parametrize(
    "variables",
    [
        {"w": W, "w/mine": W},  # one alone
        {"w": W, "v": W, "w/kernel": W, "v/kernel": W},  # what layers call weights
        {"w": (), "v": (), "w/mine": (), "v/mine": ()},  # shapes say nothing
        {"w": W, "v": W, "w/mine": (7,), "v/mine": (7,)},
        {"w": W, "dense/w/m": W},  # in no optimizer's scope
        {"w": W, "Adam/m/w": (7, 7)},  # no counter, another shape
    ],
)
def test_what_says_too_little_is_left_open(variables):
    assert decided(variables) == {}


def test_averages_have_their_variables_shapes():
    name = "w/ExponentialMovingAverage"
    said = decided({"w": W, name: W})[name]
    assert (said.role, said.owner) == (roles.AVERAGE, "w")
    assert decided({"w": W, name: (7,)}) == {}
    assert {"ema/w", "ema/v"} == set(decided({"w": W, "v": W, "ema/w": W, "ema/v": W}))


def test_where_both_ways_fit_the_one_that_fits_more_variables_counts():
    """`Adam/v/m` is v's slot m, or m's slot v."""
    names = ("m", "v", "w", "x")
    variables = dict.fromkeys(names, W) | {f"Adam/{n}/m": W for n in names}
    variables |= {f"Adam/{n}/v": W for n in names} | COUNTER
    found = decided(variables)
    assert found["Adam/x/m"].owner == "x"
    assert found["Adam/v/m"].owner == "v"


@pytest.mark.parametrize(
    ("shape", "whole", "is_part"),
    [
        ((3,), (3, 4), True),  # Adafactor's row sums
        ((4,), (3, 4), True),
        ((3, 1), (3, 4), True),
        ((5,), (3, 4), False),
        ((3, 4), (3, 4, 5, 6), False),
    ],
)
def test_sums_over_an_axis_are_parts(shape, whole, is_part):
    assert slot_families._is_part(shape, whole) is is_part


def test_what_could_be_slots_all_the_same_is_doubtful():
    scene, names = scene_and_names({"w": W, "w/mine": W, "w/kernel": W})
    found = slot_families.doubtful(scene, names, {})
    assert set(found) == {"w/mine"}
    assert found["w/mine"].is_undecided
    assert found["w/mine"].role is roles.MODEL
