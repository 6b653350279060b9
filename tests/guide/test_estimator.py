"""TF2 checkpoints in Estimator: one job saves TF1, the next TF2, warm-started."""

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from model_fns import guide
from tests.guide.blocks import ours, printed, value
from tests.testdata_paths import TESTDATA


def guides_tf2_model_fn(features, labels, mode):
    """The guide's recipe: the model_fn itself makes a Checkpoint for its Scaffold."""
    spec = guide.model_fn(features, labels, mode)
    (var,) = (v for v in tf1.global_variables() if v.op.name == "var")
    checkpoint = tf.train.Checkpoint(
        var_list={"var": var}, step=tf1.train.get_global_step()
    )
    return spec._replace(scaffold=tf1.train.Scaffold(saver=checkpoint))


@pytest.fixture
def old(tmp_path):
    est = tf.estimator.Estimator(guide.model_fn, str(tmp_path / "est-tf1"))
    est.train(guide.input_fn, steps=1)
    return tmp_path / "est-tf1"


def test_the_first_job_saves_names(old):
    expected = {"var": 2.0, "global_step": 1}
    assert printed(str(old)) == ours(old) == expected
    assert ours(TESTDATA / "est-tf1") == expected  # by a real TensorFlow 1.15


def test_the_guides_second_job(tmp_path, old):
    est = tf.estimator.Estimator(
        guides_tf2_model_fn, str(tmp_path / "est-tf2"), warm_start_from=str(old)
    )
    est.train(guide.input_fn, steps=1)
    assert printed(str(tmp_path / "est-tf2")) == {
        value("var_list", "var"): 4.0,
        value("step"): 1,
    }


@pytest.mark.parametrize("source", ["old", "real"])
def test_ours_ends_with_the_same_values(tmp_path, old, source):
    source = old if source == "old" else TESTDATA / "est-tf1"
    fn = ec.with_scaffold("tf2")(ec.warm_start_from(source)(guide.model_fn))
    est = tf.estimator.Estimator(fn, str(tmp_path / "est-tf2"))
    est.train(guide.input_fn, steps=1)
    found = printed(str(tmp_path / "est-tf2"))
    assert found[value("var_list", "var")] == 4.0
    assert found[value("step")] == 1


def test_the_guides_recipe_decorated_keeps_its_keys_without_its_traps(tmp_path):
    est = tf.estimator.Estimator(
        ec.with_scaffold("tf2")(guides_tf2_model_fn), str(tmp_path)
    )
    est.train(guide.input_fn, steps=1)
    var, step = tf.Variable(0.0), tf.Variable(0, dtype=tf.int64)
    root = tf.train.Checkpoint(var_list={"var": var}, step=step)
    root.restore(tf.train.latest_checkpoint(str(tmp_path))).assert_consumed()
    assert (var.numpy(), step.numpy()) == (2.0, 1)


def test_three_steps_in_tf1_and_five_warm_started_make_16(tmp_path):
    fn = ec.with_scaffold("tf2")(
        ec.warm_start_from(TESTDATA / "est-tf1-3steps")(guide.model_fn)
    )
    tf.estimator.Estimator(fn, str(tmp_path)).train(guide.input_fn, steps=5)
    assert ours(tmp_path) == {"var": 16.0, "global_step": 5}


def test_the_step_leaks_where_all_variables_are_warm_started_the_plain_way(tmp_path):
    """Why warm_start_from never carries it."""
    settings = tf.estimator.WarmStartSettings(
        str(TESTDATA / "est-tf1-3steps"), vars_to_warm_start=[".*"]
    )
    est = tf.estimator.Estimator(
        guide.model_fn, str(tmp_path), warm_start_from=settings
    )
    est.train(guide.input_fn, steps=1)
    assert ours(tmp_path)["global_step"] == 4
