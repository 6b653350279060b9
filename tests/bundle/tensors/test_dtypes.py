"""The table of types, against TensorFlow's."""

import numpy as np
import pytest

from estimator_ckpt.bundle.errors import UnsupportedCheckpointError
from estimator_ckpt.bundle.tensors import dtypes

# What TensorFlow 2.15 does not have as a type of tensors yet.
_NEWER = (
    "float8_e4m3fnuz",
    "float8_e4m3b11fnuz",
    "float8_e5m2fnuz",
    "int2",
    "uint2",
)
_KNOWN = [dtype for dtype in dtypes.DTYPES.values() if dtype.name not in _NEWER]


@pytest.mark.parametrize("dtype", _KNOWN, ids=lambda dtype: dtype.name)
def test_names_and_sizes_are_those_of_tensorflow(dtype):
    import tensorflow as tf

    theirs = tf.as_dtype(dtype.number)
    assert dtype.name == theirs.name
    assert (dtype.size or 0) == theirs.size


@pytest.mark.parametrize("dtype", _KNOWN, ids=lambda dtype: dtype.name)
def test_arrays_have_the_type_that_tensorflow_gives_them(dtype):
    import tensorflow as tf

    if dtype.name in ("resource", "variant"):
        with pytest.raises(UnsupportedCheckpointError, match="only TensorFlow"):
            _ = dtype.numpy
        return
    theirs = np.dtype(tf.as_dtype(dtype.number).as_numpy_dtype)
    if theirs.names:  # TensorFlow wraps the quantized types in a structure.
        theirs = theirs[0]
    assert dtype.numpy == theirs


@pytest.mark.parametrize("dtype", _KNOWN, ids=lambda dtype: dtype.name)
def test_a_type_is_found_by_name_and_by_array(dtype):
    assert dtypes.named(dtype.name) is dtype
    if dtype.alias is not None and not dtype.name.startswith(("q", "uq")):
        assert dtypes.of_array(np.zeros(3, dtype.numpy)) in (dtype, _plain(dtype))


def _plain(dtype):
    """The quantized types cannot be told from integers by an array."""
    return dtypes.named(dtype.name.replace("quint", "uint"))


def test_text_and_bytes_are_strings():
    for array in (np.array(["a"]), np.array([b"a"]), np.array([b"a"], object)):
        assert dtypes.of_array(array).name == "string"


def test_a_number_from_the_future_has_a_name_but_no_array():
    dtype = dtypes.of(99)
    assert dtype.name == "dtype99"
    assert dtype.size is None
    with pytest.raises(UnsupportedCheckpointError, match="dtype99"):
        _ = dtype.numpy


def test_what_tensorflow_has_no_type_for_is_refused():
    with pytest.raises(ValueError, match="datetime64"):
        dtypes.of_array(np.zeros(1, "datetime64[s]"))
    with pytest.raises(ValueError, match="float31"):
        dtypes.named("float31")
