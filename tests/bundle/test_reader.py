"""Tensors out of bundles that TensorFlow wrote, and out of damaged ones."""

import os
import random
import shutil
import sys
import threading

import numpy as np
import pytest

from estimator_ckpt.bundle import checksum, coding, files
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.errors import (
    CorruptDataError,
    CorruptIndexError,
    TensorNotFoundError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.index import (
    Entry,
    Header,
    index_path,
    read_index,
    serialize_index,
    shard_path,
)
from estimator_ckpt.bundle.local_files import input_file, system_calls
from estimator_ckpt.bundle.protobuf.varints import write_varint
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.writer import Partitioned, write_bundle
from tests.bundle.helpers import assert_same, crc, write_raw
from tests.testdata_paths import PREFIXES, session_values


@pytest.fixture
def digits(tmp_path):
    """A copy of a real checkpoint, to be damaged."""
    for path in PREFIXES["digits/model.ckpt-300"].parent.glob("model.ckpt-300.*"):
        shutil.copy(path, tmp_path)
    return tmp_path / "model.ckpt-300"


# What TensorFlow 1.15 saved is what is read.


@pytest.mark.parametrize("name", PREFIXES)
def test_every_value_is_what_the_session_saw(name):
    with BundleReader(PREFIXES[name]) as reader:
        expected = session_values(name)
        assert set(reader.index) - set(expected) <= {"_CHECKPOINTABLE_OBJECT_GRAPH"}
        for key, value in expected.items():
            assert_same(reader.read(key), value)


@pytest.mark.parametrize("name", PREFIXES)
def test_every_checksum_agrees(name):
    reader = BundleReader(PREFIXES[name])
    for key in reader.index.records:
        reader.verify(key)


def test_the_object_graph_is_a_string():
    graph = BundleReader(PREFIXES["object-based/ckpt-1"]).read(
        "_CHECKPOINTABLE_OBJECT_GRAPH"
    )
    assert graph.shape == ()
    assert b"VARIABLE_VALUE" in graph[()]


@pytest.mark.parametrize("name", ["partition-dtypes/model.ckpt", "dtypes/model.ckpt"])
def test_any_slice_is_that_of_the_whole(name):
    reader = BundleReader(PREFIXES[name])
    for key, entry in reader.index.items():
        whole = reader.read(key)
        middle = [(size // 3, size - size // 3 - size // 4) for size in entry.shape]
        at = (*(slice(start, start + length) for start, length in middle), ...)
        assert_same(reader.read_slice(key, middle), whole[at])
        assert_same(reader.read_slice(key, [(0, -1)] * len(entry.shape)), whole)


def test_partitioned_variables_lie_in_several_shards():
    index = read_index(index_path(PREFIXES["embedding-sharded/model.ckpt-20"]))
    (name, *_) = [name for name, entry in index.items() if entry.is_partitioned]
    assert {part.shard_id for part in index.slices(name).values()} == {0, 1}


# Arrays are views of the file.


def test_numbers_are_a_read_only_view_of_the_file(tmp_path):
    write_bundle(tmp_path / "c", {"v": np.arange(6, dtype=np.float32)})
    found = BundleReader(tmp_path / "c").read("v")
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1
    with open(shard_path(tmp_path / "c", 0, 1), "r+b") as file:
        file.write(np.float32(42).tobytes())
    assert found[0] == 42


def test_numbers_that_are_not_aligned_are_copied(tmp_path):
    write_bundle(
        tmp_path / "c", {"a": np.uint8(1), "v": np.arange(6, dtype=np.float64)}
    )
    reader = BundleReader(tmp_path / "c")
    assert reader.index["v"].offset == 1
    assert reader.read("v").flags.aligned
    assert_same(reader.read("v"), np.arange(6.0))


def test_arrays_outlive_their_reader(tmp_path):
    write_bundle(tmp_path / "c", {"v": np.arange(6.0)})
    reader = BundleReader(tmp_path / "c")
    found = reader.read("v")
    reader.close()
    del reader
    assert found.sum() == 15


def test_one_part_of_a_partitioned_variable_is_a_view_too(tmp_path):
    value = np.arange(8, dtype=np.float32)
    parts = {(Extent(i, 4),): value[i : i + 4] for i in (0, 4)}
    write_bundle(tmp_path / "c", {"v": Partitioned((8,), parts)})
    found = BundleReader(tmp_path / "c").read_slice("v", [(5, 2)])
    assert_same(found, value[5:7])
    assert found.base is not None


def test_a_thousand_shards_do_not_take_a_thousand_files(tmp_path):
    import resource

    entries = {}
    for shard in range(200):
        data = np.int32(shard).tobytes()
        with open(shard_path(tmp_path / "c", shard, 200), "wb") as file:
            file.write(data)
        entries[f"v{shard}".encode()] = Entry(3, (), shard, 0, 4, crc(data))
    items = [(key, entry.serialize()) for key, entry in entries.items()]
    with open(index_path(tmp_path / "c"), "wb") as file:
        file.write(serialize_index(Header(num_shards=200), items))
    reader = BundleReader(tmp_path / "c")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (180, limits[1]))
    try:
        assert [int(reader.read(f"v{i}")) for i in range(200)] == list(range(200))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_several_threads_may_verify_at_once(tmp_path):
    write_bundle(tmp_path / "c", {f"v{i}": np.full(5000, i) for i in range(200)})
    reader = BundleReader(tmp_path / "c")
    failures = []

    def verify(keys):
        try:
            for key in keys:
                reader.verify(key)
        except Exception as error:
            failures.append(error)

    keys = list(reader.index.records)
    threads = [threading.Thread(target=verify, args=(keys[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# Chunks.


def test_chunks_are_the_bytes_of_an_entry(tmp_path, monkeypatch):
    monkeypatch.setattr(system_calls, "CHUNK", 4096)
    monkeypatch.setattr(input_file, "_READ_BELOW", 0)
    value = np.arange(5000, dtype=np.int32)
    write_bundle(tmp_path / "c", {"a": np.zeros(3, np.uint8), "v": value})
    reader = BundleReader(tmp_path / "c")
    chunks = list(reader.iter_chunks(b"v"))
    assert [len(chunk) for chunk in chunks] == [4096] * 4 + [20000 - 4 * 4096]
    assert b"".join(chunks) == value.tobytes()
    reader.verify(b"v")


@pytest.mark.parametrize("name", ["partition-dtypes/model.ckpt", "dtypes/model.ckpt"])
def test_the_pieces_of_a_tensor_make_the_whole(name, monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 64)
    reader = BundleReader(PREFIXES[name])
    for key in reader.index:
        pieces = list(reader.iter_arrays(key))
        whole = reader.read(key).reshape(-1)
        assert_same(np.concatenate(pieces) if pieces else whole[:0], whole)
        assert all(piece.ndim == 1 for piece in pieces)
        if whole.dtype != object:
            assert all(piece.nbytes <= 64 for piece in pieces)


@pytest.mark.parametrize("shape", [(), (1,), (40,), (3, 40), (40, 3), (2, 3, 40, 2)])
def test_pieces_are_cut_at_the_same_places_however_a_tensor_is_stored(
    tmp_path, shape, monkeypatch
):
    monkeypatch.setattr(files, "CHUNK", 64)
    value = np.arange(np.prod(shape, dtype=int), dtype=np.int32).reshape(shape)
    tensors = {"a": np.int8(0), "whole": value}
    if shape:
        rest = tuple(Extent(0, size) for size in shape[:-1])
        parts = {(*rest, Extent(i, 1)): value[..., i : i + 1] for i in range(shape[-1])}
        tensors["cut"] = Partitioned(shape, parts)
    write_bundle(tmp_path / "c", tensors)
    reader = BundleReader(tmp_path / "c")
    for name in tensors.keys() - {"a"}:
        pieces = list(reader.iter_arrays(name))
        assert_same(np.concatenate(pieces), value.reshape(-1))
        assert [len(p) for p in pieces] == [
            len(p) for p in reader.iter_arrays("whole", check=False)
        ]


@pytest.mark.parametrize("shape", [(0,), (3, 0), (2**40, 0), (0, 2**40)])
def test_a_tensor_without_elements_has_no_pieces(tmp_path, shape):
    entry = Entry(1, shape, size=0, crc32c=checksum.mask(0))
    reader = write_raw(tmp_path / "c", b"", {b"v": entry})
    assert list(reader.iter_arrays("v")) == []


def test_pieces_are_checked_first(tmp_path):
    write_bundle(tmp_path / "c", {"v": np.arange(8.0)})
    with open(shard_path(tmp_path / "c", 0, 1), "r+b") as file:
        file.write(b"x")
    reader = BundleReader(tmp_path / "c")
    with pytest.raises(CorruptDataError):
        next(reader.iter_arrays("v"))
    assert len(next(reader.iter_arrays("v", check=False))) == 8


def test_streaming_takes_no_more_memory_for_a_larger_tensor(tmp_path):
    import subprocess

    script = (
        "import resource, sys\n"
        "from estimator_ckpt.bundle.reader import BundleReader\n"
        "reader = BundleReader(sys.argv[1])\n"
        "reader.verify(b'v')\n"
        "for name in reader.index:\n"
        "    for piece in reader.iter_arrays(name, check=False): piece.sum()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for megabytes in (16, 144):
        prefix = tmp_path / f"c{megabytes}"
        size = megabytes << 20
        with open(shard_path(prefix, 0, 1), "wb") as file:
            file.truncate(size)  # zeros that take no disk
        crc = 0
        for _ in range(megabytes):
            crc = checksum.extend(crc, bytes(1 << 20))
        half = Entry(4, (1, size // 2), 0, 0, size // 2, 1)
        halves = [(Extent(i, 1), Extent(0, size // 2)) for i in (0, 1)]
        entries = {
            b"v": Entry(4, (size,), 0, 0, size, checksum.mask(crc)),
            b"cut": Entry(4, (2, size // 2), slices=tuple(halves)),
            coding.slice_key("cut", halves[0]): half,
            coding.slice_key("cut", halves[1]): half._replace(offset=size // 2),
        }
        items = [(key, entry.serialize()) for key, entry in entries.items()]
        with open(index_path(prefix), "wb") as file:
            file.write(serialize_index(Header(), items))
        output = subprocess.run(
            [sys.executable, "-c", script, str(prefix)],
            check=True,
            capture_output=True,
            text=True,
            cwd=str(PREFIXES["guide/tf1-ckpt"].parents[3]),
        ).stdout
        peaks.append(int(output))
    assert peaks[1] < peaks[0] + 8 * 1024  # KiB


# Byte order.


def test_a_big_endian_bundle_is_read_as_tensorflow_reads_it(tmp_path):
    import tensorflow as tf

    values = {
        "double": np.array([1.5, -2.25, 1e300]),
        "complex": np.array([[1 + 2j, 3 - 4j]], np.complex64),
        "int16": np.array([1, -2, 300], np.int16),
        "bool": np.array([True, False]),
        "empty": np.zeros((0, 3), np.int32),
    }
    data, entries = b"", {}
    for name, value in values.items():
        big = value.astype(value.dtype.newbyteorder(">")).tobytes()
        dtype = tf.as_dtype(value.dtype).as_datatype_enum
        entries[name.encode()] = Entry(
            dtype, value.shape, 0, len(data), len(big), crc(big)
        )
        data += big
    strings = [b"a", b"", b"x" * 300]
    lengths = b"".join(len(s).to_bytes(4, "big") for s in strings)
    stored = checksum.mask(checksum.value(lengths)).to_bytes(4, "big")
    tail = stored + b"".join(strings)
    framed = b"".join(write_varint(len(s)) for s in strings) + tail
    entries[b"strings"] = Entry(7, (3,), 0, len(data), len(framed), crc(lengths + tail))
    values["strings"] = np.array(strings, object)

    header = Header(big_endian=True)
    reader = write_raw(tmp_path / "c", data + framed, entries, header)
    theirs = tf.train.load_checkpoint(str(tmp_path / "c"))
    for name, value in values.items():
        assert_same(reader.read(name), value)
        assert_same(np.asarray(theirs.get_tensor(name), value.dtype), value)


# Variants: never decoded, but verified.


def _variant_bundle(prefix):
    """A scalar variant (a TensorList) that TensorFlow writes."""
    import tensorflow as tf

    handle = tf.raw_ops.TensorListFromTensor(
        tensor=tf.constant([1.0, 2.0]), element_shape=tf.constant([], tf.int32)
    )
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=["list", "two"],
        shape_and_slices=["", ""],
        tensors=[handle, tf.stack([handle, handle])],
    )
    return BundleReader(prefix)


def test_a_variant_is_verified_but_never_decoded(tmp_path):
    reader = _variant_bundle(tmp_path / "c")
    assert reader.index["list"].dtype_name == "variant"
    for name in ("list", "two"):
        reader.verify(name.encode())
        with pytest.raises(UnsupportedCheckpointError, match=f"'{name}'.*TensorFlow"):
            reader.read(name)


def test_every_damaged_byte_of_a_variant_is_found(tmp_path):
    reader = _variant_bundle(tmp_path / "c")
    path = shard_path(tmp_path / "c", 0, 1)
    with open(path, "rb") as file:
        data = file.read()
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        with open(path, "wb") as file:
            file.write(damaged)
        damaged_keys = 0
        for key in reader.index.records:
            try:
                BundleReader(tmp_path / "c").verify(key)
            except CorruptDataError:
                damaged_keys += 1
        assert damaged_keys == 1


# Damage.


def test_every_flipped_bit_of_a_string_tensor_is_found(tmp_path):
    strings = np.array([b"abc", b"", b"\x00" * 130], object)
    write_bundle(tmp_path / "c", {"v": strings})
    path = shard_path(tmp_path / "c", 0, 1)
    with open(path, "rb") as file:
        data = file.read()
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with open(path, "wb") as file:
            file.write(damaged)
        with pytest.raises(CorruptDataError):
            BundleReader(tmp_path / "c").verify(b"v")
        with pytest.raises(CorruptDataError):
            BundleReader(tmp_path / "c").read("v")


def test_each_of_a_thousand_flipped_bits_of_a_real_checkpoint_is_found(digits):
    rng = random.Random(0)
    paths = [index_path(digits), shard_path(digits, 0, 1)]
    sizes = [os.path.getsize(path) for path in paths]
    for _ in range(1000):
        (path,) = rng.choices(paths, sizes if rng.random() < 0.5 else None)
        with open(path, "r+b") as file:
            at, bit = rng.randrange(os.path.getsize(path)), 1 << rng.randrange(8)
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ bit]))
            file.flush()
            assert not _is_whole(digits), (path, at, bit)
            file.seek(at)
            file.write(bytes([byte]))
    assert _is_whole(digits)


def _is_whole(prefix):
    try:
        reader = BundleReader(prefix)
        for key in reader.index.records:
            reader.verify(key)
    except (CorruptIndexError, CorruptDataError):
        return False
    return True


def test_a_flipped_bit_is_reported_with_shard_name_and_place(digits):
    reader = BundleReader(digits)
    name, entry = max(reader.index.items(), key=lambda item: item[1].size)
    path = shard_path(digits, 0, 1)
    with open(path, "r+b") as file:
        file.seek(entry.offset + 5)
        byte = file.read(1)[0]
        file.seek(entry.offset + 5)
        file.write(bytes([byte ^ 4]))
    message = f"{path}: '{name}' is damaged: its {entry.size} bytes at byte"
    with pytest.raises(CorruptDataError, match=message):
        reader.verify(name.encode())
    with pytest.raises(CorruptDataError, match=message):
        reader.read(name)
    assert reader.read(name, check=False).shape == entry.shape
    for other in reader.index:
        if other != name:
            reader.verify(other.encode())


def test_a_missing_shard_is_named(digits):
    os.remove(shard_path(digits, 0, 1))
    with pytest.raises(
        CorruptDataError, match=r"300\.data-00000-of-00001: the shard is missing; '"
    ):
        BundleReader(digits).read("global_step")


def test_a_short_shard_is_named_with_both_sizes(digits):
    reader = BundleReader(digits)
    last = max(reader.index, key=lambda name: reader.index[name].offset)
    entry = reader.index[last]
    end = entry.offset + entry.size
    os.truncate(shard_path(digits, 0, 1), end - 1)
    with pytest.raises(
        CorruptDataError,
        match=f"it has {end - 1} bytes, and '{last}' takes the bytes {entry.offset} to",
    ):
        reader.read(last)


def test_a_shard_that_shrinks_while_it_is_read_is_an_error(tmp_path):
    from estimator_ckpt.bundle.errors import CheckpointError

    write_bundle(tmp_path / "c", {"v": np.zeros(3 << 20, np.uint8)})
    reader = BundleReader(tmp_path / "c")
    reader.verify(b"v")
    os.truncate(shard_path(tmp_path / "c", 0, 1), 100)
    with pytest.raises(CheckpointError, match="ends before byte"):
        reader.verify(b"v")


def test_a_missing_checksum_is_a_wrong_one(tmp_path):
    reader = write_raw(tmp_path / "c", b"abcd", {b"v": Entry(3, (), 0, 0, 4)})
    with pytest.raises(CorruptDataError, match="not the none stored"):
        reader.verify(b"v")


def test_a_name_that_is_not_there(digits):
    with pytest.raises(TensorNotFoundError, match="no tensor 'dense/kernel_1'"):
        BundleReader(digits).read("dense/kernel_1")


def test_a_slice_that_exceeds_the_shape_is_the_callers_mistake(digits):
    with pytest.raises(ValueError, match="does not fit the shape"):
        BundleReader(digits).read_slice("global_step", [(0, 1)])


# Partitioned variables that cannot be true.


def _partitioned(prefix, shape, boxes, offsets=None):
    data = np.arange(64, dtype=np.uint8).tobytes()
    entries, at = {}, 0
    for i, box in enumerate(boxes):
        extents = tuple(Extent(*extent) for extent in box)
        size = int(np.prod([length for _, length in extents]))
        offset = at if offsets is None else offsets[i]
        entries[coding.slice_key("v", extents)] = Entry(
            4,
            tuple(length for _, length in extents),
            0,
            offset,
            size,
            crc(data[offset : offset + size]),
        )
        at += size
    slices = tuple(tuple(Extent(*extent) for extent in box) for box in boxes)
    entries[b"v"] = Entry(4, shape, slices=slices)
    return write_raw(prefix, data, entries)


def test_parts_in_two_dimensions_are_put_together(tmp_path):
    boxes = [[(0, 2), (0, 1)], [(2, 1), (0, 3)], [(0, 2), (1, 2)]]
    found = _partitioned(tmp_path / "c", (3, 3), boxes).read("v")
    assert found.tolist() == [[0, 5, 6], [1, 7, 8], [2, 3, 4]]


@pytest.mark.parametrize(
    "boxes",
    [
        [[(0, 2), (0, 3)]],  # a gap at the end
        [[(1, 2), (0, 3)]],  # a gap at the beginning
        [[(0, 2), (0, 3)], [(1, 2), (0, 3)]],  # over one another
        [[(0, 2), (0, 3)], [(1, 1), (0, 3)]],  # over one another, and a gap
        [[(0, 1), (0, 3)], [(1, 2), (0, 2)], [(2, 1), (1, 2)]],
        [[(0, 2), (0, 2)], [(1, 2), (1, 2)], [(0, 1), (2, 1)]],
    ],
)
def test_parts_with_gaps_or_overlaps_are_refused(tmp_path, boxes):
    reader = _partitioned(tmp_path / "c", (3, 3), boxes)
    with pytest.raises(CorruptIndexError, match="leave gaps or overlap"):
        reader.read("v")


def test_a_region_needs_only_the_parts_that_it_touches(tmp_path):
    reader = _partitioned(tmp_path / "c", (3, 3), [[(0, 2), (0, 3)]])
    assert reader.read_slice("v", [(1, 1), (1, 2)]).tolist() == [[4, 5]]
    with pytest.raises(CorruptIndexError, match="leave gaps"):
        reader.read_slice("v", [(1, 2), (1, 2)])


def test_parts_that_share_bytes_cannot_fill_the_memory(tmp_path):
    boxes = [[(i, 1), (0, 60)] for i in range(100)]
    reader = _partitioned(tmp_path / "c", (100, 60), boxes, offsets=[0] * 100)
    with pytest.raises(CorruptIndexError, match="overlap in their shards"):
        reader.read("v")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Entry(4, (1,) * 40, 0, 0, 1, 1), "40 dimensions"),
        (Entry(1, (0, 2**62, 2**62), 0, 0, 0, 1), "no array can have the shape"),
        (Entry(99, (2,), 0, 0, 2, 1), "dtype99"),
        (Entry(20, (), 0, 0, 2, 1), "resource"),
    ],
)
def test_what_numpy_cannot_hold_is_refused(tmp_path, entry, reason):
    reader = write_raw(tmp_path / "c", b"abcd", {b"v": entry})
    with pytest.raises(UnsupportedCheckpointError, match=reason):
        reader.read("v", check=False)
