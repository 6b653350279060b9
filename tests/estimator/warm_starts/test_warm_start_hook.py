"""Warm starts from several sources, and from SavedModels."""

import logging
import os

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle.writer import write_bundle
from tests.estimator import counting
from tests.estimator.helpers import ec

FORMATS = ("tf1", "tf2", "dual")


def filled(**values):
    """A model_fn of vectors [2] with initial values, that no step changes."""

    def model_fn(features, labels, mode):
        step = tf1.train.get_or_create_global_step()
        variables = [
            tf1.get_variable(
                name.replace("__", "/"), [2], initializer=tf1.constant_initializer(v)
            )
            for name, v in values.items()
        ]
        whole = tf.stack(variables)
        return tf.estimator.EstimatorSpec(
            mode,
            predictions={"all": tf.expand_dims(whole, 0)},
            export_outputs={"y": tf.estimator.export.PredictOutput(whole)},
            loss=tf.reduce_sum(whole),
            train_op=step.assign_add(1),
        )

    return model_fn


@pytest.fixture(params=FORMATS)
def sources(request, tmp_path):
    """Two model dirs: a tower and a shared vector in each."""
    format = request.param
    counting.train(
        tmp_path / "one", 3, format, filled(tower__w=1.0, shared=10.0, head=100.0)
    )
    counting.train(
        tmp_path / "two", 3, format, filled(tower__w=2.0, shared=20.0, head=200.0)
    )
    return tmp_path / "one", tmp_path / "two"


TWO_TOWERS = filled(one__w=-1.0, two__w=-1.0, shared=-1.0, head=-1.0, new=-1.0)


def first_of(model_dir):
    with ec.open_checkpoint(f"{model_dir}/model.ckpt-0") as found:
        assert found.global_step == 0
        return {name: found.read(name)[0] for name in found if name != "global_step"}


@pytest.mark.parametrize("between", [False, True])
def test_two_sources_into_one_model(sources, tmp_path, between, caplog):
    one, two = sources
    fn = ec.warm_start_from(
        one, assignment_map={"tower/": "one/"}, exclude="head", strict=False
    )(TWO_TOWERS)
    if between:
        fn = ec.with_scaffold("dual")(fn)
    fn = ec.warm_start_from(
        two, assignment_map={"tower/": "two/"}, include=["two/", "head"], strict=True
    )(fn)
    if not between:
        fn = ec.with_scaffold("dual")(fn)
    caplog.set_level(logging.INFO, "estimator_ckpt")
    tf.estimator.Estimator(fn, str(tmp_path / "new")).train(counting.input_fn, steps=1)
    expected = {"one/w": 1.0, "two/w": 2.0, "shared": 10.0, "head": 200.0, "new": -1.0}
    assert first_of(tmp_path / "new") == expected
    # What the other source gives is not missed.
    assert "two/w: not in source" not in caplog.text
    assert "new: not in source" in caplog.text


def test_strict_asks_for_what_no_source_gives(sources, tmp_path):
    one, two = sources
    fn = ec.warm_start_from(one, assignment_map={"tower/": "one/"}, strict=True)(
        ec.warm_start_from(
            two, assignment_map={"tower/": "two/"}, include="two/", strict=True
        )(TWO_TOWERS)
    )
    with pytest.raises(ec.CheckpointError, match=r"strict.*'new': not in") as caught:
        tf.estimator.Estimator(fn, str(tmp_path / "new")).train(
            counting.input_fn, steps=1
        )
    assert "'two/w'" not in str(caught.value)
    assert isinstance(caught.value, ValueError)  # as of init_from_checkpoint


def test_a_variable_carried_twice_is_an_error_that_names_all(sources, tmp_path):
    one, two = sources
    fn = ec.warm_start_from(one)(ec.warm_start_from(two, exclude="tower")(TWO_TOWERS))
    with pytest.raises(ec.CheckpointError, match="carried twice") as caught:
        tf.estimator.Estimator(fn, str(tmp_path / "new")).train(
            counting.input_fn, steps=1
        )
    message = str(caught.value)
    assert f"'shared' from {two}/model.ckpt-3 and from {one}/model.ckpt-3" in message
    assert "'head'" in message
    assert "\n" not in message


def test_bytes_that_are_needed_and_missing_stop_a_job_before_it_starts(tmp_path):
    """`a` lies before `b`, and alone it is whole."""
    ones = np.ones(2, np.float32)
    write_bundle(tmp_path / "old" / "model.ckpt-3", {"a": ones, "b": ones})
    shard = tmp_path / "old" / "model.ckpt-3.data-00000-of-00001"
    os.truncate(shard, 8)
    source = tmp_path / "old" / "model.ckpt-3"
    job = tf.estimator.Estimator(ec.warm_start_from(source)(filled(a=0.0, b=0.0)))
    with pytest.raises(ec.CheckpointError, match="cut off: it has 8 bytes of 16"):
        job.train(counting.input_fn, steps=1)
    fn = ec.warm_start_from(source, include="a")(filled(a=0.0, b=0.0))
    job = tf.estimator.Estimator(fn, str(tmp_path / "new"))
    job.train(counting.input_fn, steps=1)
    assert first_of(tmp_path / "new") == {"a": 1.0, "b": 0.0}


def test_a_saved_model_dir_is_a_source(sources, tmp_path):
    one, _ = sources
    est = counting.job(one, "tf1", filled(tower__w=0.0, shared=0.0, head=0.0))
    receiver = tf.estimator.export.build_raw_serving_input_receiver_fn(
        {"x": tf1.placeholder_with_default([0.0], [None])}
    )
    exported = est.export_saved_model(str(tmp_path / "export"), receiver).decode()
    fn = ec.warm_start_from(exported, strict=True)(
        filled(tower__w=0.0, shared=0.0, head=0.0)
    )
    job = tf.estimator.Estimator(fn, str(tmp_path / "new"))
    job.train(counting.input_fn, steps=1)
    assert first_of(tmp_path / "new") == {"tower/w": 1.0, "shared": 10.0, "head": 100.0}
    settings = ec.warm_start_settings(exported)
    again = tf.estimator.Estimator(
        filled(tower__w=0.0, shared=0.0, head=0.0),
        str(tmp_path / "settings"),
        warm_start_from=settings,
    )
    again.train(counting.input_fn, steps=1)
    found = next(again.predict(counting.input_fn))["all"]
    np.testing.assert_array_equal(found, [[1.0] * 2, [10.0] * 2, [100.0] * 2])
