"""Bundles that we write: the bytes are TensorFlow's, and half of one is never seen."""

import os
import stat

import ml_dtypes
import numpy as np
import pytest

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CorruptDataError,
    DestinationExistsError,
)
from estimator_ckpt.bundle.index import (
    Header,
    index_path,
    serialize_index,
    shard_path,
)
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.writer import Partitioned, ShardWriter, write_bundle
from tests.bundle.helpers import assert_same, plain, restore, save

QUANTIZED = ("qint8", "quint8", "qint32", "qint16", "quint16")


def _values():
    """By TensorFlow's name of the type: some elements, none, and a scalar."""
    import tensorflow as tf

    values = {}
    for dtype in dtypes.DTYPES.values():
        try:
            tf.as_dtype(dtype.number)
            numpy_dtype = dtype.numpy
        except (TypeError, CheckpointError):
            continue
        if dtype.is_string:
            some = np.array([[b"a", b""], [b"\x00z\x00", b"x" * 300]], object)
            values[dtype.name] = (
                some,
                np.zeros((0, 2), object),
                some[1, 1:].reshape(()),
            )
        else:
            some = np.array([[0, 1, 2], [3, 1, 0]]).astype(numpy_dtype)
            values[dtype.name] = (some, some[:0], some[1, :1].reshape(()))
    return values


DTYPES = (
    "float32",
    "float64",
    "int32",
    "uint8",
    "int16",
    "int8",
    "string",
    "complex64",
    "int64",
    "bool",
    "qint8",
    "quint8",
    "qint32",
    "bfloat16",
    "qint16",
    "quint16",
    "uint16",
    "complex128",
    "float16",
    "uint32",
    "uint64",
    "float8_e5m2",
    "float8_e4m3fn",
    "int4",
    "uint4",
    "float8_e4m3fnuz",
    "float8_e4m3b11fnuz",
    "float8_e5m2fnuz",
    "int2",
    "uint2",
)
NEWER = set(DTYPES[-5:])  # TensorFlow 2.15 does not have them


def values_of(dtype):
    """The values of a type, or a skip where TensorFlow does not have it."""
    values = _values()
    if dtype in NEWER - set(values):
        pytest.skip(f"this TensorFlow has no {dtype}")
    return values[dtype]


def assert_same_files(ours, theirs):
    for name in (index_path, lambda prefix: shard_path(prefix, 0, 1)):
        assert files.read(name(ours)) == files.read(name(theirs))


def test_every_type_that_tensorflow_saves_is_tried():
    tried = set(_values())
    assert tried <= set(DTYPES)
    assert set(DTYPES) - tried <= NEWER


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensorflow_reads_what_we_write_and_writes_the_same_bytes(tmp_path, dtype):
    import tensorflow as tf

    names = ("some", "none", "scalar")
    values = dict(zip(names, values_of(dtype)))
    override = dict.fromkeys(names, dtype) if dtype in QUANTIZED else None
    write_bundle(tmp_path / "ours", values, override)

    reader = BundleReader(tmp_path / "ours")
    checkpoint = tf.train.load_checkpoint(str(tmp_path / "ours"))
    theirs = []
    for name, value in values.items():
        assert_same(restore(tmp_path / "ours", name, dtype), value)
        assert_same(reader.read(name), value)
        if not dtype.startswith(("int4", "uint4", "float8", "int2", "uint2")):
            loaded = np.asarray(checkpoint.get_tensor(name), value.dtype)
            assert_same(loaded, value)
        (tensor,) = tf.raw_ops.RestoreV2(
            prefix=str(tmp_path / "ours"),
            tensor_names=[name],
            shape_and_slices=[""],
            dtypes=[tf.as_dtype(dtype)],
        )
        theirs.append((name, tensor))

    save(tmp_path / "theirs", sorted(theirs, key=lambda pair: pair[0]))
    assert_same_files(tmp_path / "ours", tmp_path / "theirs")


