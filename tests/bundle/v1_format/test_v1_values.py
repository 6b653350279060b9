"""Values of one slice, out of fields that are written here by hand."""

import numpy as np
import pytest

from estimator_ckpt.bundle.errors import UnsupportedCheckpointError
from estimator_ckpt.bundle.protobuf.varints import write_varint
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.v1_format import v1_values


def field(number, content):
    return write_varint(number << 3 | 2) + write_varint(len(content)) + content


def saved(number, *contents):
    """SavedTensorSlices with data: SavedSlice, in it a TensorProto."""
    tensor = b"".join(field(number, content) for content in contents)
    return field(2, field(3, tensor))


@pytest.mark.parametrize(
    ("name", "number", "packed", "expected"),
    [
        ("float32", 5, np.float32([1.5, -2]).tobytes(), [1.5, -2]),
        ("complex64", 9, np.complex64([1 + 2j]).tobytes(), [1 + 2j]),
        ("int8", 7, b"\x01" + b"\xff" * 9 + b"\x01", [1, -1]),  # 64 bits
        ("uint16", 7, b"\xff\xff\x03", [65535]),
        ("int64", 10, b"\xac\x02", [300]),
        ("bool", 11, b"\x01\x00", [True, False]),
        ("uint64", 17, b"\xff" * 9 + b"\x01", [2**64 - 1]),
        ("float16", 13, b"\x80\x78", [1.0]),  # 0x3c00
    ],
)
def test_values_by_type(name, number, packed, expected):
    found = v1_values.decode(saved(number, packed), dtypes.named(name))
    assert found.dtype == np.dtype(name)
    assert found.tolist() == expected


def test_bfloat16_is_read_by_its_bits():
    found = v1_values.decode(saved(13, b"\x80\x7f"), dtypes.named("bfloat16"))
    assert found.astype(np.float32).tolist() == [1.0]


def test_strings_are_one_field_each():
    found = v1_values.decode(saved(8, b"a", b"", b"\xff"), dtypes.named("string"))
    assert found.tolist() == [b"a", b"", b"\xff"]


def test_values_in_several_fields_follow_one_another():
    found = v1_values.decode(saved(10, b"\x01", b"\x02\x03"), dtypes.named("int64"))
    assert found.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "number", "packed", "why"),
    [
        ("float32", 5, b"\0" * 7, "7 bytes are no float32"),
        ("int32", 7, b"\x80", "cut off"),
        ("int64", 10, b"\x80" * 10 + b"\x01", "longer than 64 bits"),
    ],
)
def test_what_holds_no_values_is_an_error(name, number, packed, why):
    with pytest.raises(ValueError, match=why):
        v1_values.decode(saved(number, packed), dtypes.named(name))


def test_a_type_that_the_format_never_had_is_named():
    with pytest.raises(UnsupportedCheckpointError, match="dtype float8_e5m2"):
        v1_values.decode(b"", dtypes.named("float8_e5m2"))
