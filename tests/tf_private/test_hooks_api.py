"""What TensorFlow does not promise of its CheckpointSaverHook."""

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.tf_private import hooks_api


def test_a_hooks_saver_can_be_read_and_replaced(tmp_path):
    with tf.Graph().as_default():
        tf1.get_variable("v", [])
        first, second = tf1.train.Saver(), tf1.train.Saver()
        scaffold = tf1.train.Scaffold(saver=first)
        for given in ({"saver": first}, {"scaffold": scaffold}):
            hook = tf1.train.CheckpointSaverHook(str(tmp_path), 1, **given)
            assert hooks_api.saver_of(hook) is first
            hooks_api.set_saver(hook, second)
            assert hooks_api.saver_of(hook) is second
            assert hook._get_saver() is second
        hook = tf1.train.CheckpointSaverHook(str(tmp_path), 1)
        assert hooks_api.saver_of(hook) is None


@pytest.mark.parametrize(
    ("stops", "last"),
    [({"last_step": 7}, 7), ({"num_steps": 7}, None), (None, None)],
)
def test_a_hook_finds_where_its_session_stops(stops, last):
    class Asks(tf1.train.SessionRunHook):
        def begin(self):
            self.found = hooks_api.last_step_of_session()

    hook = Asks()
    hooks = [hook] if stops is None else [hook, tf1.train.StopAtStepHook(**stops)]
    with tf.Graph().as_default():
        tf1.train.get_or_create_global_step()
        with tf1.train.MonitoredSession(hooks=hooks):
            assert hook.found == last


def test_a_hook_that_chooses_for_itself_is_told_from_others(tmp_path):
    class Own(tf1.train.CheckpointSaverHook):
        def _get_saver(self):
            return None

    class Special(tf1.train.CheckpointSaverHook):
        pass

    assert hooks_api.asks_for_saver(tf1.train.CheckpointSaverHook(str(tmp_path), 1))
    assert hooks_api.asks_for_saver(Special(str(tmp_path), 1))
    assert not hooks_api.asks_for_saver(Own(str(tmp_path), 1))
