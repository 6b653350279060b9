"""Saved checkpoints take their places whole; who reads the old one goes on."""

import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.bundle.index import index_path
from estimator_ckpt.estimator.restoring import job_sources
from estimator_ckpt.estimator.saving import commits
from tests.estimator import counting

FORMATS = ("tf1", "tf2", "dual")


@pytest.fixture
def model_dir(tmp_path):
    """A tf1 model dir with the checkpoints 1 and 2."""
    counting.train(tmp_path / "job", 2, "tf1")
    return tmp_path / "job"


@pytest.mark.parametrize("format", FORMATS)
def test_a_resumed_job_leaves_the_checkpoint_that_it_restored_as_it_is(
    tmp_path, format
):
    counting.train(tmp_path, 2, format)
    inodes = {p.name: p.stat().st_ino for p in tmp_path.glob("model.ckpt-2.[id]*")}
    assert len(inodes) == 2
    counting.train(tmp_path, 1, format)
    found = {p.name: p.stat().st_ino for p in tmp_path.glob("model.ckpt-2.[id]*")}
    assert found == inodes


@pytest.mark.parametrize("format", ["tf2", "dual"])
def test_a_reader_of_what_a_job_replaces_finishes(model_dir, format):
    prefix = str(model_dir / "model.ckpt-2")
    reader = tf.train.load_checkpoint(prefix)  # has read the index, and no shard
    ours = ec.open_checkpoint(prefix)
    counting.train(model_dir, 1, format, config={"keep_checkpoint_max": 9})
    with ec.open_checkpoint(prefix) as found:
        assert found.format == format
    np.testing.assert_array_equal(reader.get_tensor("counter"), [2.0] * 3)
    np.testing.assert_array_equal(ours.read("counter"), [2.0] * 3)


def test_what_was_replaced_goes_with_the_checkpoint(model_dir):
    for format in ("tf2", "dual", "tf1"):
        counting.train(model_dir, 1, format)
        shards = list(model_dir.glob("model.ckpt-*.data-*"))
        assert len(shards) <= 5  # one generation of each that was resumed from
    counting.train(model_dir, 3, "tf1")
    assert sorted(p.name for p in model_dir.glob("model.ckpt-*")) == [
        f"model.ckpt-{step}.{what}"
        for step in (7, 8)
        for what in ("data-00000-of-00001", "index", "meta")
    ]


def test_a_job_that_saves_anew_what_is_being_evaluated(model_dir):
    """The index is read, then replaced, then the shards are read."""
    copy = shutil.copytree(model_dir, model_dir.parent / "copy")
    counting.train(copy, 1, "tf2")
    est = counting.job(model_dir, "tf2")
    read, left = job_sources.read, [1]

    def read_and_replace(prefix, *args, **kwargs):
        found = read(prefix, *args, **kwargs)
        if left and left.pop():
            for path in copy.glob("model.ckpt-2.[id]*"):
                shutil.copy(path, model_dir)
        return found

    job_sources.read = read_and_replace
    try:
        assert est.evaluate(counting.input_fn, steps=1)["loss"] == 6.0
    finally:
        job_sources.read = read


class TestReplacing:
    def test_a_checkpoint_of_the_same_values_is_the_same(self, model_dir):
        prefix = str(model_dir / "model.ckpt-2")
        other = prefix.replace("job", "other")
        shutil.copytree(model_dir, os.path.dirname(other))
        assert commits.is_same(other, prefix, {})
        assert not commits.is_same(other, prefix, {"once more": "counter"})
        assert not commits.is_same(other, prefix[:-1] + "1", {})

    def test_a_damaged_index_is_never_the_same(self, model_dir):
        prefix = str(model_dir / "model.ckpt-2")
        shutil.copytree(model_dir, model_dir.parent / "other")
        os.truncate(index_path(prefix), 20)
        other = str(model_dir.parent / "other" / "model.ckpt-2")
        assert not commits.is_same(other, prefix, {})
        commits.replace(other, prefix, {})
        assert ec.verify(prefix).ok


def test_a_failed_save_leaves_nothing(tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.get_or_create_global_step()
        tf.compat.v1.get_variable("never_initialized", [2])
        saver = ec.scaffold("tf2").finalize().saver
        with pytest.raises(tf.errors.OpError):
            saver.save(session, str(tmp_path / "model.ckpt"), global_step=1)
    assert list(tmp_path.iterdir()) == []
