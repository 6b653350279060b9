"""What TensorFlow does not promise of graphs and model_fns: each use has a test."""

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.tf_private import graph_api


def test_a_scaffolds_init_fn_can_be_read_and_replaced():
    def first(scaffold, session):
        pass

    def second(scaffold, session):
        pass

    scaffold = tf1.train.Scaffold(init_fn=first)
    assert graph_api.user_init_fn(scaffold) is first
    changed = graph_api.with_fields(scaffold, init_fn=second)
    assert graph_api.user_init_fn(changed) is second
    assert graph_api.user_init_fn(scaffold) is first


def test_fn_args_are_those_that_estimator_reads():
    def model_fn(features, labels, mode, *, other=1):
        raise AssertionError("never called")

    assert graph_api.fn_args(model_fn) == ("features", "labels", "mode")


@pytest.mark.parametrize("v2", [True, False])
def test_the_initializer_of_a_variable_can_be_replaced(v2):
    with tf.Graph().as_default(), tf1.Session() as session:
        v = tf1.get_variable("v", initializer=1.0, use_resource=v2)
        assert graph_api.has_initializer(v)
        graph_api.set_initializer(v, tf1.assign(v, 2.0).op)
        session.run(tf1.global_variables_initializer())
        assert session.run(v) == 2.0


def test_the_ops_of_init_from_checkpoint_are_known_by_their_names(tmp_path):
    with tf.Graph().as_default(), tf1.Session() as session:
        v = tf1.get_variable("v", initializer=1.0)
        session.run(v.initializer)
        prefix = tf1.train.Saver().save(session, str(tmp_path / "c"))
        assert len(graph_api.checkpoint_initializers()) == 0
    with tf.Graph().as_default():
        tf1.get_variable("v", initializer=1.0)
        tf1.train.init_from_checkpoint(prefix, {"v": "v"})
        assert len(graph_api.checkpoint_initializers()) == 1


def test_parts_and_replicas_keep_their_initializers():
    with tf.Graph().as_default():
        parts = tf1.get_variable("v", [4], partitioner=tf1.fixed_size_partitioner(2))
        assert not graph_api.has_initializer(next(iter(parts)))
        with tf.distribute.MirroredStrategy(["cpu:0"]).scope():
            assert not graph_api.has_initializer(tf1.get_variable("m", [2]))
