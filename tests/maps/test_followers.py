"""Slots and averages follow the variable that they belong to."""

import pytest

from estimator_ckpt.maps import followers
from estimator_ckpt.maps.rules_by_subject import Move, Named

W = "dense/kernel"
NAMED = {W: Named((Move(W, "head/kernel"),), place=1)}


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("dense/kernel/Adam", "head/kernel/Adam"),
        ("train/dense/kernel/Adam", "train/head/kernel/Adam"),
        ("Adam/m/dense/kernel", "Adam/m/head/kernel"),
        ("dense/kernel/Adam:0", "head/kernel/Adam:0"),
        ("dense/kernel_slot_v", "head/kernel_slot_v"),  # Mesh-TensorFlow
        ("adam/dense_kernel_momentum", "adam/head_kernel_momentum"),  # Keras 3
        ("Variable_3", "Variable_3"),  # it does not say whose it is
        ("old_dense/kernel/Adam", "old_dense/kernel/Adam"),
    ],
)
def test_the_name_of_a_slot_follows(name, new):
    assert followers.following(name, W, NAMED) == [Move(name, new)]


def test_names_of_graphs_have_their_numbers():
    named = {f"{W}:0": Named((Move(f"{W}:0", "v:0"),))}
    (move,) = followers.following(f"{W}/Adam:0", f"{W}:0", named)
    assert move.new == "v/Adam:0"


def test_to_each_of_the_variable_s_names():
    named = {"w": Named((Move("w", "a"), Move("w", "b")))}
    found = followers.following("w/Adam", "w", named)
    assert [move.new for move in found] == ["a/Adam", "b/Adam"]


def test_what_belongs_to_none_stays():
    assert followers.following("x", "", NAMED) == [Move("x", "x")]


def test_the_slot_of_an_average_follows_the_averaged_variable():
    owners = {f"{W}/EMA/Adam": f"{W}/EMA", f"{W}/EMA": W}
    named = {**NAMED, f"{W}/EMA": Named()}
    assert followers.renamed_owner(f"{W}/EMA/Adam", owners, named) == W
    assert followers.renamed_owner("x", owners, named) == ""


def test_owners_in_a_circle_come_to_an_end():
    owners = {"a": "b", "b": "a"}
    assert followers.renamed_owner("a", owners, {"a": Named(), "b": Named()}) == ""


@pytest.mark.parametrize(
    ("place", "is_scope", "too_late"),
    [(2, True, True), (0, True, False), (2, False, False), (None, True, False)],
)
def test_a_scope_that_comes_after_the_variable_s_rule_is_too_late(
    place, is_scope, too_late
):
    found = Named((Move("s", "t"),), place=place, is_scope=is_scope)
    assert followers.comes_too_late(found, NAMED[W]) is too_late
    assert not followers.comes_too_late(found, None)
