"""What a conversion for an object writes, and what it says of it."""

import numpy as np
import pytest

from estimator_ckpt.keras import object_plans
from estimator_ckpt.keras.object_plans import ConversionError, ObjectPlan
from estimator_ckpt.keras.tensor_origins import FromSource
from estimator_ckpt.maps.plans import Verdict
from tests.conversion.named_moves import names_of, new_names
from tests.keras import described
from tests.keras.described import BIAS, KERNEL


@pytest.fixture
def source(tmp_path):
    written = {**described.values(), "other": np.ones([7], np.float32)}
    with described.source(tmp_path / "c", written) as opened:
        yield opened


def test_a_variable_of_its_shape_is_carried(source):
    model = described.model()
    made = object_plans.decided(model.variables[KERNEL], FromSource((KERNEL,)), source)
    assert made.item.verdict is Verdict.CARRIED
    assert made.from_source.is_link
    assert made.key == model.variables[KERNEL].key


@pytest.mark.parametrize("origin", [None, FromSource((KERNEL,))])
def test_what_does_not_fit_keeps_its_value_and_is_a_problem(source, origin):
    made = object_plans.decided(described.model().variables[BIAS], origin, source)
    assert made.item.verdict.is_problem
    assert made.keeps_value
    with pytest.raises(ConversionError, match="'net/bias': ") as caught:
        object_plans.require_complete([made], source, "the model")
    assert "The source has left: " in str(caught.value)
    assert "--nostrict" in str(caught.value)


def test_a_counter_gets_the_steps_or_keeps_its_own():
    counter = described.variable("iter", np.int64(3))
    assert object_plans.counted(counter, 9).origin.value() == 9
    assert object_plans.counted(counter, 1).item.because == "1 step"
    kept = object_plans.counted(counter, None)
    assert (kept.keeps_value, kept.origin.value()) == (True, 3)


def test_a_plan_links_what_it_can_and_writes_the_rest(source):
    model = described.model()
    variables = (
        object_plans.decided(model.variables[KERNEL], FromSource((KERNEL,)), source),
        object_plans.kept(model.variables[BIAS]),
    )
    made = ObjectPlan(source, model.called, model.graph, variables, ("said",))
    moves = made.key_moves()
    assert new_names(moves) == {KERNEL: (model.variables[KERNEL].key,)}
    assert names_of(moves.added.written) == (model.variables[BIAS].key,)
    assert moves.added.graph == model.graph
    plan = made.plan
    unused = {i.name for i in plan.items if i.verdict is Verdict.UNUSED}
    assert unused == {"other", BIAS}
    assert plan.unused == ("said",)
