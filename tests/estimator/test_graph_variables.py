"""A graph's variables by the names of a checkpoint, parts put together."""

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint.roles import Overruling, Role
from estimator_ckpt.estimator import graph_variables


def build():
    with tf1.Graph().as_default() as graph:
        tf1.train.create_global_step()
        with tf1.variable_scope(
            "net", partitioner=tf1.fixed_size_partitioner(2), use_resource=True
        ):
            kernel = tf1.get_variable("kernel", [4, 3])
        mean = tf1.get_variable("mean", [3], trainable=False, use_resource=True)
        loss = tf.reduce_sum(tf.convert_to_tensor(kernel)) + 0 * tf.reduce_sum(mean)
        tf1.train.AdamOptimizer().minimize(loss, tf1.train.get_global_step())
    return graph, kernel


def test_a_partitioned_variable_is_one_of_several_parts():
    graph, kernel = build()
    with graph.as_default():
        found = graph_variables.of_graph()
    whole = found["net/kernel"]
    assert (whole.shape, len(whole.parts)) == ((4, 3), 2)
    assert whole.dtype == tf.float32
    assert whole.saveable == list(whole.parts)
    assert [init.type for init in whole.initializers]
    assert graph_variables.name_of(list(kernel)[1]) == "net/kernel"
    assert graph_variables.shape_of(list(kernel)[1]) == (4, 3)


def test_roles_are_those_of_the_graph():
    graph, _ = build()
    with graph.as_default():
        found = graph_variables.of_graph()
        said = graph_variables.of_graph(Overruling.of("mean", None))
    assert found["global_step"].role is Role.GLOBAL_STEP
    assert found["net/kernel"].role is Role.TRAINABLE
    assert found["net/kernel/Adam"].role is Role.SLOT
    assert found["net/kernel/Adam"].owner == "net/kernel"
    assert found["mean"].role is Role.MODEL
    assert said["mean"].role is Role.OPTIMIZER


def test_only_variables_are_taken_of_what_a_saver_saves():
    with tf1.Graph().as_default():
        alone = tf1.get_variable("alone", [2], use_resource=True)
        table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        found = graph_variables.of_saveables({"alone": alone, "table": table})
    assert set(found) == {"alone"}
    assert found["alone"].saveable is alone
