"""What goes into a new bundle: each tensor once, nothing that is not there."""

import os
import struct

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle import checksum
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import index_path, serialize_index, shard_path
from estimator_ckpt.bundle.local_files import system_calls
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import object_keys
from tests.conversion.saving import size_of

FORMATS = ("tf1", "tf2", "dual")
FLOAT = 1


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("data", ["auto", "copy"])
def test_a_checkpoint_of_no_variables_converts(tmp_path, to, data):
    write_bundle(tmp_path / "c", {})
    new = ec.convert(tmp_path / "c", tmp_path / "n", to=to, data=data)
    assert len(ec.open_checkpoint(new)) == 0
    assert ec.verify(new).ok
    back = ec.convert(new, tmp_path / "back", to="tf1", data=data)
    assert len(ec.open_checkpoint(back)) == 0


@pytest.mark.parametrize("to", FORMATS)
def test_an_empty_objects_checkpoint_converts_and_tensorflow_reads_it(tmp_path, to):
    import tensorflow as tf

    prefix = tf.train.Checkpoint().save(str(tmp_path / "c"))
    new = ec.convert(prefix, tmp_path / "n", to=to)
    assert ec.verify(new).ok
    assert len(ec.open_checkpoint(new)) == 0
    assert isinstance(tf.train.load_checkpoint(new).get_variable_to_shape_map(), dict)
    if to != "tf1":
        checkpoint = tf.train.Checkpoint()
        checkpoint.restore(new).assert_consumed()
        assert checkpoint.save_counter.numpy() == 1


def test_filters_that_leave_nothing_of_something_are_still_an_error(tmp_path):
    write_bundle(tmp_path / "c", {"v": np.zeros(3)})
    with pytest.raises(CheckpointError, match="leave none of its 1 variables"):
        ec.convert(tmp_path / "c", tmp_path / "n", to="tf1", exclude="v")


def many_shards(prefix, number):
    os.makedirs(os.path.dirname(prefix))
    items = []
    for n in range(number):
        data = struct.pack("<f", n)
        with open(shard_path(prefix, n, number), "wb") as file:
            file.write(data)
        crc = checksum.mask(checksum.value(data))
        entry = Entry(FLOAT, (1,), shard_id=n, size=4, crc32c=crc)
        items.append((b"v%05d" % n, entry.serialize()))
    with open(index_path(prefix), "wb") as file:
        file.write(serialize_index(Header(num_shards=number), items))


@pytest.mark.parametrize("data", ["auto", "copy"])
def test_many_shards_do_not_wait_for_the_disk_one_by_one(tmp_path, monkeypatch, data):
    prefix = str(tmp_path / "old" / "c")
    many_shards(prefix, 1200)  # more than a process may have open
    operations = []
    change = system_calls.change

    def counted(operation, call, *arguments):
        operations.append(operation)
        return change(operation, call, *arguments)

    monkeypatch.setattr(system_calls, "change", counted)
    new = ec.convert(prefix, tmp_path / "new" / "n", to="dual", data=data)
    assert operations.count("sync directory") < 6
    assert data == "copy" or operations.count("sync") < 6
    with ec.open_checkpoint(new) as checkpoint:
        assert checkpoint.num_shards == 1201
        assert [checkpoint.read(f"v{n:05d}")[0] for n in (0, 700, 1199)] == [
            0,
            700,
            1199,
        ]
    assert ec.verify(new).ok


def test_state_that_only_an_object_graph_explains_stays_behind(tmp_path):
    """The state of an iterator is no variable of a TF1 checkpoint."""
    import tensorflow as tf

    iterator = iter(tf.data.Dataset.range(9))
    checkpoint = tf.train.Checkpoint(v=tf.Variable(3.0, name="v"), it=iterator)
    prefix = checkpoint.save(str(tmp_path / "c"))
    old = ec.open_checkpoint(prefix)
    assert any(key.startswith("it/.ATTRIBUTES/") for key in old.index)
    new = ec.convert(prefix, tmp_path / "n", to="tf1")
    assert set(ec.open_checkpoint(new).index) == {"v"}
    kept = ec.convert(prefix, tmp_path / "k", to="tf2")
    assert set(ec.open_checkpoint(kept).index) == set(old.index)


def test_entries_of_an_objects_table_get_its_name(tmp_path):
    import tensorflow as tf

    table = tf.lookup.experimental.MutableHashTable("string", "int64", -1, name="words")
    table.insert(["a", "b"], [1, 2])
    module = tf.Module()
    module.table, module.v = table, tf.Variable(3.0, name="v")
    prefix = tf.train.Checkpoint(module=module).save(str(tmp_path / "c"))
    new = ec.convert(prefix, tmp_path / "n", to="tf1")
    found = {key.decode() for key in ec.open_checkpoint(new).index.records}
    (name,) = {key[: -len("-keys")] for key in found if key.endswith("-keys")}
    assert found == {"v", f"{name}-keys", f"{name}-values"}
    assert not object_keys.is_object_key(name)
    with ec.open_checkpoint(new) as checkpoint:
        entries = zip(
            checkpoint.read(f"{name}-keys"), checkpoint.read(f"{name}-values")
        )
        assert dict(entries) == {b"a": 1, b"b": 2}


@pytest.mark.parametrize(
    ("options", "is_said"),
    [
        ({"exclude": "big"}, True),
        ({"exclude": "big", "data": "copy"}, False),
        ({}, False),
    ],
)
def test_that_links_keep_all_bytes_is_said(tmp_path, caplog, options, is_said):
    values = {"big": np.zeros(100_000), "small": np.arange(4)}
    write_bundle(tmp_path / "c", values)
    new = ec.convert(tmp_path / "c", tmp_path / "n", to="tf1", **options)
    assert ("data='copy' (--data=copy) writes only these" in caplog.text) == is_said
    if is_said:
        assert "all of their 800032 bytes stay, of which 32 are used" in caplog.text
    assert size_of(new) == (32 if options.get("data") else 800_032)
