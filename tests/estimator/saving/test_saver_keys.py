"""The keys of what a saver saves, by names, by a dictionary and by a Checkpoint."""

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint import formats, object_keys
from estimator_ckpt.estimator.saving import saver_keys
from estimator_ckpt.tf_private import savers_api


@pytest.fixture
def graph():
    with tf1.Graph().as_default() as graph:
        tf1.train.create_global_step()
        tf1.get_variable("a", [2], use_resource=True)
        tf1.get_variable("b.c", [3], use_resource=True)
        yield graph


def test_by_names_each_is_called_by_its_own(graph):
    keys, saved = saver_keys.of_names(formats.TF1, savers_api.saveables_by_name(None))
    assert set(saved) == {"a", "b.c", "global_step"}
    assert [keys.save_key(name) for name in sorted(saved)] == sorted(saved)
    assert keys.aliases == {}
    assert keys.step == "global_step"


@pytest.mark.parametrize("format", [formats.TF2, formats.DUAL])
def test_by_a_dictionary_each_has_an_object_key(graph, format):
    everything = savers_api.saveables_by_name(None)
    keys, saved = saver_keys.of_dictionary(format, everything)
    assert keys.save_key("b.c") == "var_list/b..c/.ATTRIBUTES/VARIABLE_VALUE"
    assert keys.save_key("global_step") == object_keys.STEP_KEY
    beside = set(saved) - set(everything)
    assert {object_keys.OBJECT_GRAPH_KEY, object_keys.SAVE_COUNTER_KEY} <= beside
    expected = {name: keys.save_key(name) for name in everything}
    assert keys.aliases == (expected if format is formats.DUAL else {})


def test_by_a_checkpoint_what_it_does_not_track_stays_under_its_name(graph):
    (a,) = (v for v in tf1.global_variables() if v.op.name == "a")
    checkpoint = tf.train.Checkpoint(mine=a)
    keys, saved = saver_keys.of_checkpoint(
        formats.TF2, checkpoint, savers_api.saveables_by_name(None)
    )
    assert keys.save_key("a") == "mine/.ATTRIBUTES/VARIABLE_VALUE"
    assert keys.save_key("b.c") == "b.c"
    assert object_keys.OBJECT_GRAPH_KEY in saved


def test_a_saver_of_object_keys_keeps_them(graph):
    everything = savers_api.saveables_by_name(None)
    assert not saver_keys.has_object_keys(everything)
    _, saved = saver_keys.of_dictionary(formats.TF2, everything)
    assert saver_keys.has_object_keys(saved)
