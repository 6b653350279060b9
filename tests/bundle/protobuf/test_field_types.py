"""The types of fields: what stands behind a tag, and what it is."""

import pytest

from estimator_ckpt.bundle.protobuf import field_types
from estimator_ckpt.bundle.protobuf.varints import read_varint


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("INT32", -1, b"\xff" * 9 + b"\x01"),  # 64 bits, as protobuf writes it
        ("INT64", -(2**63), b"\x80" * 9 + b"\x01"),
        ("UINT64", 2**64 - 1, b"\xff" * 9 + b"\x01"),
        ("INT32", 2**31 - 1, b"\xff\xff\xff\xff\x07"),
    ],
)
def test_a_number_is_a_varint(name, value, stored):
    type = getattr(field_types, name)
    assert type.wire_type == field_types.VARINT
    assert type.write(value) == stored
    assert type.read(read_varint(stored, 0, len(stored))[0]) == value


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("FIXED32", 2**32 - 2, b"\xfe\xff\xff\xff"),
        ("FLOAT", -0.5, b"\0\0\0\xbf"),
        ("DOUBLE", 1.5, b"\0\0\0\0\0\0\xf8\x3f"),
    ],
)
def test_what_has_a_fixed_size_is_little_endian(name, value, stored):
    type = getattr(field_types, name)
    assert type.write(value) == stored
    assert type.read(stored) == value


def test_text_is_utf8_behind_its_length():
    assert field_types.STRING.write("ä") == b"\x02\xc3\xa4"
    assert field_types.STRING.read(b"\xc3\xa4") == "ä"
    with pytest.raises(ValueError, match="utf-8"):
        field_types.STRING.read(b"\xff")
    assert field_types.BYTES.write(b"x" * 200)[:2] == b"\xc8\x01"
