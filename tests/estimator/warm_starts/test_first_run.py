"""A job's first run, which begins with the variables of an old checkpoint."""

import json

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.estimator.warm_starts import first_run
from estimator_ckpt.maps.choices import Choice
from tests.testdata_paths import PREFIXES

DIGITS = PREFIXES["digits/model.ckpt-300"]


def warm_started(config, source=DIGITS):
    with tf.Graph().as_default():
        loss = tf1.get_variable("bn1/beta", [8])[0]
        tf1.train.get_or_create_global_step()
        spec = tf.estimator.EstimatorSpec("train", loss=loss, train_op=tf.no_op())
        choice = Choice.of(carry="model")
        changed = first_run.warm_started(
            spec, config, source, choice, vocabularies={}, strict=False
        )
        return spec, changed


def test_a_job_that_begins_gets_a_hook_and_a_scaffold(tmp_path):
    config = tf.estimator.RunConfig(model_dir=str(tmp_path))
    spec, changed = warm_started(config)
    assert len(changed.training_hooks) == len(spec.training_hooks) + 1


def test_a_job_that_has_a_checkpoint_needs_no_source(tmp_path):
    ec.convert(DIGITS, tmp_path / "model.ckpt-300", to="tf1")
    config = tf.estimator.RunConfig(model_dir=str(tmp_path))
    spec, changed = warm_started(config, source="no such checkpoint")
    assert changed.training_hooks == spec.training_hooks
    assert changed.scaffold is not spec.scaffold  # which looks that it is still there


def test_a_source_that_is_none_is_an_error():
    with pytest.raises(ec.CheckpointError, match="no such checkpoint"):
        warm_started(None, source="no such checkpoint")


def test_workers_that_are_not_the_chief_change_nothing(tmp_path, monkeypatch):
    cluster = {"chief": ["a:1"], "worker": ["b:1"], "ps": ["c:1"]}
    task = {"type": "worker", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    config = tf.estimator.RunConfig(model_dir=str(tmp_path))
    spec, changed = warm_started(config, source="no such checkpoint")
    assert changed is spec
