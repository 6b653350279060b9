"""A CheckpointSaverHook of the model_fn's own saves through our saver."""

import logging

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from tests.estimator import counting
from tests.estimator.counting import steps_in

FORMATS = ("tf1", "tf2", "dual")


class Special(tf1.train.CheckpointSaverHook):
    """A hook of a class of its own, as TensorFlow Mesh and EasyRec have them."""

    def _save(self, session, step):
        self.saved = [*getattr(self, "saved", []), int(step)]
        return super()._save(session, step)


class Listener(tf1.train.CheckpointSaverListener):
    def __init__(self):
        self.steps = []

    def after_save(self, session, global_step_value):
        self.steps.append(int(global_step_value))


def none(directory, listeners):
    return {}, {}


def from_collection(directory, listeners):
    saver = tf1.train.Saver(max_to_keep=3, sharded=True)
    tf1.add_to_collection(tf1.GraphKeys.SAVERS, saver)
    return {"saver": saver}, {}


def only_in_collection(directory, listeners):
    tf1.add_to_collection(tf1.GraphKeys.SAVERS, tf1.train.Saver(max_to_keep=3))
    return {}, {}


def of_its_own(directory, listeners):
    return {"saver": tf1.train.Saver(max_to_keep=3)}, {}


def by_scaffold(directory, listeners):
    scaffold = tf1.train.Scaffold(saver=tf1.train.Saver(max_to_keep=3))
    return {"scaffold": scaffold}, {"scaffold": scaffold}


def by_scaffold_without_saver(directory, listeners):
    scaffold = tf1.train.Scaffold()
    return {"scaffold": scaffold}, {"scaffold": scaffold}


WAYS = [
    none,
    from_collection,
    only_in_collection,
    of_its_own,
    by_scaffold,
    by_scaffold_without_saver,
]


def hooked(way, directory, hook_class, listener, where, save_dir=None):
    """A counting model_fn with a hook that saves every second step."""
    made = []

    def model_fn(features, labels, mode):
        spec = counting.model_fn(features, labels, mode)
        if mode != tf.estimator.ModeKeys.TRAIN:
            return spec
        for_hook, for_spec = way(directory, [listener])
        hook = hook_class(
            str(save_dir or directory), save_steps=2, listeners=[listener], **for_hook
        )
        made.append(hook)
        return spec._replace(**{where: [hook]}, **for_spec)

    model_fn.made = made
    return model_fn


@pytest.mark.parametrize("where", ["training_hooks", "training_chief_hooks"])
@pytest.mark.parametrize("hook_class", [tf1.train.CheckpointSaverHook, Special])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("format", FORMATS)
def test_it_saves_in_the_format(tmp_path, format, way, hook_class, where):
    listener = Listener()
    fn = hooked(way, tmp_path, hook_class, listener, where)
    est = counting.job(tmp_path, format, fn)
    est.train(counting.input_fn, steps=8)
    with ec.open_checkpoint(tmp_path) as found:
        assert found.format == format
    kept = 2 if way in (none, by_scaffold_without_saver) else 3
    # The first and every second step after it, and the last.
    assert (
        steps_in(tmp_path) == [4, 6, 8][-kept:]
        or steps_in(tmp_path) == [5, 7, 8][-kept:]
    )
    assert listener.steps[-1] == 8
    (hook,) = fn.made
    assert type(hook) is hook_class
    if hook_class is Special:
        assert hook.saved == listener.steps
    est.train(counting.input_fn, steps=2)
    assert steps_in(tmp_path)[-1] == 10


@pytest.mark.parametrize("format", FORMATS)
def test_saving_listeners_of_train_are_called_by_it(tmp_path, format):
    ours, theirs = Listener(), Listener()
    fn = hooked(
        of_its_own, tmp_path, tf1.train.CheckpointSaverHook, ours, "training_hooks"
    )
    est = counting.job(tmp_path, format, fn)
    est.train(counting.input_fn, steps=4, saving_listeners=[theirs])
    assert ours.steps == theirs.steps != []


@pytest.mark.parametrize("format", ["tf2", "dual"])
def test_a_second_directory_is_kept_for_itself(tmp_path, format):
    job, backup = tmp_path / "job", tmp_path / "backup"
    backup.mkdir()

    def fn(features, labels, mode):
        spec = counting.model_fn(features, labels, mode)
        hooks = [
            tf1.train.CheckpointSaverHook(str(job), save_steps=1),
            tf1.train.CheckpointSaverHook(
                str(backup), save_steps=3, saver=tf1.train.Saver(max_to_keep=1)
            ),
        ]
        return spec._replace(training_hooks=hooks)

    est = counting.job(job, format, fn)
    for _ in range(2):
        est.train(counting.input_fn, steps=4)
    assert steps_in(job) == [7, 8]
    assert steps_in(backup) == [8]
    for directory in (job, backup):
        with ec.open_checkpoint(directory) as found:
            assert found.format == format
            np.testing.assert_array_equal(found.read("counter"), [8.0] * 3)


def test_a_tpu_spec_has_its_hook_redirected(tmp_path):
    listener = Listener()

    def fn(features, labels, mode, params):
        spec = counting.model_fn(features, labels, mode)
        hook = tf1.train.CheckpointSaverHook(
            str(tmp_path), save_steps=2, saver=tf1.train.Saver(), listeners=[listener]
        )
        return tf1.estimator.tpu.TPUEstimatorSpec(
            mode, loss=spec.loss, train_op=spec.train_op, training_hooks=[hook]
        )

    est = tf1.estimator.tpu.TPUEstimator(
        ec.with_scaffold("tf2")(fn),
        config=tf1.estimator.tpu.RunConfig(model_dir=str(tmp_path)),
        use_tpu=False,
        train_batch_size=1,
    )
    est.train(lambda params: counting.input_fn(), steps=3)
    assert listener.steps
    with ec.open_checkpoint(tmp_path) as found:
        assert found.format == "tf2"


def test_what_cannot_be_redirected_is_said(tmp_path, caplog):
    class Stubborn(tf1.train.CheckpointSaverHook):
        def _get_saver(self):
            return tf1.get_collection("own_savers")[0]

    def fn(features, labels, mode):
        spec = counting.model_fn(features, labels, mode)
        tf1.add_to_collection("own_savers", tf1.train.Saver())
        hook = Stubborn(str(tmp_path), save_steps=1)
        return spec._replace(training_hooks=[hook])

    with caplog.at_level(logging.WARNING, "estimator_ckpt"):
        counting.train(tmp_path, 1, "tf2", fn)
    assert "Stubborn has a _get_saver of its own" in caplog.text
