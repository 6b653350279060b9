"""What a user asks of names, checked once."""

import pytest

from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.conversion.chosen_names import Naming
from estimator_ckpt.maps.filters import PatternError
from estimator_ckpt.maps.map_rules import AssignmentMapError

NOTHING = {
    "names": "full_name",
    "root": None,
    "step": "global_step",
    "assignment_map": None,
    "include": None,
    "exclude": None,
}


def test_nothing_asked_for_is_the_default():
    found = Naming.of(**NOTHING)
    assert found.names_by is NamesBy.FULL_NAME
    assert found.chosen.keeps_all
    assert not found.assignment_map
    assert not found.overruling
    default = Naming()
    assert (found.root, found.step) == (default.root, default.step)


def test_each_thing_asked_for_is_there():
    found = Naming.of(
        names="path",
        root="vars",
        step=None,
        assignment_map={"a": "b"},
        include="a",
        exclude=["a/x"],
        optimizer_state="a/slot",
        model_state="b",
    )
    assert (found.names_by, found.root, found.step) == (NamesBy.PATH, "vars", None)
    assert [n for n in ("a", "a/x", "b") if found.chosen.keeps(n)] == ["a"]
    renamed = found.assignment_map.rename({"a": None}, source="here")
    assert dict(renamed.pairs) == {"a": "b"}
    assert found.overruling.is_optimizer_state("a/slot") is True
    assert found.overruling.is_optimizer_state("b") is False


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"names": "bogus"}, ValueError),
        ({"include": "("}, PatternError),
        ({"exclude": ["ok", "["]}, PatternError),
        ({"assignment_map": 3}, AssignmentMapError),
        ({"optimizer_state": "("}, ValueError),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(wrong, error):
    with pytest.raises(error):
        Naming.of(**{**NOTHING, **wrong})
