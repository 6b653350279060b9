"""`tf.io.gfile` as a store: the same answers as the local one, wherever it reaches."""

import uuid

import numpy as np
import pytest
import tensorflow as tf

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, CheckpointNotFoundError
from estimator_ckpt.checkpoint import opening
from estimator_ckpt.checkpoint.paths import prefixes
from estimator_ckpt.checkpoint.verify import verify_in
from estimator_ckpt.estimator import gfile_store
from tests.testdata_paths import TESTDATA, session_values

NAME = "embedding-sharded/model.ckpt-20"


@pytest.fixture
def remote():
    """A model dir in a file system that only TensorFlow knows."""
    directory = f"ram://{uuid.uuid4().hex}"
    for path in (TESTDATA / "embedding-sharded").iterdir():
        with tf.io.gfile.GFile(f"{directory}/{path.name}", "wb") as file:
            file.write(path.read_bytes())
    return directory


def test_a_local_path_is_in_the_local_store():
    assert gfile_store.of("/a/b") is files
    assert gfile_store.of("ram://a/b") is gfile_store


def test_a_remote_checkpoint_is_opened_read_and_verified(remote):
    place = prefixes.find(remote, gfile_store)
    assert place.prefix == f"{remote}/model.ckpt-20"
    with opening.opened(remote, store=gfile_store) as checkpoint:
        checkpoint.require_whole()
        for name, value in session_values(NAME).items():
            np.testing.assert_array_equal(checkpoint.read(name), value)
    assert verify_in(gfile_store, place).ok


def test_its_damage_is_found(remote):
    path = f"{remote}/model.ckpt-20.data-00001-of-00002"
    with tf.io.gfile.GFile(path, "rb") as file:
        content = file.read()
    place = prefixes.find(remote, gfile_store)
    gfile_store.put(path, content[:-1])
    assert not verify_in(gfile_store, place).ok
    with pytest.raises(CheckpointError, match="cut off"):
        opening.opened(remote, store=gfile_store).require_whole()
    gfile_store.delete(path)
    with pytest.raises(CheckpointError, match="the shard is missing"):
        opening.opened(remote, store=gfile_store).require_whole()


def test_what_is_written_is_whole_and_what_is_missing_is_said(remote):
    gfile_store.make_dirs(f"{remote}/a/b")
    gfile_store.put(f"{remote}/a/b/file", b"one")
    gfile_store.put(f"{remote}/a/b/file", b"second")
    assert gfile_store.read(f"{remote}/a/b/file") == b"second"
    assert gfile_store.size(f"{remote}/a/b/file") == 6
    gfile_store.rename(f"{remote}/a/b/file", f"{remote}/a/b/other")
    assert gfile_store.list_dir(f"{remote}/a/b") == ["other"]
    assert gfile_store.is_dir(f"{remote}/a")
    assert not gfile_store.exists(f"{remote}/a/b/file")
    with pytest.raises(CheckpointNotFoundError):
        gfile_store.read(f"{remote}/a/b/file")
    with pytest.raises(CheckpointNotFoundError):
        gfile_store.delete(f"{remote}/a/b/file")
    gfile_store.delete(f"{remote}/a/b/file", missing_ok=True)


def test_a_range_and_the_end_of_a_file(remote):
    gfile_store.put(f"{remote}/file", bytes(range(100)))
    file = gfile_store.open_file(f"{remote}/file")
    assert file.read(10, 3) == b"\n\x0b\x0c"
    assert b"".join(file.chunks(95, 5)) == bytes(range(95, 100))
    assert file.map()[99] == 99
    with pytest.raises(CheckpointError, match="ends before byte 101"):
        file.read(99, 2)
    file.close()


def test_a_directory_is_no_file(remote):
    gfile_store.make_dirs(f"{remote}/dir")
    with pytest.raises(CheckpointError):
        gfile_store.open_file(f"{remote}/dir")
