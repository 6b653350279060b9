"""OrderedCode and slice keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.errors import CorruptIndexError

INT64 = st.integers(-(2**63), 2**63 - 1)
EXTENTS = st.lists(st.builds(Extent, INT64, INT64), max_size=5)
NAMES = st.binary(max_size=30).map(coding.key_to_name)


@pytest.mark.parametrize(
    ("extent", "code"),
    [
        ((0, 5), "80 85"),
        ((63, 64), "bf c040"),
        ((0, -1), "80 7f"),  # a full dimension
        ((8191, 70000), "dfff e11170"),
    ],
)
def test_extents_are_ordered_code(extent, code):
    key = coding.slice_key("v", [extent])
    assert key == b"\x00v\x00\x01\x01\x01" + bytes.fromhex(code)


def test_the_zero_and_ff_bytes_of_a_name_are_escaped():
    key = coding.slice_key("a\x00b\udcffc", [])
    assert key == b"\x00a\x00\xffb\xff\x00c\x00\x01\x00"
    assert coding.parse_key(key) == ("a\x00b\udcffc", ())


@given(NAMES, EXTENTS)
def test_slice_keys_are_invertible(name, extents):
    key = coding.slice_key(name, extents)
    assert coding.is_slice_key(key)
    assert coding.parse_key(key) == (name, tuple(extents))


@given(st.lists(INT64, min_size=2, max_size=2))
def test_the_order_of_keys_is_that_of_their_extents(starts):
    keys = [coding.slice_key("v", [(start, 1)]) for start in starts]
    assert (keys[0] < keys[1]) == (starts[0] < starts[1])


@given(st.binary(max_size=40))
def test_what_parses_as_a_slice_key_is_written_the_same(tail):
    key = b"\x00" + tail
    try:
        name, extents = coding.parse_key(key)
    except CorruptIndexError:
        return
    assert coding.slice_key(name, extents) == key


@pytest.mark.parametrize(
    "key",
    [
        b"\x00",
        b"\x00v",  # no end of the name
        b"\x00v\x00\x02\x00",  # an unknown escape
        b"\x00v\x00\x01",  # no rank
        b"\x00v\x00\x01\x01\x01",  # no extents
        b"\x00v\x00\x01\x02\x00\x01\x80\x85",  # a rank that is not in its shortest form
        b"\x00v\x00\x01\x01\x01\x80",  # half an extent
        b"\x00v\x00\x01\x01\x01\x80\xc0\x05",  # 5 in two bytes
        b"\x00v\x00\x01\x01\xff" + b"\x80\x85" * 255,  # more dimensions than exist
        b"\x00v\x00\x01\x01\x01\x80\x85\x00",  # something behind it
        b"\x00v\x00\x01\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
)
def test_a_damaged_slice_key_is_refused(key):
    with pytest.raises(CorruptIndexError, match="not the key of a slice"):
        coding.parse_key(key)


@given(st.binary(max_size=30).filter(lambda key: not key.startswith(b"\x00")))
def test_any_other_key_is_a_name_and_comes_back(key):
    name, extents = coding.parse_key(key)
    assert extents is None
    assert coding.name_to_key(name) == key
