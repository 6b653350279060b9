"""The index: entries by name, parsed when asked for, written as TensorFlow writes."""

import subprocess
import sys

import pytest

from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    CorruptIndexError,
    TensorNotFoundError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.index import (
    Entry,
    Header,
    index_path,
    parse_index,
    read_index,
    serialize_index,
    shard_path,
)
from tests.bundle import protobufs
from tests.testdata_paths import PREFIXES, V1_PREFIXES

ENTRY = Entry(dtype=1, shape=(2, 3), shard_id=0, offset=8, size=24, crc32c=7)


def _index(items, header=None):
    return parse_index(serialize_index(header or Header(), items), "c.index")


def test_file_names():
    assert index_path("dir/model.ckpt-7") == "dir/model.ckpt-7.index"
    assert shard_path("dir/c", 3, 12) == "dir/c.data-00003-of-00012"


@pytest.mark.parametrize("name", PREFIXES)
def test_entries_of_tensorflow_1_are_serialized_to_the_same_bytes(name):
    index = read_index(index_path(PREFIXES[name]))
    for key, raw in index.records.items():
        assert index.entry(key).serialize() == raw


@pytest.mark.parametrize("name", PREFIXES)
def test_names_dtypes_and_shapes_are_those_that_tensorflow_lists(name):
    import tensorflow as tf

    index = read_index(index_path(PREFIXES[name]))
    reader = tf.train.load_checkpoint(str(PREFIXES[name]))
    dtypes = reader.get_variable_to_dtype_map()
    assert {
        name: (entry.dtype_name, list(entry.shape)) for name, entry in index.items()
    } == {
        name: (dtypes[name].name, shape)
        for name, shape in reader.get_variable_to_shape_map().items()
    }


def test_keys_are_in_bytewise_order_and_the_header_is_none_of_them():
    items = [(key, ENTRY.serialize()) for key in (b"b", b"a", "ä".encode(), b"B")]
    assert list(_index(items).records) == [b"B", b"a", b"b", "ä".encode()]


def test_a_name_that_is_no_utf8_makes_the_round_trip():
    index = _index([(b"caf\xe9", ENTRY.serialize())])
    (name,) = index
    assert name == "caf\udce9"
    assert index[name] == ENTRY
    assert coding.name_to_key(name) == b"caf\xe9"


def test_slices_have_entries_but_no_names():
    parts = {
        (Extent(0, 1), Extent(0, 3)): Entry(1, (1, 3), size=12, crc32c=1),
        (Extent(1, 1), Extent(0, -1)): Entry(1, (1, 3), offset=12, size=12, crc32c=2),
    }
    whole = Entry(1, (2, 3), slices=tuple(parts))
    items = {coding.slice_key("v", extents): part for extents, part in parts.items()}
    index = _index(
        [(b"v", whole.serialize()), *((k, e.serialize()) for k, e in items.items())]
    )
    assert list(index) == ["v"]
    assert len(index.records) == 3
    assert index["v"] == whole
    assert index.slices("v") == parts


def test_a_whole_tensor_has_no_slices():
    assert _index([(b"v", ENTRY.serialize())]).slices("v") == {}


def test_the_shards_in_use_do_not_count_those_of_partitioned_wholes():
    part = Entry(1, (1,), shard_id=2, size=4, crc32c=1)
    extents = ((Extent(0, 1),), (Extent(1, 1),))
    items = [(coding.slice_key("v", e), part.serialize()) for e in extents]
    whole = Entry(1, (2,), shard_id=0, slices=extents)
    index = _index([(b"v", whole.serialize()), *items], Header(num_shards=3))
    assert index.shard_ends() == {2: 4}


def test_the_shards_of_some_tensors_are_theirs_alone():
    part = Entry(1, (1,), shard_id=2, size=4, crc32c=1)
    extents = ((Extent(0, 1),), (Extent(1, 1),))
    items = [(coding.slice_key("v", e), part.serialize()) for e in extents]
    whole = Entry(1, (2,), shard_id=0, slices=extents)
    alone = Entry(1, (1,), shard_id=1, offset=8, size=4, crc32c=1)
    items += [(b"v", whole.serialize()), (b"w", alone.serialize())]
    index = _index(sorted(items), Header(num_shards=3))
    assert index.shard_ends() == {1: 12, 2: 4}
    assert index.shard_ends(["v"]) == {2: 4}
    assert index.shard_ends(["w"]) == {1: 12}
    assert index.shard_ends([]) == {}
    index.forget_wholes()
    assert list(index) == ["v"]
    assert "w" not in index
    assert index.shard_ends(["v"]) == {2: 4}


@pytest.mark.parametrize("path", V1_PREFIXES.values(), ids=V1_PREFIXES)
def test_a_v1_checkpoint_is_called_by_its_name(path):
    files = sorted(path.parent.glob(path.name))
    assert files
    for file in files:
        with pytest.raises(UnsupportedCheckpointError, match="V1 format"):
            read_index(file)


