"""What tables of the V1 format say they have, put together."""

import pytest

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.errors import CorruptIndexError, UnsupportedCheckpointError
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.schema import VersionDef
from estimator_ckpt.bundle.protobuf.v1_schema import (
    SavedSliceMeta,
    SavedTensorSliceMeta,
    SavedTensorSlices,
)
from estimator_ckpt.bundle.sstable import table_writer
from estimator_ckpt.bundle.sstable.table import Table
from estimator_ckpt.bundle.v1_format import v1_contents

UPPER, LOWER = (Extent(0, 2),), (Extent(2, 2),)


@pytest.fixture
def table(tmp_path):
    def write(name, *tensors, **versions):
        meta = SavedTensorSliceMeta(
            tuple(SavedSliceMeta(n, s, d, p) for n, d, s, p in tensors),
            VersionDef(**versions),
        )
        content = wire.encode(SavedTensorSlices(meta))
        path = tmp_path / name
        path.write_bytes(table_writer.write_table([(b"", content)]))
        return Table(files.open_file(str(path)), name)

    return write


def test_slices_in_several_files_are_one_tensor(table):
    one = table("one", ("v", 1, (4,), (UPPER,)), ("s", 7, (), ((),)))
    two = table("two", ("v", 1, (4,), (LOWER,)))
    found = v1_contents.tensors("c", [one, two])
    assert set(found) == {"v", "s"}
    assert found["v"].parts == {UPPER: one, LOWER: two}
    assert found["v"].entry[:2] == (1, (4,))
    assert found["v"].entry.size == 16
    assert found["s"].entry.size == 5  # a length, and the checksum of the lengths


def test_files_that_differ_are_named(table):
    tables = table("one", ("v", 1, (4,), ())), table("two", ("v", 2, (4,), ()))
    with pytest.raises(CorruptIndexError, match=r"^c: .*dtype or shape of 'v'"):
        v1_contents.tensors("c", tables)


def test_a_slice_out_of_bounds_is_named(table):
    with pytest.raises(CorruptIndexError, match=r"^one: 'v': "):
        v1_contents.tensors("c", [table("one", ("v", 1, (3,), (LOWER,)))])


@pytest.mark.parametrize("versions", [{"min_consumer": 2}, {"bad_consumers": (1,)}])
def test_what_is_for_later_readers_is_refused(table, versions):
    with pytest.raises(UnsupportedCheckpointError, match="of the V1 format"):
        v1_contents.tensors("c", [table("one", **versions)])
