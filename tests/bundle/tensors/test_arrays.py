"""Arrays of stored bytes are views of them where nothing is in the way."""

import numpy as np
import pytest

from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import UnsupportedCheckpointError
from estimator_ckpt.bundle.tensors import arrays


def test_numbers_are_a_view():
    data = memoryview(np.arange(4, dtype=np.float32).tobytes())
    found = arrays.of_numbers(data, np.dtype(np.float32), swapped=False)
    assert found.tolist() == [0, 1, 2, 3]
    assert np.shares_memory(found, np.frombuffer(data, np.uint8))
    assert not found.flags.writeable


@pytest.mark.parametrize("dtype", ["int16", "float64", "complex64", "uint8"])
def test_of_the_other_byte_order_numbers_are_turned(dtype):
    values = np.array([1, 2, 300 if dtype != "uint8" else 3]).astype(dtype)
    other = values.astype(values.dtype.newbyteorder()).tobytes()
    found = arrays.of_numbers(memoryview(other), values.dtype, swapped=True)
    np.testing.assert_array_equal(found, values)


def test_what_is_not_aligned_is_copied():
    data = memoryview(b"x" + np.float64([1.5]).tobytes())[1:]
    found = arrays.of_numbers(data, np.dtype(np.float64), swapped=False)
    assert found.flags.aligned
    assert found.tolist() == [1.5]


def test_strings_keep_their_bytes():
    found = arrays.of_strings([b"a", b"", b"\xff\0"], (3, 1))
    assert found.tolist() == [[b"a"], [b""], [b"\xff\0"]]
    assert not found.flags.writeable


def test_more_dimensions_than_an_array_has():
    assert arrays.dtype_of(Entry(1, (1,) * 32)) == np.float32
    with pytest.raises(UnsupportedCheckpointError, match="it has 33 dimensions"):
        arrays.dtype_of(Entry(1, (1,) * 33))


def test_a_shape_that_holds_nothing_but_too_much_is_refused():
    with pytest.raises(UnsupportedCheckpointError, match="no array can have the shape"):
        arrays.empty((0, 2**62, 2**62), np.dtype(np.float32))
