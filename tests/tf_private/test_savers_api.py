"""What TensorFlow does not promise of its Saver: each use has a test that names it."""

import inspect

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1
from tensorflow.python.training import saver as tf_saver

from estimator_ckpt.tf_private import graph_api, savers_api


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

    class Builder(savers_api.SaverBuilder):
        def collect(self, variables):
            calls.append("collect")
            return savers_api.saveables_by_name(None)

        def save_key(self, name):
            calls.append("save_key")
            return f"renamed/{name}"

        def restore_keys(self, names):
            calls.append("restore_keys")
            return [f"renamed/{name}" for name in names]

    class Saver(savers_api.Saver):
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
        found = savers_api.saveables_by_name(None)
        assert set(found) == {"v", "p"}
        assert isinstance(found["p"], list)
        assert savers_api.is_tensor_of_variable(found["v"]) or isinstance(
            found["v"], tf.Variable
        )
        assert graph_api.whole_of(found["p"][0]) == ("p", (4,))


@pytest.mark.parametrize("v2", [True, False])
def test_variables_of_both_kinds_are_recognised_by_their_tensors(v2):
    with tf.Graph().as_default():
        tf1.get_variable("v", [2], use_resource=v2)
        value = savers_api.saveables_by_name(None)["v"]
        assert savers_api.is_tensor_of_variable(value) or isinstance(value, tf.Variable)


def test_the_settings_of_a_saver_can_be_read():
    with tf.Graph().as_default():
        v = tf1.get_variable("v", [2])
        saver = tf1.train.Saver({"other": v}, max_to_keep=7, sharded=True)
    assert savers_api.retention_of(saver)["max_to_keep"] == 7
    assert savers_api.retention_of(saver)["sharded"] is True
    assert savers_api.restored_by(saver) == {"other": v}