def test_slices_are_written_as_tensorflow_writes_them(tmp_path):
    value = np.arange(15, dtype=np.float32).reshape(3, 5)
    parts = {
        (Extent(0, 2), Extent(0, 5)): value[:2],
        (Extent(2, 1), Extent(0, -1)): value[2:],
    }
    write_bundle(tmp_path / "ours", {"q": value, "v": Partitioned((3, 5), parts)})
    save(
        tmp_path / "theirs",
        [("q", value), ("v", value[:2]), ("v", value[2:])],
        ["", "3 5 0,2:0,5", "3 5 2,1:-"],
    )
    assert_same_files(tmp_path / "ours", tmp_path / "theirs")
    for prefix in (tmp_path / "ours", tmp_path / "theirs"):
        assert_same(BundleReader(prefix).read("v"), value)
        assert_same(restore(prefix, "v", "float32"), value)
        assert_same(restore(prefix, "v", "float32", "3 5 1,2:1,3"), value[1:, 1:4])


# TensorFlow cannot join these from slices; each slice it can read as it was saved.
NOT_JOINED = ["float16", "uint16", "uint32", "uint64", "string", "qint16", "quint16"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_parts_of_every_type_are_joined(tmp_path, dtype):
    value = values_of(dtype)[0]
    parts = {
        (Extent(0, 2), Extent(0, 1)): value[:, :1],
        (Extent(0, 2), Extent(1, value.shape[1] - 1)): value[:, 1:],
    }
    override = {"v": dtype} if dtype in QUANTIZED else None
    write_bundle(tmp_path / "c", {"v": Partitioned(value.shape, parts)}, override)
    assert_same(BundleReader(tmp_path / "c").read("v"), value)
    one = f"2 {value.shape[1]} 0,2:0,1"
    assert_same(restore(tmp_path / "c", "v", dtype, one), value[:, :1])
    if dtype in NOT_JOINED:
        import tensorflow as tf

        with pytest.raises(tf.errors.InvalidArgumentError, match="not supported"):
            restore(tmp_path / "c", "v", dtype)


def test_a_part_that_is_the_whole_is_an_ordinary_tensor(tmp_path):
    value = np.arange(4.0)
    whole = Partitioned((4,), {(Extent(0, 4),): value})
    write_bundle(tmp_path / "c", {"v": whole})
    reader = BundleReader(tmp_path / "c")
    assert not reader.index["v"].is_partitioned
    assert_same(reader.read("v"), value)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.arange(6, dtype=">i4"), np.arange(6, dtype=np.int32)),
        (np.arange(12.0).reshape(3, 4).T, np.arange(12.0).reshape(3, 4).T.copy()),
        (np.arange(9)[::-2], np.array([8, 6, 4, 2, 0])),
        (["text", "ä"], np.array([b"text", "ä".encode()], object)),
        (np.array([b"ab", b"c"]), np.array([b"ab", b"c"], object)),
        (1.5, np.float64(1.5)),
        (np.float32(2), np.float32(2)),
        (ml_dtypes.bfloat16(2), np.array(2, ml_dtypes.bfloat16)),
    ],
    ids=["big-endian", "transposed", "strided", "text", "S", "float", "scalar", "bf16"],
)
def test_an_array_may_lie_in_memory_as_it_likes(tmp_path, array, expected):
    write_bundle(tmp_path / "c", {"v": array})
    assert_same(BundleReader(tmp_path / "c").read("v"), expected)


def test_large_tensors_are_written_in_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 1000)
    values = {
        "numbers": np.arange(999, dtype=np.complex128),
        "strings": np.array([b"x" * n for n in range(300)], object),
    }
    write_bundle(tmp_path / "c", values)
    reader = BundleReader(tmp_path / "c")
    for name, value in values.items():
        assert_same(reader.read(name), value)


