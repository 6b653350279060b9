"""Varints are protobuf's, and end where they have to."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator_ckpt.bundle.protobuf import varints


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (2**64 - 1, "ffffffffffffffffff01"),
    ],
)
def test_varints_are_protobufs(value, code):
    data = bytes.fromhex(code)
    assert varints.write_varint(value) == data
    assert varints.read_varint(data, 0, len(data)) == (value, len(data))


@pytest.mark.parametrize("code", ["", "80", "ffffffffffffffffff"])
def test_a_varint_that_is_cut_off_is_refused(code):
    data = bytes.fromhex(code)
    with pytest.raises(ValueError, match="cut off"):
        varints.read_varint(data, 0, len(data))


@pytest.mark.parametrize("code", ["ffffffffffffffffff02", "80" * 10 + "01"])
def test_a_varint_of_more_than_64_bits_is_refused(code):
    data = bytes.fromhex(code)
    with pytest.raises(ValueError, match="64 bits"):
        varints.read_varint(data, 0, len(data))


@pytest.mark.parametrize("code", ["8000", "ff8000"])
def test_a_varint_that_is_padded_is_refused(code):
    data = bytes.fromhex(code)
    with pytest.raises(ValueError, match="padded"):
        varints.read_varint(data, 0, len(data))


def test_a_varint_does_not_reach_over_its_end():
    with pytest.raises(ValueError, match="cut off"):
        varints.read_varint(b"\x80\x01", 0, 1)


def test_a_negative_number_is_written_as_64_bits():
    assert varints.write_varint(-1) == b"\xff" * 9 + b"\x01"


@given(st.lists(st.integers(0, 2**64 - 1)), st.integers(0, 9), st.integers(0, 30))
def test_many_are_read_at_once(values, cut, most):
    data = b"".join(map(varints.write_varint, values))
    data = data[: max(len(data) - cut, 0)]
    found, used = varints.read_varints(data, most)
    assert found == array("Q", values[: len(found)])
    assert b"".join(map(varints.write_varint, found)) == data[:used]
    assert len(found) == most or not any(byte < 0x80 for byte in data[used:])
