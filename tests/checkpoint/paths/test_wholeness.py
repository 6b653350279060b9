"""Which files make a checkpoint whole, asked before anything is done with it."""

import os

import pytest

import estimator_ckpt as ec
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
