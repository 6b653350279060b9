"""Our saver in the place of others, which keep what they say."""

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint import formats
from estimator_ckpt.estimator.saving import replaced_savers
from estimator_ckpt.estimator.saving.saver_settings import Settings
from estimator_ckpt.estimator.saving.savers import FormatSaver

TF1, TF2 = Settings(formats.TF1), Settings(formats.TF2)


@pytest.fixture(autouse=True)
def graph():
    with tf1.Graph().as_default():
        tf1.train.create_global_step()
        tf1.get_variable("v", [2], use_resource=True)
        yield


def test_without_any_it_is_ours_with_the_config_s_retention():
    config = tf.estimator.RunConfig(keep_checkpoint_max=3)
    made = replaced_savers.in_place_of(None, TF2, config)
    assert isinstance(made, FormatSaver)
    assert made.saver_def is None  # it is built when the graph is complete
    made.build()
    assert made.saver_def.max_to_keep == 3


def test_a_saver_keeps_its_retention_and_as_tf1_itself():
    given = tf1.train.Saver(max_to_keep=7)
    made = replaced_savers.in_place_of(given, TF2, None)
    made.build()
    assert made.saver_def.max_to_keep == 7
    assert replaced_savers.in_place_of(given, TF1, None) is None


def test_a_checkpoint_keeps_its_keys_and_its_kind():
    (v,) = tf1.trainable_variables()
    given = tf.train.Checkpoint(mine=v)
    made = replaced_savers.in_place_of(given, TF1, None)
    assert made.settings.format is formats.TF2  # object keys are what it is for
    assert made.settings.checkpoint() is given
    both = Settings(formats.TF2, checkpoint=lambda: given)
    with pytest.raises(ValueError, match=r"has a tf\.train\.Checkpoint of its own"):
        replaced_savers.in_place_of(given, both, None)


def test_what_nobody_knows_stays_in_charge_and_it_is_said(caplog):
    assert replaced_savers.in_place_of(object(), TF2, None) is None
    assert "stays in charge" in caplog.text


def test_in_a_scaffold_it_takes_the_collection_s_place_too():
    given = tf1.train.Saver()
    tf1.add_to_collection(tf1.GraphKeys.SAVERS, given)
    base = tf1.train.Scaffold()
    assert replaced_savers.given_to(base) is given
    made = replaced_savers.in_scaffold(base, given, TF2, None)
    assert isinstance(made.saver, FormatSaver)
    assert tf1.get_collection(tf1.GraphKeys.SAVERS) == [made.saver]
    again = replaced_savers.in_scaffold(made, made.saver, TF2, None)
    assert again is made
    with pytest.raises(ValueError, match="with other settings"):
        replaced_savers.in_scaffold(made, made.saver, TF1, None)
