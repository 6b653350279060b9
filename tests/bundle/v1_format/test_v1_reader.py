"""The V1 format, read without TensorFlow: what 1.15.5 wrote, and what nobody did."""

import shutil

import numpy as np
import pytest

from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.schema import VersionDef
from estimator_ckpt.bundle.protobuf.v1_schema import (
    SavedSliceMeta,
    SavedTensorSliceMeta,
    SavedTensorSlices,
)
from estimator_ckpt.bundle.protobuf.varints import write_varint
from estimator_ckpt.bundle.sstable import table_writer
from estimator_ckpt.bundle.v1_format.v1_reader import V1Reader
from tests.testdata_paths import TESTDATA, session_values

SINGLE = TESTDATA / "v1-format/single/model.ckpt-7"
SHARDS = sorted((TESTDATA / "v1-dtypes").glob("model.ckpt-0*"))


def opened(*paths):
    return V1Reader("v1", list(map(str, paths)))


def equal(a, b):
    if a.dtype == object:
        return a.shape == b.shape and a.tolist() == b.tolist()
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def test_values_of_every_dtype_are_those_of_the_session():
    values = session_values("v1-dtypes/model.ckpt")
    with opened(*SHARDS) as reader:
        assert set(reader.index) == set(values)
        for name, value in values.items():
            assert equal(reader.read(name), value), name
            assert reader.index[name].shape == value.shape


@pytest.mark.parametrize("name", ["parts/by_row", "parts/by_column"])
def test_a_part_across_slices_is_put_together(name):
    value = session_values("v1-dtypes/model.ckpt")[name]
    with opened(*SHARDS) as reader:
        part = reader.read_slice(name, [(1, 5), (0, -1)])
    assert equal(part, np.ascontiguousarray(value[1:6]))


def test_pieces_and_chunks_hold_the_same_bytes():
    with opened(SINGLE) as reader:
        for name in reader.index:
            whole = reader.read(name)
            pieces = b"".join(p.tobytes() for p in reader.iter_arrays(name))
            key = coding.name_to_key(name)
            chunks = b"".join(map(bytes, reader.iter_chunks(key)))
            assert pieces == chunks == whole.tobytes()


def read_all(path):
    with opened(path) as reader:
        return {name: reader.read(name) for name in reader.index}


def meta(*tensors, min_consumer=0):
    slices = SavedTensorSliceMeta(
        tuple(
            SavedSliceMeta(
                name,
                tuple(shape),
                dtype,
                tuple(tuple(map(Extent._make, p)) for p in parts),
            )
            for name, dtype, shape, parts in tensors
        ),
        VersionDef(min_consumer=min_consumer),
    )
    return wire.encode(SavedTensorSlices(slices))


def field(number, content):
    return write_varint(number << 3 | 2) + (write_varint(len(content)) + content)


def values(number, packed):
    """SavedTensorSlices with data: SavedSlice, in it a TensorProto."""
    return field(2, field(3, field(number, packed)))


def v1(tmp_path, items):
    path = tmp_path / "model.ckpt-1"
    path.write_bytes(table_writer.write_table(sorted(items.items())))
    return path


WHOLE = ((0, 4),)
KEY = coding.slice_key("v", WHOLE)
FLOATS = np.float32([1, 2, 3, 4]).tobytes()


def test_what_this_test_writes_is_read(tmp_path):
    path = v1(tmp_path, {b"": meta(("v", 1, [4], [WHOLE])), KEY: values(5, FLOATS)})
    with opened(path) as reader:
        assert reader.read("v").tolist() == [1, 2, 3, 4]


HALF, OVERLAP = ((0, 2),), ((1, 3),)
BAD = {
    "no metadata": {KEY: values(5, FLOATS)},
    "metadata that is no message": {b"": b"\xff\xff"},
    "for later readers": {b"": meta(min_consumer=2)},
    "a slice out of bounds": {b"": meta(("v", 1, [4], [((0, 5),)]))},
    "no values": {b"": meta(("v", 1, [4], [WHOLE]))},
    "no slice at all": {b"": meta(("v", 1, [4], []))},
    "a gap": {b"": meta(("v", 1, [4], [HALF]))},
    "an overlap": {b"": meta(("v", 1, [4], [HALF, OVERLAP]))},
    "too few values": {b"": meta(("v", 1, [4], [WHOLE])), KEY: values(5, FLOATS[:8])},
    "half a value": {b"": meta(("v", 1, [4], [WHOLE])), KEY: values(5, FLOATS[:7])},
    "another field": {b"": meta(("v", 1, [4], [WHOLE])), KEY: values(6, FLOATS)},
    "values that are no message": {b"": meta(("v", 1, [4], [WHOLE])), KEY: b"\x12\xff"},
    "a varint cut off": {
        b"": meta(("v", 3, [4], [WHOLE])),
        KEY: values(7, b"\x01\x02\x03\x80"),
    },
    "a varint without end": {
        b"": meta(("v", 9, [4], [WHOLE])),
        KEY: values(10, b"\x01\x01\x01" + b"\x80" * 10 + b"\x01"),
    },
    "a dtype that no V1 file has": {
        b"": meta(("v", 21, [4], [WHOLE])),
        KEY: values(5, FLOATS),
    },
    "a shape that fits no memory": {
        b"": meta(("v", 1, [2**40, 2**20], [((0, 2**40), (0, 2**20))]))
    },
    "a negative size": {b"": meta(("v", 1, [-4], [WHOLE]))},
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_true_is_one_line(tmp_path, what):
    path = v1(tmp_path, BAD[what])
    with pytest.raises(CheckpointError) as caught, opened(path) as reader:
        reader.read("v")
    assert "\n" not in str(caught.value)


def test_shards_that_do_not_fit_together_are_refused(tmp_path):
    one = v1(tmp_path, {b"": meta(("v", 1, [4], [WHOLE]))})
    other = tmp_path / "other"
    other.mkdir()
    two = v1(other, {b"": meta(("v", 2, [4], [WHOLE]))})
    with pytest.raises(CheckpointError, match="dtype or shape of 'v'"):
        opened(one, two)


def test_a_checkpoint_without_files_is_not_there():
    with pytest.raises(CheckpointError, match="none of its files"):
        opened()


@pytest.mark.parametrize("source", [SINGLE, *SHARDS], ids=lambda path: path.name)
def test_a_flipped_bit_or_a_cut_anywhere_is_noticed(tmp_path, source):
    good = source.read_bytes()
    path = tmp_path / "model.ckpt-1"
    for position in range(0, len(good), 7):
        for bad in (
            good[:position],
            good[:position] + bytes([good[position] ^ 4]) + good[position + 1 :],
        ):
            path.write_bytes(bad)
            with pytest.raises(CheckpointError):
                read_all(path)


def test_one_shard_alone_lacks_what_is_in_the_other(tmp_path):
    shutil.copy(SHARDS[0], tmp_path)
    with opened(SHARDS[0]) as reader:
        assert "parts/by_row" in reader.index
        assert "parts/by_column" not in reader.index
