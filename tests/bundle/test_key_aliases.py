"""Second keys name the bytes that are there."""

import pytest

from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CorruptIndexError, TensorNotFoundError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import parse_index, serialize_index
from estimator_ckpt.bundle.key_aliases import add_aliases

UPPER, LOWER = (Extent(0, 1),), (Extent(1, 1),)
PART = Entry(1, (1,), size=4, crc32c=1)
PARTED = Entry(1, (2,), slices=(UPPER, LOWER))
WHOLE = Entry(1, (2,), offset=8, size=8, crc32c=2)
DATA = serialize_index(
    Header(num_shards=2),
    [
        (b"parted", PARTED.serialize()),
        (b"whole", WHOLE.serialize()),
        *((coding.slice_key("parted", e), PART.serialize()) for e in (UPPER, LOWER)),
    ],
)


def test_an_alias_has_the_entry_of_its_tensor():
    found = parse_index(add_aliases(DATA, {"a": "whole", "b": "whole"}, "c"), "c")
    assert list(found) == ["a", "b", "parted", "whole"]
    assert found["a"] == found["b"] == found["whole"] == WHOLE
    assert found.header == Header(num_shards=2)


def test_of_a_partitioned_variable_the_slices_get_keys_too():
    found = parse_index(add_aliases(DATA, {"a": "parted"}, "c"), "c")
    assert found.slices("a") == {UPPER: PART, LOWER: PART}


def test_a_key_that_is_there_is_replaced():
    found = parse_index(add_aliases(DATA, {"parted": "whole"}, "c"), "c")
    assert found["parted"] == WHOLE


def test_the_number_of_shards_can_be_another():
    data = add_aliases(DATA, {}, "c", num_shards=5)
    assert parse_index(data, "c").header.num_shards == 5
    assert add_aliases(DATA, {}, "c") == DATA


def test_what_it_is_to_stand_for_must_be_there():
    with pytest.raises(TensorNotFoundError, match=r"^c: 'a' is to stand for 'none'"):
        add_aliases(DATA, {"a": "none"}, "c")
    with pytest.raises(CorruptIndexError):
        add_aliases(DATA[:-1], {}, "c")
