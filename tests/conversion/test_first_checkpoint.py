"""Warm starts offline: a model dir that begins with old values, at step 0."""

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import DestinationExistsError
from model_fns import digits
from tests.testdata_paths import PREFIXES, V1_PREFIXES

SOURCE = PREFIXES["digits/model.ckpt-300"]
FORMATS = ("tf1", "tf2", "dual")


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("before", FORMATS)
def test_an_estimator_goes_on_from_it(tmp_path, before, to):
    old = ec.convert(SOURCE, tmp_path / "old", to=before)
    prefix = ec.warm_start_model_dir(old, tmp_path / "new", to=to)
    assert prefix == str(tmp_path / "new" / "model.ckpt-0")
    with ec.open_checkpoint(prefix) as checkpoint, ec.open_checkpoint(old) as source:
        assert checkpoint.format == to
        assert checkpoint.global_step == 0
        assert set(checkpoint) == set(source)
        for name in set(source) - {"global_step"}:
            np.testing.assert_array_equal(checkpoint.read(name), source.read(name))
    est = tf.estimator.Estimator(
        ec.with_scaffold(to)(digits.model_fn), str(tmp_path / "new")
    )
    before_training = est.evaluate(digits.eval_input_fn)
    assert before_training["global_step"] == 0
    assert before_training["accuracy"] > 0.95
    est.train(digits.train_input_fn, max_steps=2)
    assert est.get_variable_value("global_step") == 2


@pytest.mark.parametrize("to", ["tf2", "dual"])
def test_tf2_code_consumes_it(tmp_path, to):
    prefix = ec.warm_start_model_dir(SOURCE, tmp_path / "new", to=to)
    with ec.open_checkpoint(prefix) as checkpoint:
        variables = {
            name: tf.Variable(tf.zeros(info.shape, info.dtype))
            for name, info in checkpoint.items()
            if name != "global_step"
        }
    step = tf.Variable(5, dtype=tf.int64)
    restored = tf.train.Checkpoint(var_list=variables, step=step)
    restored.restore(prefix).assert_consumed()
    assert step.numpy() == 0
    assert restored.save(str(tmp_path / "new" / "model.ckpt")).endswith("ckpt-1")


def test_an_object_based_source_keeps_its_own_keys(tmp_path):
    old = PREFIXES["guide-tf2/tf2-ckpt-1"]
    with ec.open_checkpoint(old) as source:
        keys = {name: info.key for name, info in source.items()}
    prefix = ec.warm_start_model_dir(old, tmp_path / "new")
    with ec.open_checkpoint(prefix) as checkpoint:
        assert {n: i.key for n, i in checkpoint.items() if n in keys} == keys
        assert checkpoint.global_step == 0


def test_model_leaves_optimizer_state_out_and_says_so(tmp_path, caplog):
    prefix = ec.warm_start_model_dir(SOURCE, tmp_path / "new", carry="model")
    with ec.open_checkpoint(prefix) as checkpoint:
        assert "bn1/moving_mean" in checkpoint
        assert not [n for n in checkpoint if "Adam" in n or "power" in n]
    assert "an Estimator with the same optimizer cannot start from it" in caplog.text


def test_trainable_reads_the_meta_file(tmp_path):
    prefix = ec.warm_start_model_dir(SOURCE, tmp_path / "new", carry="trainable")
    with ec.open_checkpoint(prefix) as checkpoint:
        assert "conv1/kernel" in checkpoint
        assert "bn1/moving_mean" not in checkpoint
    bare = ec.convert(SOURCE, tmp_path / "bare", to="tf2")  # without .meta
    with pytest.raises(ec.CheckpointError, match=r"\.meta: there is none"):
        ec.warm_start_model_dir(bare, tmp_path / "other", carry="trainable")
    assert not (tmp_path / "other").exists()


def test_maps_filters_and_reset_hold(tmp_path, caplog):
    prefix = ec.warm_start_model_dir(
        SOURCE,
        tmp_path / "new",
        assignment_map={"logits/": "head/"},
        exclude="conv2/",
        reset=["head/bias$", "nothing"],
    )
    with ec.open_checkpoint(prefix) as checkpoint:
        assert "head/kernel/Adam" in checkpoint
        assert "head/bias" not in checkpoint
        assert not [name for name in checkpoint if name.startswith("conv2/")]
    assert "the pattern 'nothing' matches no variable" in caplog.text


def test_averages_take_their_variables_places(tmp_path):
    source = PREFIXES["ema-momentum/model.ckpt-10"]
    prefix = ec.warm_start_model_dir(
        source, tmp_path / "new", assignment_map="builtin:use_ema"
    )
    with ec.open_checkpoint(source) as old, ec.open_checkpoint(prefix) as new:
        average = old.read("out/kernel/ExponentialMovingAverage")
        np.testing.assert_array_equal(new.read("out/kernel"), average)


def test_v1_sources_are_read_through_tensorflow(tmp_path):
    (name, *_) = V1_PREFIXES
    prefix = ec.warm_start_model_dir(V1_PREFIXES[name], tmp_path / "new")
    with ec.open_checkpoint(prefix) as checkpoint:
        assert checkpoint.global_step == 0
    assert ec.verify(prefix).ok


def test_a_model_dir_with_checkpoints_is_refused(tmp_path):
    ec.warm_start_model_dir(SOURCE, tmp_path / "new")
    with pytest.raises(DestinationExistsError, match="has checkpoints already"):
        ec.warm_start_model_dir(SOURCE, tmp_path / "new")
    ec.warm_start_model_dir(SOURCE, tmp_path / "new", to="tf1", overwrite=True)
    assert ec.open_checkpoint(tmp_path / "new").format == "tf1"
    with pytest.raises(DestinationExistsError, match="the same model dir"):
        ec.warm_start_model_dir(tmp_path / "new", tmp_path / "new", overwrite=True)


def test_strict_refuses_what_matches_nothing(tmp_path):
    with pytest.raises(ec.CheckpointError, match="'nothing' matches no variable"):
        ec.warm_start_model_dir(
            SOURCE, tmp_path / "new", include=[".*", "nothing"], strict=True
        )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("to", FORMATS)
def test_one_scope_becomes_two(tmp_path, to):
    two = {"logits/": ["policy/", "target/"]}
    planned = ec.warm_start_model_dir(
        SOURCE, tmp_path / "new", to=to, assignment_map=two, strict=True
    )
    with ec.open_checkpoint(SOURCE) as old, ec.open_checkpoint(planned) as new:
        assert new.global_step == 0
        for end in ("kernel", "bias", "kernel/Adam", "bias/Adam_1"):
            for scope in ("policy", "target"):
                np.testing.assert_array_equal(
                    new.read(f"{scope}/{end}"), old.read(f"logits/{end}")
                )
        assert not any(name.startswith("logits/") for name in new)
