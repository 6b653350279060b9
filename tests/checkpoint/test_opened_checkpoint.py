"""A checkpoint as its variables: a mapping, with values and totals."""

import re

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CorruptDataError, TensorNotFoundError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.writer import write_bundle
from tests import testdata_paths
from tests.bundle.helpers import crc, write_raw
from tests.testdata_paths import PREFIXES, TESTDATA

PREFIX = str(TESTDATA / "digits" / "model.ckpt-300")


@pytest.mark.parametrize("name", testdata_paths.PREFIXES)
def test_values_are_those_of_the_session(name):
    with ec.open_checkpoint(testdata_paths.PREFIXES[name]) as checkpoint:
        for key, value in testdata_paths.session_values(name).items():
            found = checkpoint.read(key)
            if found.dtype == object:
                assert found.tolist() == value.tolist()
            else:
                assert found.dtype == value.dtype
                assert found.tobytes() == value.tobytes()


def test_what_the_index_says_of_a_variable():
    info = ec.open_checkpoint(PREFIX)["conv1/kernel/Adam"]
    assert info.dtype == "float32"
    assert info.shape == (3, 3, 1, 8)
    assert info.size == 3 * 3 * 8 * 4
    assert info.slot_of == "conv1/kernel"
    sliced = ec.open_checkpoint(TESTDATA / "embedding-sharded")["embedding/weights"]
    assert (sliced.num_slices, sliced.shard) == (3, None)
    assert sliced.size == 1088 * 4 * 4


def test_it_says_what_it_is():
    checkpoint = ec.open_checkpoint(PREFIX)
    assert "tf1, 31 variables, global step 300" in repr(checkpoint)
    assert "<td>conv1/kernel</td>" in checkpoint._repr_html_()


def test_it_is_a_mapping():
    checkpoint = ec.open_checkpoint(PREFIX)
    assert checkpoint.get("nothing") is None
    assert "conv1/kernel" in checkpoint
    assert checkpoint.index.get("nothing") is None


def test_an_unknown_name_is_met_with_near_ones():
    with pytest.raises(ec.CheckpointError, match="near: 'conv1/kernel'"):
        ec.open_checkpoint(PREFIX)["conv1/kernl"]


def test_it_is_whole_or_says_which_shard_is_not(tmp_path):
    prefix = str(tmp_path / "c")
    write_bundle(prefix, {"w": np.arange(6, dtype=np.float32)})
    with ec.open_checkpoint(prefix) as checkpoint:
        checkpoint.require_whole()
        assert checkpoint.is_bundle
        (tmp_path / "c.data-00000-of-00001").write_bytes(b"")
        with pytest.raises(CorruptDataError, match="00000-of-00001"):
            checkpoint.require_whole()


def test_it_is_whole_for_those_of_its_variables_whose_bytes_are_there(tmp_path):
    ones = np.ones(2, np.float32)
    write_bundle(str(tmp_path / "c"), {"a": ones, "b": ones})
    (tmp_path / "c.data-00000-of-00001").write_bytes(bytes(8))
    with ec.open_checkpoint(tmp_path / "c") as checkpoint:
        checkpoint.require_whole(["a"])
        for names in (["b"], ["a", "b"], None):
            with pytest.raises(CorruptDataError, match="has 8 bytes of 16"):
                checkpoint.require_whole(names)


def test_pieces_and_chunks_are_the_value(tmp_path):
    value = np.arange(600_000, dtype=np.float32)
    write_bundle(str(tmp_path / "c"), {"w": value})
    with ec.open_checkpoint(tmp_path / "c") as checkpoint:
        pieces = list(checkpoint.pieces("w"))
        assert len(pieces) > 1
        np.testing.assert_array_equal(np.concatenate(pieces), value)
        assert b"".join(map(bytes, checkpoint.chunks(b"w"))) == value.tobytes()


@pytest.mark.parametrize(
    ("step", "found"),
    [(np.int64(7), 7), (np.int32(-1), -1), (np.float32(7), None), (None, None)],
)
def test_the_global_step_is_a_whole_number(tmp_path, step, found):
    values = {"w": np.float32(1)} | ({} if step is None else {"global_step": step})
    write_bundle(str(tmp_path / "c"), values)
    with ec.open_checkpoint(tmp_path / "c") as checkpoint:
        assert checkpoint.global_step == found


def test_the_global_step_of_a_big_endian_bundle(tmp_path):
    data = (300).to_bytes(8, "big")
    entry = Entry(9, (), 0, 0, len(data), crc(data))  # int64
    header = Header(big_endian=True)
    write_raw(tmp_path / "c", data, {b"global_step": entry}, header)
    with ec.open_checkpoint(tmp_path / "c") as checkpoint:
        assert checkpoint.global_step == checkpoint.read("global_step") == 300


def test_a_global_step_that_is_damaged_is_told_and_not_shown(tmp_path):
    write_bundle(str(tmp_path / "c"), {"global_step": np.int64(7)})
    shard = tmp_path / "c.data-00000-of-00001"
    shard.write_bytes(bytes([shard.read_bytes()[0] ^ 1]) + shard.read_bytes()[1:])
    checkpoint = ec.open_checkpoint(tmp_path / "c")
    with pytest.raises(CorruptDataError, match="'global_step' is damaged"):
        _ = checkpoint.global_step


@pytest.mark.parametrize("name", ["partition-dtypes", "object-based", "hashtable"])
def test_what_is_listed_is_what_is_stored_less_the_roles(name):
    with ec.open_checkpoint(TESTDATA / name) as found:
        rows, listed = found.everything(), found.listed()
    assert [row.name for row in listed] == [row.name for row in rows]
    for one, row in zip(listed, rows):
        assert one == tuple(getattr(row, field) for field in one._fields)


def test_what_is_no_name_is_not_there():
    with ec.open_checkpoint(PREFIXES["digits/model.ckpt-300"]) as checkpoint:
        for wrong in (5, None, b"global_step"):
            said = re.escape(f"{wrong!r}: a name is a str, not of the type ")
            with pytest.raises(TensorNotFoundError, match=said):
                checkpoint.read(wrong)
            with pytest.raises(KeyError, match=said):
                checkpoint[wrong]
            assert wrong not in checkpoint
            assert checkpoint.get(wrong) is None
