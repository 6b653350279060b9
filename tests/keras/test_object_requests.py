"""What a user asks of a conversion for an object, checked once."""

import numpy as np
import pytest

from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.keras import object_requests
from estimator_ckpt.keras.object_plans import ConversionError
from estimator_ckpt.keras.object_requests import Request
from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from estimator_ckpt.maps.map_rules import AssignmentMapError
from tests.keras import described

NOTHING = {
    "names": "full_name",
    "assignment_map": None,
    "layouts": None,
    "optimizer_state": True,
    "model_state": None,
    "iterations": None,
    "input_shape": None,
    "strict": True,
    "save_counter": True,
}


@pytest.mark.parametrize(
    ("given", "converts", "overrules"),
    [(True, True, False), (False, False, False), (["a/.*"], True, True)],
)
def test_optimizer_state_is_a_choice_or_says_what_is_one(given, converts, overrules):
    found = Request.of(**{**NOTHING, "optimizer_state": given})
    assert found.optimizer_state is converts
    assert bool(found.overruling) is overrules


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"names": "bogus"}, ValueError),
        ({"assignment_map": 3}, AssignmentMapError),
        ({"layouts": [{"kind": "no_such_rule"}]}, LayoutRuleError),
        ({"model_state": "("}, ValueError),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(wrong, error):
    with pytest.raises(error):
        Request.of(**{**NOTHING, **wrong})


def test_the_source_is_called_as_asked_unless_the_object_says(tmp_path):
    write_bundle(tmp_path / "c", {"v": np.float32(1)})
    request = Request.of(**NOTHING)
    with object_requests.opened(tmp_path / "c", request) as checkpoint:
        assert list(checkpoint) == ["v"]
    with object_requests.opened(tmp_path / "c", request, NamesBy.PATH) as checkpoint:
        assert list(checkpoint) == ["v"]


def test_steps_are_those_of_each_optimizer_by_its_path():
    model = described.model(
        described.optimizer(path="a"), described.optimizer(path="b")
    )
    assert object_requests.steps_by_path(model, None) == {}
    assert object_requests.steps_by_path(model, 3) == {"a": 3, "b": 3}
    assert object_requests.steps_by_path(model, {"b": 4}) == {"b": 4}
    with pytest.raises(ConversionError, match=r"iterations names 'c'.*'a', 'b'"):
        object_requests.steps_by_path(model, {"c": 1})
