"""When the names match: a TF1 checkpoint through Saver and through Checkpoint."""

import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from tests.guide.blocks import ABC, eager, graph, numbers, ours, printed, save_tf1


def test_a_saver_restores_in_eager_mode_and_saves_there(tmp_path):
    path = save_tf1(tmp_path / "tf1-ckpt")
    variables = eager()
    saver = tf1.train.Saver(var_list=variables)
    saver.restore(sess=None, save_path=path)
    assert numbers(variables) == [1, 2, 3]
    again = saver.save(sess=None, save_path=str(tmp_path / "in-eager"))
    assert printed(again) == ours(again) == ABC


def test_a_checkpoint_restores_by_names(tmp_path):
    path = save_tf1(tmp_path / "tf1-ckpt")
    variables = [*eager(), tf.Variable(0.0, name="scoped/c")]
    assert [v.name for v in variables] == ["a:0", "b:0", "scoped/c:0", "scoped/c:0"]
    tf.train.Checkpoint(variables=variables).restore(path)
    assert numbers(variables) == [1, 2, 3, 3]


def test_converted_it_restores_by_structure_and_is_consumed(tmp_path):
    path = save_tf1(tmp_path / "tf1-ckpt")
    a, b, c = eager(named=False)  # names no longer matter
    root = tf.train.Checkpoint(var_list={"a": a, "b": b, "scoped/c": c})
    root.restore(ec.convert(path, tmp_path / "tf2", to="tf2")).assert_consumed()
    assert numbers([a, b, c]) == [1, 2, 3]


def test_saver_and_checkpoint_restore_in_a_graph_too(tmp_path):
    path = save_tf1(tmp_path / "tf1-ckpt")
    with graph() as (variables, session):
        tf1.train.Saver(variables).restore(session, path)
        assert session.run(variables) == [1, 2, 3]
    with graph() as (variables, session):
        # read, not restore: in a graph that wants a save_counter by its name too
        root = tf.train.Checkpoint(variables=variables)
        with session.as_default():
            root.read(path).run_restore_ops()
        assert session.run(variables) == [1, 2, 3]


def test_track_tf1_style_variables_keeps_names_and_checkpoints(tmp_path):
    path = save_tf1(tmp_path / "tf1-ckpt")

    class Model(tf.keras.layers.Layer):
        @tf1.keras.utils.track_tf1_style_variables
        def call(self, inputs):
            a = tf1.get_variable("a", [], initializer=tf1.zeros_initializer())
            b = tf1.get_variable("b", [], initializer=tf1.zeros_initializer())
            with tf1.variable_scope("scoped"):
                c = tf1.get_variable("c", [], initializer=tf1.zeros_initializer())
            return inputs + a + b + c

    model = Model()
    assert model(tf.constant(0.0)) == 0.0
    tf.train.Checkpoint(model=model).restore(path)
    assert model(tf.constant(0.0)) == 6.0
    assert {v.name for v in model.trainable_weights} == {"a:0", "b:0", "scoped/c:0"}
    saved = tf.train.Checkpoint(model=model).save(str(tmp_path / "shim"))
    assert ours(ec.convert(saved, tmp_path / "back", to="tf1")) == ABC
