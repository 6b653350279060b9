"""From TF1 to TF2: what the keys of both kinds of checkpoint are."""

import tensorflow as tf

import estimator_ckpt as ec
from tests.guide.blocks import ABC, eager, ours, printed, save_tf1, value
from tests.testdata_paths import TESTDATA


def test_name_based_keys_are_the_variables_names(tmp_path):
    path = save_tf1(tmp_path / "tf1-ckpt")
    assert printed(path) == ours(path) == ABC
    assert ours(TESTDATA / "guide" / "tf1-ckpt") == ABC  # by a real TensorFlow 1.15


def test_object_based_keys_are_paths_from_the_root(tmp_path):
    a, b, c = eager((5.0, 6.0, 7.0))
    path = tf.train.Checkpoint(variables=[a, b, c]).save(str(tmp_path / "tf2-ckpt"))
    assert printed(path) == {
        value("variables", "0"): 5.0,
        value("variables", "1"): 6.0,
        value("variables", "2"): 7.0,
        value("save_counter"): 1,
    }
    assert ours(path) == {"a": 5.0, "b": 6.0, "scoped/c": 7.0}
    assert ec.open_checkpoint(path).format == "tf2"
    by_path = ec.open_checkpoint(path, names="path")
    assert by_path.read("variables/2") == 7.0


def test_a_checkpoint_tracks_its_list_as_the_root_does():
    a, b, c = eager(named=False)
    root = tf.train.Checkpoint(variables=[a, b, c])
    assert type(root).__name__ == "Checkpoint"
    assert root.variables[0] is a


def test_keys_follow_the_structure_of_objects(tmp_path):
    a, b, c = eager(named=False)
    module = tf.Module()
    module.d = tf.Variable(0.0)
    root = tf.train.Checkpoint(v={"a": a, "b": b}, c=c, module=module)
    path = root.save(str(tmp_path / "root-tf2-ckpt"))
    assert set(printed(path)) == {
        value("v", "a"),
        value("v", "b"),
        value("c"),
        value("module", "d"),
        value("save_counter"),
    }
    # None of them has a name of its own: the paths stand in.
    assert set(ours(path)) == {"v/a", "v/b", "c", "module/d"}
