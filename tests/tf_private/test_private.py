"""What TensorFlow does not promise: each private use has a test that names it."""

import inspect

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1
from tensorflow.python.training import saver as tf_saver

from estimator_ckpt.tf_private import private


def parameters(function):
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("save_op", ["self", "filename_tensor", "saveables"]),
        (
            "bulk_restore",
            [
                "self",
                "filename_tensor",
                "saveables",
                "preferred_shard",
                "restore_sequentially",
            ],
        ),
        ("_AddSaveOps", ["self", "filename_tensor", "saveables"]),
        ("_AddShardedSaveOps", ["self", "filename_tensor", "per_device"]),
    ],
)
def test_the_builder_methods_that_we_override_are_tensorflows(method, expected):
    assert parameters(getattr(tf_saver.BulkSaverBuilder, method)) == expected


def test_build_internal_takes_the_saveables_first_and_keywords_after():
    names = parameters(tf_saver.BaseSaverBuilder._build_internal)
    assert names[:2] == ["self", "names_to_saveables"]


def test_a_saver_calls_its_builder_and_records_checkpoints_as_we_override(tmp_path):
    calls = []

    class Builder(private.SaverBuilder):
        def collect(self, variables):
            calls.append("collect")
            return private.saveables_by_name(None)

        def save_key(self, name):
            calls.append("save_key")
            return f"renamed/{name}"

        def restore_keys(self, names):
            calls.append("restore_keys")
            return [f"renamed/{name}" for name in names]

    class Saver(private.Saver):
        def write(self, session, prefix):
            assert tf1.train.get_checkpoint_state(str(tmp_path)) is None
            calls.append("write")
            return super().write(session, prefix)

    with tf.Graph().as_default(), tf1.Session() as session:
        v = tf1.get_variable("v", initializer=3.0)
        saver = Saver(defer_build=True, builder=Builder())
        assert not saver.is_built
        saver.build()
        assert saver.is_built
        assert not saver.is_empty
        session.run(v.initializer)
        prefix = saver.save(session, str(tmp_path / "c"))
        session.run(v.assign(0.0))
        saver.restore(session, prefix)
        assert session.run(v) == 3.0
    assert calls == ["collect", "save_key", "restore_keys", "write"]
    assert tf.train.load_checkpoint(prefix).get_tensor("renamed/v") == 3.0


def test_saveables_by_name_are_what_the_default_saver_saves():
    with tf.Graph().as_default():
        tf1.get_variable("v", [2])
        tf1.get_variable("p", [4], partitioner=tf1.fixed_size_partitioner(2))
        found = private.saveables_by_name(None)
        assert set(found) == {"v", "p"}
        assert isinstance(found["p"], list)
        assert private.is_tensor_of_variable(found["v"]) or isinstance(
            found["v"], tf.Variable
        )
        assert private.whole_of(found["p"][0]) == ("p", (4,))


@pytest.mark.parametrize("v2", [True, False])
def test_variables_of_both_kinds_are_recognised_by_their_tensors(v2):
    with tf.Graph().as_default():
        tf1.get_variable("v", [2], use_resource=v2)
        value = private.saveables_by_name(None)["v"]
        assert private.is_tensor_of_variable(value) or isinstance(value, tf.Variable)


def test_the_settings_of_a_saver_can_be_read():
    with tf.Graph().as_default():
        v = tf1.get_variable("v", [2])
        saver = tf1.train.Saver({"other": v}, max_to_keep=7, sharded=True)
    assert private.retention_of(saver)["max_to_keep"] == 7
    assert private.retention_of(saver)["sharded"] is True
    assert private.restored_by(saver) == {"other": v}


def test_a_scaffolds_init_fn_can_be_read_and_replaced():
    def first(scaffold, session):
        pass

    def second(scaffold, session):
        pass

    scaffold = tf1.train.Scaffold(init_fn=first)
    assert private.user_init_fn(scaffold) is first
    changed = private.with_fields(scaffold, init_fn=second)
    assert private.user_init_fn(changed) is second
    assert private.user_init_fn(scaffold) is first


def test_fn_args_are_those_that_estimator_reads():
    def model_fn(features, labels, mode, *, other=1):
        raise AssertionError("never called")

    assert private.fn_args(model_fn) == ("features", "labels", "mode")


def test_what_a_checkpoint_tracks_comes_with_its_keys():
    with tf.Graph().as_default():
        v = tf.Variable(1.0, name="v")
        graph, variables, others = private.tracked_by(tf.train.Checkpoint(a=[v]))
        assert [(x is v, key) for x, key in variables] == [
            (True, "a/0/.ATTRIBUTES/VARIABLE_VALUE")
        ]
        assert others == []
        assert len(graph.nodes) == 3


@pytest.mark.parametrize("v2", [True, False])
def test_the_initializer_of_a_variable_can_be_replaced(v2):
    with tf.Graph().as_default(), tf1.Session() as session:
        v = tf1.get_variable("v", initializer=1.0, use_resource=v2)
        assert private.has_initializer(v)
        private.set_initializer(v, tf1.assign(v, 2.0).op)
        session.run(tf1.global_variables_initializer())
        assert session.run(v) == 2.0


def test_parts_and_replicas_keep_their_initializers():
    with tf.Graph().as_default():
        parts = tf1.get_variable("v", [4], partitioner=tf1.fixed_size_partitioner(2))
        assert not private.has_initializer(next(iter(parts)))
        with tf.distribute.MirroredStrategy(["cpu:0"]).scope():
            assert not private.has_initializer(tf1.get_variable("m", [2]))
