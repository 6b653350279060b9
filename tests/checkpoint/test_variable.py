"""A variable as every floor sees it."""

import dataclasses

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.variable import StoredVariable, Variable

FACTS = {
    "name": "w/Adam",
    "dtype": "float32",
    "shape": (2, 3),
    "role": roles.SLOT,
    "key": "k",
    "size": 24,
    "owner": "w",
    "optimizer": "Adam",
    "is_undecided": False,
    "slot": "Adam",
    "shard": 0,
    "offset": 8,
    "num_slices": 0,
}


def test_made_in_either_way_it_is_the_same():
    made = StoredVariable.of(dict(FACTS))
    assert made == StoredVariable(**FACTS)
    assert hash(made) == hash(StoredVariable(**FACTS))
    assert repr(made) == repr(StoredVariable(**FACTS))
    assert set(FACTS) == {field.name for field in dataclasses.fields(StoredVariable)}
    defaults = {"is_undecided": False, "num_slices": 0}
    few = {name: FACTS[name] for name in FACTS if name not in defaults}
    assert StoredVariable.of(few) == made
    assert hash(StoredVariable.of(few)) == hash(made)
    assert repr(StoredVariable.of(few)) == repr(made)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = "v"


def test_what_it_says_of_itself():
    assert str(StoredVariable(**FACTS)) == "float32[2, 3]"
    assert str(Variable("w", "int64", None)) == "int64?"


def test_slots_have_an_owner_and_averages_are_none():
    made = StoredVariable(**FACTS)
    assert made.slot_of == "w"
    assert dataclasses.replace(made, role=roles.AVERAGE).slot_of is None
