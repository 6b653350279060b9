"""A TF2 Checkpoint object kept while the names change."""

import pytest
import tensorflow as tf

import estimator_ckpt as ec
from tests.guide.blocks import eager, graph, numbers, ours, printed, value
from tests.testdata_paths import TESTDATA


@pytest.fixture
def path(tmp_path):
    with graph((1, 2, 3)) as ((a, b, c), session), session.as_default():
        root = tf.train.Checkpoint(unscoped=[a, b], scoped=[c])
        return root.save(str(tmp_path / "tf2-ckpt"))


def test_its_keys_are_places_in_lists(path):
    assert printed(path) == {
        value("unscoped", "0"): 1.0,
        value("unscoped", "1"): 2.0,
        value("scoped", "0"): 3.0,
        value("save_counter"): 1,
    }
    assert ours(path) == {"a": 1.0, "b": 2.0, "scoped/c": 3.0}
    assert ours(TESTDATA / "guide-tf2-scoped") == ours(path)  # by TensorFlow 1.15


def test_other_names_in_a_graph(path):
    names = ("a_different_name", "b_different_name", "different_scope/c")
    with graph(names=names) as ((a, b, c), session), session.as_default():
        root = tf.train.Checkpoint(unscoped=[a, b], scoped=[c])
        root.restore(path).assert_consumed().run_restore_ops()
        assert session.run([a, b, c]) == [1, 2, 3]


@pytest.mark.parametrize("convert_to", [None, "tf2", "dual"])
def test_no_names_in_eager_mode(path, tmp_path, convert_to):
    if convert_to:  # keeps the keys and the object graph
        path = ec.convert(path, tmp_path / "new", to=convert_to)
    a, b, c = eager(named=False)
    root = tf.train.Checkpoint(unscoped=[a, b], scoped=[c])
    root.restore(path).assert_consumed()
    assert numbers([a, b, c]) == [1, 2, 3]


def test_compatible_is_the_same_key_and_order(tmp_path):
    path = tf.train.Checkpoint(foo=[tf.Variable(1.0), tf.Variable(2.0)]).save(
        str(tmp_path / "c")
    )
    a, b = tf.Variable(0.0), tf.Variable(0.0)
    tf.train.Checkpoint(foo=[a, b]).restore(path).assert_consumed()
    assert numbers([a, b]) == [1, 2]
    tf.train.Checkpoint(foo=[b, a]).restore(path)  # another order: swapped
    assert numbers([a, b]) == [2, 1]
    with pytest.raises(AssertionError):
        tf.train.Checkpoint(bar=[a, b]).restore(path).assert_consumed()


def test_dictionaries_are_compatible_by_their_keys(tmp_path):
    path = tf.train.Checkpoint(v={"x": tf.Variable(1.0), "y": tf.Variable(2.0)}).save(
        str(tmp_path / "c")
    )
    x, y = tf.Variable(0.0), tf.Variable(0.0)
    tf.train.Checkpoint(v={"y": y, "x": x}).restore(path).assert_consumed()
    assert numbers([x, y]) == [1, 2]
