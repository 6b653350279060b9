"""A loss scale goes over with its counter, or it is said that it does not."""

import numpy as np
import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.keras.objects.descriptions import LossScale
from estimator_ckpt.keras.optimizers import loss_scales
from tests.keras import described


@pytest.fixture
def wanted():
    return LossScale(
        described.variable("scale", np.float32(1), roles.LOSS_SCALE),
        described.variable("steps", np.int64(0), roles.LOSS_SCALE),
    )


def loss_scale(scope=""):
    return {
        f"{scope}current_loss_scale": np.float32(1024),
        f"{scope}good_steps": np.int32(17),
    }


def test_both_go_over_whatever_their_dtype(tmp_path, wanted):
    with described.source(tmp_path / "c", described.values(**loss_scale())) as source:
        scale, steps = loss_scales.carried(wanted, source)
        assert scale.from_source.names == ("current_loss_scale",)
        assert steps.from_source is None  # int32 there, int64 here
        assert steps.origin.value() == 17
        optimizer = described.optimizer(loss_scale=wanted)
        assert loss_scales.remarks(described.model(optimizer), source) == []


def test_none_there_keeps_the_object_s(tmp_path, wanted):
    with described.source(tmp_path / "c", described.values()) as source:
        for variable in loss_scales.carried(wanted, source):
            assert variable.keeps_value
            assert variable.item.because == "no loss scale there"


def test_one_that_nobody_takes_is_said(tmp_path):
    with described.source(tmp_path / "c", described.values(**loss_scale())) as source:
        (said,) = loss_scales.remarks(described.model(described.optimizer()), source)
    assert "'current_loss_scale' is left out" in said


def test_of_several_none_is_taken(tmp_path, wanted):
    written = described.values(**loss_scale("a/"), **loss_scale("b/"))
    with described.source(tmp_path / "c", written) as source:
        scale, _ = loss_scales.carried(wanted, source)
        assert scale.keeps_value
        model = described.model(described.optimizer(loss_scale=wanted))
        (said,) = loss_scales.remarks(model, source)
    assert said.startswith("Adam: there are several loss scales")
