"""Which files make a checkpoint whole, asked before anything is done with it."""

import os
import shutil

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import CorruptDataError
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint.paths import wholeness
from tests import testdata_paths
from tests.testdata_paths import PREFIXES, TESTDATA


def no_shard(path):
    path.unlink()


def empty(path):
    os.truncate(path, 0)


def short(path):
    os.truncate(path, path.stat().st_size - 1)


def directory(path):
    path.unlink()
    path.mkdir()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def dangling(path):
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize("name", testdata_paths.PREFIXES)
def test_what_tensorflow_wrote_is_whole(name):
    with ec.open_checkpoint(PREFIXES[name]) as checkpoint:
        checkpoint.require_whole()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (no_shard, "the shard is missing"),
        (dangling, "the shard is missing"),
        (empty, "the shard is cut off: it has 0 bytes of"),
        (short, "the shard is cut off"),
        (directory, "not a regular file"),
        (pipe, "not a regular file"),
    ],
)
def test_a_shard_that_is_not_what_it_should_be_is_told(tmp_path, damage, message):
    for path in (TESTDATA / "digits").glob("model.ckpt-300.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    shard = tmp_path / "model.ckpt-300.data-00000-of-00001"
    damage(shard)
    checkpoint = ec.open_checkpoint(tmp_path / "model.ckpt-300")
    with pytest.raises(ec.CheckpointError, match=message) as caught:
        checkpoint.require_whole()
    assert str(shard) in str(caught.value)


def require_stored(checkpoint, variables):
    wholeness.require_stored(checkpoint.prefix, checkpoint.index, variables)


def test_of_listed_variables_those_bytes_are_needed_that_are_theirs(tmp_path):
    ones = np.ones(2, np.float32)
    write_bundle(str(tmp_path / "c"), {"a": ones, "b": ones})
    (tmp_path / "c.data-00000-of-00001").write_bytes(bytes(8))
    with ec.open_checkpoint(tmp_path / "c") as checkpoint:
        a, b = checkpoint.values()
        checkpoint.index.forget_wholes()
        require_stored(checkpoint, [a])
        with pytest.raises(CorruptDataError, match="has 8 bytes of 16"):
            require_stored(checkpoint, [b, a])
        with pytest.raises(CorruptDataError, match="has 8 bytes of 16"):
            require_stored(checkpoint, [a, b])


def test_a_variable_without_bytes_needs_its_shard_all_the_same(tmp_path):
    write_bundle(str(tmp_path / "c"), {"empty": np.ones(0, np.float32)})
    with ec.open_checkpoint(tmp_path / "c") as checkpoint:
        variables = list(checkpoint.values())
        require_stored(checkpoint, variables)
        (tmp_path / "c.data-00000-of-00001").unlink()
        with pytest.raises(CorruptDataError, match="the shard is missing"):
            require_stored(checkpoint, variables)


def test_a_partitioned_variable_that_was_listed_needs_its_slices_bytes(tmp_path):
    prefix = PREFIXES["embedding-sharded/model.ckpt-20"]
    for path in prefix.parent.glob(f"{prefix.name}.*"):
        shutil.copy(path, tmp_path)
    with ec.open_checkpoint(tmp_path / prefix.name) as checkpoint:
        parted = [variable for variable in checkpoint.values() if variable.num_slices]
        assert parted
        checkpoint.index.forget_wholes()
        require_stored(checkpoint, parted)
        for shard in tmp_path.glob("*.data-*"):
            os.truncate(shard, 0)
        with pytest.raises(CorruptDataError, match="has 0 bytes of"):
            require_stored(checkpoint, parted)
