"""Where tensors come from: links, layout rules, changed numbers, computed ones."""

import numpy as np
import pytest

from estimator_ckpt.checkpoint.optimizers.slot_changes import Change
from estimator_ckpt.keras import tensor_origins
from estimator_ckpt.keras.tensor_origins import Computed, FromSource
from tests.keras import described
from tests.keras.described import KERNEL


@pytest.fixture
def checkpoint(tmp_path):
    written = {**described.values(), "half": np.float16([1, 2, 3])}
    with described.source(tmp_path / "c", written) as source:
        yield source.checkpoint


def made(origin, checkpoint):
    return tensor_origins.array_of(origin, checkpoint)


def test_a_link_is_the_variable_itself(checkpoint):
    origin = FromSource((KERNEL,))
    assert origin.is_link
    np.testing.assert_array_equal(made(origin, checkpoint), checkpoint.read(KERNEL))
    assert str(origin) == f"from '{KERNEL}'"


def test_numbers_change_in_their_own_precision(checkpoint):
    origin = FromSource(("half",), change=Change(factor=1 / 3, offset=1))
    expected = np.float16([1, 2, 3]) * np.float16(1 / 3) + np.float16(1)
    assert made(origin, checkpoint).dtype == np.float16
    np.testing.assert_array_equal(made(origin, checkpoint), expected)
    assert not origin.is_link
    assert str(origin) == "from 'half', times 0.333333, plus 1"


def test_a_change_and_its_inverse_give_the_number_back():
    change = Change(factor=-0.5, offset=2.0)
    back = change.inverse
    for number in (0.0, 1.0, -7.5):
        there = number * change.factor + change.offset
        assert there * back.factor + back.offset == number


@pytest.mark.parametrize(
    "value", [np.int64(7), np.array([[1.5, 2.5]], "float32"), np.array(True)]
)
def test_what_is_computed_has_its_own_dtype_and_shape(checkpoint, value):
    dtype = {"int64": "int64", "float32": "float32", "bool": "bool"}[value.dtype.name]
    origin = Computed(dtype, value.shape, lambda: value)
    found = made(origin, checkpoint)
    assert (found.dtype, found.shape) == (value.dtype, value.shape)
    np.testing.assert_array_equal(found, value)
    tensor = origin.tensor(checkpoint)
    assert b"".join(map(bytes, tensor.chunks())) == value.tobytes()


def test_strings_go_over_as_an_array(checkpoint):
    words = np.array([b"a", b"bc"], object)
    tensor = Computed("string", (2,), lambda: words).tensor(checkpoint)
    (found,) = tensor.chunks()
    assert found is words
