"""Fields as they are met in a message: how a value is taken, and where it goes."""

from array import array

import pytest

from estimator_ckpt.bundle.protobuf.declarations import NONE, Declaration
from estimator_ckpt.bundle.protobuf.field_types import BYTES, FIXED32, INT64, Field

FIELDS = (
    Field(1, INT64),
    Field(2, FIXED32, default=None),
    Field(3, BYTES),
    Field(4, INT64, repeated=True),
    Field(5, BYTES, repeated=True),
)
DECLARATION = Declaration(FIELDS)


def test_places_are_found_by_tags():
    found = {tag: place.slot for tag, place in DECLARATION.places.items()}
    # Numbers that are repeated are packed or not: wire type 2 or 0.
    packed = {4 << 3 | 2: 3}
    assert found == {8: 0, 2 << 3 | 5: 1, 3 << 3 | 2: 2, 4 << 3: 3, 42: 4, **packed}
    assert DECLARATION.defaults == [0, None, b"", NONE, NONE]
    assert DECLARATION.lists == [4]


@pytest.mark.parametrize(
    ("tag", "data", "taken"),
    [
        (8, b"?\x07", (7, 2)),
        (8, b"?\xac\x02", (300, 3)),
        (8, b"?" + b"\xff" * 9 + b"\x01", (-1, 11)),
        (8, b"?\x80\x00", (0, 3)),  # zeros at the end do no harm
        (21, b"?\x01\0\0\x80", (2**31 + 1, 5)),
        (26, b"?\x02ab", (b"ab", 4)),
        (26, b"?\x05ab", (None, 7)),  # beyond the bytes: it means nothing
        (21, b"?\x01", (None, 5)),
        (34, b"?\x03\x01\xac\x02", (array("q", [1, 300]), 5)),
    ],
)
def test_a_value_is_taken_from_behind_its_tag(tag, data, taken):
    assert DECLARATION.places[tag].take(data, 1) == taken


@pytest.mark.parametrize("data", [b"\x80" * 10 + b"\x01", b"\xff" * 9 + b"\x02"])
def test_a_varint_of_more_than_64_bits_is_none(data):
    with pytest.raises(ValueError, match="longer than 64 bits"):
        DECLARATION.places[8].take(data, 0)


def test_a_varint_that_is_cut_off_is_an_index_error():
    """The loop that reads a message makes one error of it."""
    with pytest.raises(IndexError):
        DECLARATION.places[8].take(b"\x80", 0)


def test_values_of_a_repeated_field_are_added():
    values = list(DECLARATION.defaults)
    DECLARATION.places[4 << 3].put(values, 1)
    DECLARATION.places[4 << 3 | 2].put(values, array("q", [2, 3]))
    DECLARATION.places[42].put(values, b"a")
    assert values[3:] == [array("q", [1, 2, 3]), [b"a"]]
    assert DECLARATION.places[8].put is None  # the value takes its slot