@pytest.mark.parametrize(
    "damage",
    [
        {"offset": -1},
        {"size": 23},
        {"size": -24},
        {"shape": (2, -3)},
        {"shape": (2**40, 2**40)},
        {"shape": (1,) * 255},
        {"shard_id": 1},
        {"shard_id": -1},
        {"dtype": 0},
        {"dtype": -1},
        {"offset": 2**63 - 10},
        {"slices": ((Extent(0, 3), Extent(0, 3)),)},
        {"slices": ((Extent(-1, 1), Extent(0, 3)),)},
        {"slices": ((Extent(1, -1), Extent(0, 3)),)},
        {"slices": ((Extent(2**62, 2**62), Extent(0, 3)),)},
        {"slices": ((Extent(0, 2),),)},
        {"dtype": 7, "size": 9},
    ],
    ids=str,
)
def test_an_entry_that_cannot_be_true_is_refused(damage):
    raw = ENTRY._replace(**damage).serialize()
    index = _index([(b"v", raw)])
    with pytest.raises(CorruptIndexError, match=r"c\.index: the entry of 'v'"):
        index["v"]


def test_an_entry_that_is_no_message_is_refused():
    with pytest.raises(CorruptIndexError, match="BundleEntryProto"):
        _index([(b"v", b"\xff\xff")])["v"]


def test_a_slice_without_an_entry_is_refused():
    whole = Entry(1, (2,), slices=((Extent(0, 1),), (Extent(1, 1),)))
    index = _index([(b"v", whole.serialize())])
    with pytest.raises(CorruptIndexError, match=r"\[\(0, 1\)\], but there is no entry"):
        index.slices("v")


@pytest.mark.parametrize("part", [Entry(1, (2,), size=8), Entry(3, (1,), size=4)])
def test_a_slice_of_another_shape_or_dtype_is_refused(part):
    extents = (Extent(0, 1),)
    whole = Entry(1, (2,), slices=(extents,))
    items = [
        (b"v", whole.serialize()),
        (coding.slice_key("v", extents), part.serialize()),
    ]
    with pytest.raises(CorruptIndexError, match=r"not float32\[1\]"):
        _index(items).slices("v")


def test_an_entry_without_a_checksum_says_so():
    assert _index([(b"v", Entry(1, (), size=4).serialize())])["v"].crc32c is None


def test_a_name_that_is_not_there():
    index = _index([(b"v", ENTRY.serialize())])
    assert "w" not in index
    with pytest.raises(TensorNotFoundError, match=r"c\.index: no tensor 'w'"):
        index["w"]


def test_two_tensors_cannot_have_one_key():
    with pytest.raises(CheckpointError, match="two tensors would have the key 'v'"):
        serialize_index(Header(), [(b"v", b"1"), (b"w", b"2"), (b"v", b"3")])
    with pytest.raises(CheckpointError, match="empty name"):
        serialize_index(Header(), [(b"", b"1")])


def test_an_index_without_a_header_is_refused():
    from estimator_ckpt.bundle.sstable.table_writer import write_table

    with pytest.raises(CorruptIndexError, match="no header"):
        parse_index(write_table([(b"v", ENTRY.serialize())]), "c.index")


def test_other_files_are_called_what_they_are(tmp_path):
    with pytest.raises(CheckpointNotFoundError, match="no such file"):
        read_index(tmp_path / "model.ckpt.index")
    with pytest.raises(CheckpointError, match="not a regular file"):
        read_index(tmp_path)
    shard = tmp_path / "model.ckpt.data-00000-of-00001"
    with shard.open("wb") as file:
        file.truncate(1 << 40)  # not to be read
    with pytest.raises(CorruptIndexError, match="not the index of a checkpoint"):
        read_index(shard)


def test_unknown_fields_of_an_entry_are_carried_in_its_bytes():
    raw = ENTRY.serialize() + b"\xf2\x07\x03abc"
    index = _index([(b"v", raw)])
    assert index["v"] == ENTRY
    assert index.raw(b"v") == raw


def test_a_full_extent_is_not_the_one_that_spells_it_out():
    entries = [
        Entry(1, (4,), slices=((Extent(0, length),),)).serialize() for length in (4, -1)
    ]
    assert entries[0] != entries[1]
    proto = protobufs.BundleEntryProto.FromString(entries[1])
    assert not proto.slices[0].extent[0].HasField("length")


@pytest.mark.parametrize("variables", [10_000, 100_000])
def test_a_large_index_is_parsed_whole(variables):
    raw = Entry(1, (768, 3072), offset=10**9, size=4 * 768 * 3072, crc32c=1).serialize()
    names = [f"model/layer_{i}/attention/kernel".encode() for i in range(variables)]
    data = serialize_index(Header(), ((name, raw) for name in names))
    assert list(parse_index(data, "c.index").records) == sorted(names)


def test_listing_what_tensorflow_wrote_does_not_load_protobuf():
    program = (
        "import sys\n"
        "from estimator_ckpt.checkpoint.opening import open_checkpoint\n"
        f"assert list(open_checkpoint({str(PREFIXES['guide/tf1-ckpt'])!r}).values())\n"
        "assert 'google.protobuf' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
