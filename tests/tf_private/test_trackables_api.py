"""What TensorFlow does not promise of trackables: each use has a test."""

import tensorflow as tf

from estimator_ckpt.tf_private import trackables_api


def test_what_a_checkpoint_tracks_comes_with_its_keys():
    with tf.Graph().as_default():
        v = tf.Variable(1.0, name="v")
        graph, variables, others = trackables_api.tracked_by(tf.train.Checkpoint(a=[v]))
        assert [(x is v, key) for x, key in variables] == [
            (True, "a/0/.ATTRIBUTES/VARIABLE_VALUE")
        ]
        assert others == []
        assert len(graph.nodes) == 3


def test_the_object_graph_and_its_objects_are_in_one_order():
    step = tf.Variable(3, name="step", dtype=tf.int64)
    graph, objects, _ = trackables_api.objects_of(tf.train.Checkpoint(step=step))
    numbers = {c.local_name: c.node_id for c in graph.nodes[0].children}
    assert objects[numbers["step"]] is step
    assert trackables_api.is_trackable(tf.Module())
    assert not trackables_api.is_trackable(3)
