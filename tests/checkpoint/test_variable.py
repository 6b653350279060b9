"""A variable as every floor sees it."""

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


def test_of_a_checkpoint_it_is_one_more_kind_of_variable():
    made = StoredVariable(**FACTS)
    assert isinstance(made, Variable)
    assert set(FACTS) == set(StoredVariable._fields)
    assert isinstance(made._replace(name="v"), StoredVariable)
    with pytest.raises(AttributeError):
        made.name = "v"
    with pytest.raises(AttributeError):
        made.anything = "v"


def test_what_it_says_of_itself():
    assert str(StoredVariable(**FACTS)) == "float32[2, 3]"
    assert str(Variable("w", "int64", None)) == "int64?"


def test_slots_have_an_owner_and_averages_are_none():
    made = StoredVariable(**FACTS)
    assert made.slot_of == "w"
    assert made._replace(role=roles.AVERAGE).slot_of is None
