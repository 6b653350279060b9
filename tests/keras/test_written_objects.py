"""A checkpoint and the object that wrote it: whether it did, by keys and slots."""

import contextlib

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import roles
from estimator_ckpt.keras.object_plans import ConversionError
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.written_objects import WrittenObject
from estimator_ckpt.maps.assignment import AssignmentMap
from tests.keras import described
from tests.keras.described import BIAS, KERNEL


@contextlib.contextmanager
def source(path, model, *, without=(), **changed):
    """A checkpoint of what an object has, by object keys."""
    values = {held.key: held.value() for held in model.every}
    for held in model.every:
        if held.name in without:
            del values[held.key]
        if held.name in changed:
            values[held.key] = changed[held.name]
    write_bundle(path, values)
    with ec.open_checkpoint(path, names="path") as checkpoint:
        yield Source.of(checkpoint, AssignmentMap())


def test_a_counter_and_a_rate_are_read_from_it(tmp_path):
    rate = described.variable("optimizer/rate", np.float32(0.25), roles.OPTIMIZER)
    optimizer = described.optimizer(rate=rate)
    model = described.model(optimizer)
    with source(tmp_path / "c", model, **{"optimizer/iter": np.int64(8)}) as there:
        written = WrittenObject.of(model, there, with_optimizers=True)
        assert written.number(optimizer.iterations) == 8
        assert written.learning_rate(optimizer, 8) == 0.25
        assert written.learning_rate(described.optimizer(), 8) == 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"without": (KERNEL,)}, "no key "),
        ({BIAS: np.zeros([4], np.float32)}, "float32[4] there and float32[3] here"),
        ({"without": ("optimizer/iter",)}, "no key "),
    ],
)
def test_what_differs_is_said(tmp_path, change, said):
    model = described.model(described.optimizer())
    wrong = source(tmp_path / "c", model, **change)
    with wrong as there, pytest.raises(ConversionError, match="not written by") as e:
        WrittenObject.of(model, there, with_optimizers=True)
    assert said in str(e.value)


def test_optimizers_matter_only_where_they_are_asked_for(tmp_path):
    model = described.model(described.optimizer())
    with source(tmp_path / "c", described.model()) as there:
        WrittenObject.of(model, there, with_optimizers=False)
        with pytest.raises(ConversionError, match="with its optimizer"):
            WrittenObject.of(model, there, with_optimizers=True)
