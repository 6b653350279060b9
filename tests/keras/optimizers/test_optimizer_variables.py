"""What becomes of an optimizer's variables: slots, counter and averages."""

import numpy as np
import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.keras import object_plans
from estimator_ckpt.keras.object_plans import ConversionError
from estimator_ckpt.keras.optimizers import optimizer_variables
from estimator_ckpt.keras.tensor_origins import FromSource
from estimator_ckpt.maps.plans import Verdict
from tests.keras import described
from tests.keras.described import BIAS, KERNEL

POWERS = {"beta1_power": np.float32(0.9**4), "beta2_power": np.float32(0.99**4)}


def of(path, optimizer, written, names=(KERNEL, BIAS), steps=None):
    with described.source(path, written) as source:
        model = {
            name: object_plans.decided(
                held, FromSource((name,)) if name in names else None, source
            )
            for name, held in described.model().variables.items()
        }
        found, said = optimizer_variables.of(optimizer, source, model, steps, False)
    return {variable.item.name: variable for variable in found}, said


def test_slots_are_links_and_the_counter_the_steps(tmp_path):
    written = described.values("Adam", "Adam_1", step=3, **POWERS)
    found, said = of(tmp_path / "c", described.optimizer(), written)
    assert found[f"optimizer/m/{KERNEL}"].from_source.names == (f"{KERNEL}/Adam",)
    assert found[f"optimizer/v/{BIAS}"].from_source.is_link
    assert found["optimizer/iter"].origin.value() == 3
    assert said == []


def test_a_variable_that_the_source_lacks_keeps_its_slots(tmp_path):
    written = described.values("Adam", "Adam_1", step=3, **POWERS)
    found, _ = of(tmp_path / "c", described.optimizer(), written, names=(KERNEL,))
    slot = found[f"optimizer/m/{BIAS}"]
    assert slot.keeps_value
    assert slot.item.because == "its variable keeps its own value"


def test_slots_that_the_source_lacks_start_anew_and_it_is_said(tmp_path):
    written = described.values("Adam", "Adam_1", step=3, **POWERS)
    for suffix in ("Adam", "Adam_1"):
        del written[f"{BIAS}/{suffix}"]
    found, (said,) = of(tmp_path / "c", described.optimizer(), written)
    assert found[f"optimizer/m/{BIAS}"].keeps_value
    assert f"no slots for '{BIAS}'" in said


def test_none_of_the_variables_there_keeps_all(tmp_path):
    found, said = of(tmp_path / "c", described.optimizer(), {"w": np.ones(1)}, ())
    assert said == []
    assert all(variable.keeps_value for variable in found.values())


def test_an_average_is_the_source_s_or_its_variable_s_value(tmp_path):
    average = {
        name: described.variable(
            f"average/{name}", np.zeros(shape, "f4"), roles.AVERAGE
        )
        for name, shape in described.SHAPES.items()
    }
    written = described.values("Adam", "Adam_1", step=3, **POWERS)
    written[f"{KERNEL}/ExponentialMovingAverage"] = written[KERNEL]
    found, _ = of(tmp_path / "c", described.optimizer(averages=average), written)
    assert found[f"average/{KERNEL}"].from_source.names == (
        f"{KERNEL}/ExponentialMovingAverage",
    )
    assert found[f"average/{BIAS}"].from_source.names == (BIAS,)


def test_a_slot_of_another_shape_is_a_problem_that_names_both(tmp_path):
    written = described.values("Adam", "Adam_1", step=3, **POWERS)
    written[f"{BIAS}/Adam"] = np.zeros([4], np.float32)
    written[f"{BIAS}/Adam_1"] = np.zeros([4], np.float32)
    found, _ = of(tmp_path / "c", described.optimizer(), written)
    slot = found.get(f"optimizer/m/{BIAS}")
    assert slot.keeps_value
    assert slot.item.verdict in (Verdict.SHAPE_MISMATCH, Verdict.RESET)


def test_steps_that_nothing_tells_are_asked_for(tmp_path):
    written = described.values("Adagrad")
    adagrad = described.optimizer("Adagrad", ("accumulator",))
    with pytest.raises(ConversionError, match="says nowhere how many steps"):
        of(tmp_path / "c", adagrad, written)
    found, _ = of(tmp_path / "d", adagrad, written, steps=4)
    assert found["optimizer/iter"].origin.value() == 4
