"""The state file: read as any TensorFlow writes it, written as 2.15 does."""

import contextlib
import time
import tracemalloc

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint.paths import state_file


@pytest.mark.parametrize("name", ["model.ckpt-1", "schön/модель-1", 'a"b\\c', "a\nb"])
def test_what_tensorflow_writes_is_read_and_what_we_write_it_reads(tmp_path, name):
    path = str(tmp_path / name)
    tf.io.gfile.makedirs(str(tmp_path / "dir"))
    tf1.train.update_checkpoint_state(
        str(tmp_path / "dir"), path, all_model_checkpoint_paths=["/x/old", path]
    )
    found = state_file.read(tmp_path / "dir")
    assert found.latest == path
    assert found.all == ("/x/old", path)
    (tmp_path / "dir" / "checkpoint").write_bytes(found.serialize())
    theirs = tf1.train.get_checkpoint_state(str(tmp_path / "dir"))
    assert theirs.model_checkpoint_path == path


def test_raw_utf8_is_read_as_tensorflow_2_21_writes_it():
    found = state_file.parse('model_checkpoint_path: "schön"\n'.encode(), "here")
    assert found.latest == "schön"
    assert b"sch\\303\\266n" in found.serialize()


def test_timestamps_are_kept_only_if_they_are_there(tmp_path):
    v = tf.Variable(1.0)
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(v=v), str(tmp_path), 2)
    manager.save()
    manager.save()
    found = state_file.read(tmp_path)
    assert len(found.timestamps) == len(found.all) == 2
    assert found.last_preserved is not None
    assert state_file.parse(found.serialize(), "here") == found
    assert b"timestamp" not in state_file.CheckpointState("a", ("a",)).serialize()


@pytest.mark.parametrize("content", [b"\x00\x01", b"a b c", b'all_model: "x"', b""])
def test_a_damaged_state_file_is_one_clear_line(content):
    with pytest.raises(CheckpointError, match=r"here: .*state file"):
        state_file.parse(content, "here")


def test_a_large_state_file_is_read_in_one_pass():
    paths = [f"/data/models/run/model.ckpt-{step}" for step in range(100_000)]
    state = state_file.CheckpointState(
        paths[-1], tuple(paths), tuple(map(float, range(100_000)))
    )
    data = state.serialize()
    start = time.process_time()
    assert state_file.parse(data, "here") == state
    assert time.process_time() - start < 5  # it took 30 s when it was quadratic


@pytest.mark.parametrize(
    "data",
    [
        b"a" * 1_000_000,
        b" " * 1_000_000,
        b"\n" * 1_000_000 + b"model_checkpoint_path",
        b'model_checkpoint_path: "' + b"\\" * 1_000_000,
        b'model_checkpoint_path: "' + b"\\a" * 500_000,
        b"last_preserved_timestamp: " + b"9" * 1_000_000,
        b'model_checkpoint_path: "x"\n' * 1 + b"x: 1e" + b"9" * 1_000_000,
        b'model_checkpoint_path: "x"\n' + b"a:1" * 300_000,
    ],
    ids=range(8),
)
def test_a_hostile_state_file_costs_what_it_is(data):
    start = time.process_time()
    tracemalloc.start()
    with contextlib.suppress(CheckpointError):
        state_file.parse(data, "here")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - start < 5
    assert peak < 100 * len(data)


def test_an_escape_that_is_no_octal_number_stands_for_itself():
    found = state_file.parse(b'model_checkpoint_path: "a\\9\\101\\x42\\y"', "here")
    assert found.latest == "a9ABy"
