"""What a model_fn's spec gets so that its job saves and restores as told."""

import os

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.estimator import spec_scaffolds
from estimator_ckpt.estimator.saving.saver_settings import Settings
from estimator_ckpt.estimator.saving.savers import FormatSaver
from tests import processes


def spec_of(mode):
    loss = tf1.get_variable("w", [], trainable=True) * 2
    tf1.train.get_or_create_global_step()
    return tf.estimator.EstimatorSpec(
        mode, loss=loss, train_op=tf.no_op(), predictions={"loss": loss}
    )


@pytest.mark.parametrize("mode", ["train", "eval", "infer"])
def test_a_spec_gets_our_saver_and_keeps_all_else(mode):
    with tf.Graph().as_default():
        spec = spec_of(mode)
        changed = spec_scaffolds.with_savers(spec, Settings(), None)
        assert isinstance(changed.scaffold.saver, FormatSaver)
        assert changed._replace(scaffold=spec.scaffold) == spec


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_only_training_would_begin_over_checkpoints(tmp_path, mode):
    write_bundle(str(tmp_path / "model.ckpt-3"), {"w": np.float32(1)})  # no state file
    config = tf.estimator.RunConfig(model_dir=str(tmp_path))
    with tf.Graph().as_default():
        spec = spec_of(mode)
        if mode == "train":
            with pytest.raises(ec.CheckpointError, match=r"model\.ckpt-3"):
                spec_scaffolds.with_savers(spec, Settings(), config)
        else:
            assert spec_scaffolds.with_savers(spec, Settings(), config).scaffold


def test_without_a_model_dir_there_is_nothing_to_look_at():
    look = spec_scaffolds.look_at_model_dir
    assert look(Settings(), None, is_training=True) is False


DECORATING = """
import sys
import estimator_ckpt as ec

@ec.with_scaffold("tf2")
@ec.warm_start_from("old", include="dense", assignment_map={"a/": "b/"})
def model_fn(features, labels, mode):
    pass

print(*(m for m in sys.modules if m.startswith("estimator_ckpt.")))
"""


def test_decorating_loads_nothing_that_only_a_run_needs(tmp_path):
    done = processes.run(["-c", DECORATING], cwd=str(tmp_path), env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "estimator_ckpt.estimator.scaffolds" in loaded
    for room in ("conversion", "bundle.index", "checkpoint.evidence", "maps.planner"):
        of_room = [m for m in loaded if f"{m}.".startswith(f"estimator_ckpt.{room}.")]
        assert of_room == []
