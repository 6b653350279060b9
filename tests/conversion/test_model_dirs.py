"""Converted model dirs: every checkpoint, its times, the state file last."""

import os
import shutil

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint.paths import state_file
from tests.conversion import saving
from tests.testdata_paths import TESTDATA, V1_PREFIXES, session_values


def test_every_checkpoint_of_the_state_file_is_there(tmp_path):
    new = ec.convert_model_dir(TESTDATA / "digits", tmp_path / "new", to="tf2")
    assert [os.path.basename(p) for p in new] == [
        "model.ckpt-100",
        "model.ckpt-200",
        "model.ckpt-300",
    ]
    found = state_file.read(tmp_path / "new")
    assert found == state_file.read(TESTDATA / "digits")
    assert all(ec.verify(prefix).ok for prefix in new)
    assert ec.open_checkpoint(tmp_path / "new").global_step == 300
    assert (tmp_path / "new" / "graph.pbtxt").exists()


def test_an_estimator_goes_on_from_it(tmp_path):
    import tensorflow as tf

    from model_fns import digits

    ec.convert_model_dir(TESTDATA / "digits", tmp_path / "new", to="tf2")
    est = tf.estimator.Estimator(
        ec.with_scaffold("tf2")(digits.model_fn), str(tmp_path / "new")
    )
    est.train(digits.train_input_fn, max_steps=300)  # has been reached
    assert ec.open_checkpoint(tmp_path / "new").global_step == 300
    est.train(digits.train_input_fn, max_steps=301)
    assert ec.open_checkpoint(tmp_path / "new").global_step == 301


def test_checkpoints_keep_their_times(tmp_path):
    source = tmp_path / "old"
    shutil.copytree(TESTDATA / "digits", source)
    os.utime(source / "model.ckpt-100.index", (1e9, 1e9))
    ec.convert_model_dir(source, tmp_path / "new", to="dual")
    assert os.stat(tmp_path / "new" / "model.ckpt-100.index").st_mtime == 1e9


def test_what_is_gone_is_left_out_with_a_warning(tmp_path, caplog):
    source = tmp_path / "old"
    shutil.copytree(TESTDATA / "digits", source)
    for path in source.glob("model.ckpt-100.*"):
        path.unlink()
    new = ec.convert_model_dir(source, tmp_path / "new", to="tf1")
    assert len(new) == 2
    assert "model.ckpt-100: left out" in caplog.text
    assert "model.ckpt-100" not in state_file.read(tmp_path / "new").all


def test_a_moved_model_dir_gets_relative_paths(tmp_path):
    ec.convert_model_dir(TESTDATA / "state-files", tmp_path / "new", to="tf1")
    found = state_file.read(tmp_path / "new")
    assert found.latest == "model.ckpt-2"
    assert found.all == ("model.ckpt-1", "model.ckpt-2")


@pytest.mark.parametrize("name", V1_PREFIXES)
def test_checkpoints_of_the_v1_format_are_converted_too(tmp_path, name):
    new = ec.convert_model_dir(V1_PREFIXES[name].parent, tmp_path / "new", to="tf1")
    own = name.rpartition("/")[2]
    assert new == [str(tmp_path / "new" / own)]
    found = state_file.read(tmp_path / "new")
    assert (found.latest, found.all) == (own, (own,))
    with ec.open_checkpoint(tmp_path / "new") as checkpoint:
        assert checkpoint.global_step == session_values(name).get("global_step")


@pytest.mark.parametrize("source", ["values", "nothing"])
def test_what_is_no_model_dir_is_refused(tmp_path, source):
    with pytest.raises(ec.CheckpointError, match="not a model dir"):
        ec.convert_model_dir(TESTDATA / source, tmp_path / "new", to="tf1")


def test_the_same_dir_is_refused(tmp_path):
    shutil.copytree(TESTDATA / "est-tf1", tmp_path / "old")
    with pytest.raises(ec.CheckpointError, match="the same model dir"):
        ec.convert_model_dir(tmp_path / "old", tmp_path / "old", to="tf2")


def test_what_is_wrong_with_the_last_is_said_before_the_first_is_written(tmp_path):
    source = tmp_path / "old"
    saving.save(str(source / "c-1"), 1)
    write_bundle(source / "c-2", {"other": np.zeros(3)})
    content = state_file.CheckpointState(latest="c-2", all=("c-1", "c-2"))
    (source / "checkpoint").write_bytes(content.serialize())
    with pytest.raises(ec.CheckpointError, match="c-2: include and exclude leave none"):
        ec.convert_model_dir(source, tmp_path / "new", to="tf1", include="dense")
    assert not (tmp_path / "new").exists()
