"""A checkpoint's variables under the keys of an object: what becomes of each."""

import numpy as np
import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.keras import to_objects
from estimator_ckpt.keras.object_plans import ConversionError
from estimator_ckpt.keras.object_requests import Request
from tests.keras import described
from tests.keras.described import BIAS, KERNEL
from tests.keras.test_object_requests import NOTHING


def planned(path, model, written, **asked):
    with described.source(path, written) as source:
        request = Request.of(**{**NOTHING, **asked})
        made = to_objects.plan(model, source.checkpoint, request)
        return {new.item.name: new for new in made.variables}, made


def test_the_model_and_its_counters(tmp_path):
    model = described.model(
        step=described.variable("global_step", np.int64(0), roles.GLOBAL_STEP),
        save_counter=described.variable("save_counter", np.int64(0), roles.NO_VARIABLE),
    )
    found, made = planned(tmp_path / "c", model, described.values(step=7))
    assert found[KERNEL].from_source.is_link
    assert found["global_step"].from_source.names == ("global_step",)
    assert found["save_counter"].origin.value() == 7
    assert made.graph == model.graph
    assert not made.plan.problems


def test_a_step_of_another_integer_is_written_anew(tmp_path):
    step = described.variable("global_step", np.int32(0), roles.GLOBAL_STEP)
    found, _ = planned(
        tmp_path / "c", described.model(step=step), described.values(step=7)
    )
    assert found["global_step"].origin.value() == 7


def test_strict_lists_what_is_missing_and_else_it_is_kept(tmp_path):
    written = described.values()
    del written[BIAS]
    with pytest.raises(ConversionError, match="'net/bias': "):
        planned(tmp_path / "c", described.model(), written)
    found, made = planned(tmp_path / "d", described.model(), written, strict=False)
    assert found[BIAS].keeps_value
    assert [item.name for item in made.plan.problems] == [BIAS]


def test_without_optimizer_state_the_object_s_own_values_are_written(tmp_path):
    model = described.model(described.optimizer())
    written = described.values("Adam", "Adam_1", step=3)
    found, _ = planned(tmp_path / "c", model, written, optimizer_state=False)
    slot = found[f"optimizer/m/{KERNEL}"]
    assert (slot.keeps_value, slot.item.because) == (True, "optimizer_state=False")
    assert (slot.origin.value() == -1).all()