def test_a_tensor_may_come_in_chunks(tmp_path):
    dtype = dtypes.named("int32")
    with ShardWriter(tmp_path / "shard", shard_id=3) as shard:
        shard.add(np.uint8(1))
        entry = shard.add_chunks(dtype, [2, 2], (bytes(4) for _ in range(4)))
        assert (entry.shard_id, entry.offset, entry.size) == (3, 1, 16)
        with pytest.raises(CheckpointError, match=r"12 bytes were given.*of 16"):
            shard.add_chunks(dtype, [2, 2], [bytes(12)])


def _flip_first_byte(path):
    with open(path, "r+b") as file:
        byte = file.read(1)[0]
        file.seek(0)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("value", [np.arange(4), np.array([b"x", b"yz"], object)])
def test_a_copied_entry_keeps_its_checksum_so_damage_stays_visible(tmp_path, value):
    write_bundle(tmp_path / "a", {"v": value})
    source = BundleReader(tmp_path / "a")
    for name in ("whole", "damaged"):
        with ShardWriter(shard_path(tmp_path / name, 0, 1)) as shard:
            shard.add(np.zeros(3, np.int8))
            entry = shard.copy(source.index["v"], source.iter_chunks(b"v"))
        assert entry.offset == 3
        data = serialize_index(Header(), [(b"v", entry.serialize())])
        files.put(index_path(tmp_path / name), data)
        _flip_first_byte(shard_path(tmp_path / "a", 0, 1))
    assert_same(BundleReader(tmp_path / "whole").read("v"), value)
    with pytest.raises(CorruptDataError):
        BundleReader(tmp_path / "damaged").verify(b"v")


def test_an_existing_checkpoint_is_not_replaced(tmp_path):
    write_bundle(tmp_path / "c", {"v": np.zeros(1)})
    with pytest.raises(DestinationExistsError, match=r"c\.index: already there"):
        write_bundle(tmp_path / "c", {"w": np.zeros(1)})
    assert list(BundleReader(tmp_path / "c").index) == ["v"]


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"": np.zeros(1)}, "cannot be a tensor's name"),
        ({"\x00v": np.zeros(1)}, "cannot be a tensor's name"),
        ({"v": np.zeros(1, "datetime64[s]")}, "datetime64"),
        ({"v": np.array([object()])}, "cannot hold"),
        ({"v": Partitioned((2,), {})}, "has no slices"),
        ({"v": Partitioned((2,), {(Extent(1, 2),): np.zeros(2)})}, "exceeds"),
        ({"v": Partitioned((2,), {(Extent(1, 1),): np.zeros(2)})}, "shape"),
        (
            {
                "v": Partitioned(
                    (2,),
                    {
                        (Extent(0, 1),): np.zeros(1, np.int8),
                        (Extent(1, 1),): np.zeros(1, np.int16),
                    },
                )
            },
            "different dtypes",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_stored_leaves_nothing_behind(tmp_path, tensors, reason):
    with pytest.raises(CheckpointError, match=reason):
        write_bundle(tmp_path / "c", tensors)
    assert os.listdir(tmp_path) == []


def test_a_type_that_does_not_fit_the_array_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="int16 does not hold qint8"):
        write_bundle(tmp_path / "c", {"v": np.zeros(2, np.int16)}, {"v": "qint8"})


def test_files_have_the_mode_of_any_new_file(tmp_path):
    umask = os.umask(0o027)
    try:
        write_bundle(tmp_path / "dir" / "c", {"v": np.zeros(1)})
    finally:
        os.umask(umask)
    modes = {
        stat.S_IMODE(os.stat(tmp_path / "dir" / name).st_mode)
        for name in os.listdir(tmp_path / "dir")
    }
    assert modes == {0o640}


def test_the_helper_sees_quantized_values():
    import tensorflow as tf

    tensor = tf.bitcast(tf.constant([1, -2], tf.int16), tf.qint16)
    assert plain(tensor).tolist() == [1, -2]
