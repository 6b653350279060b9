"""The guide's snippets: each one saved and loaded in the other's TensorFlow."""

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from tests.guide.blocks import (
    ABC,
    eager,
    graph,
    numbers,
    ours,
    printed,
    save_tf1,
    value,
)


def var_list(variables):
    return {v.name.split(":")[0]: v for v in variables}


def save_tf2_in_session(path):
    with graph((1, 2, 3)) as (variables, session), session.as_default():
        return tf.train.Checkpoint(var_list=var_list(variables)).save(str(path))


def guides_tf1_to_tf2(path, prefix):
    reader = tf.train.load_checkpoint(path)
    variables = {
        key: tf.Variable(reader.get_tensor(key))
        for key in reader.get_variable_to_dtype_map()
    }
    return tf.train.Checkpoint(vars=variables).save(prefix)


def guides_tf2_to_tf1(path, prefix):
    reader = tf.train.load_checkpoint(path)
    variables = {}
    for key in reader.get_variable_to_dtype_map():
        if key.startswith("var_list/"):
            name = key.split("/")[1].replace(".S", "/")
            variables[name] = tf.Variable(reader.get_tensor(key))
    return tf1.train.Saver(var_list=variables).save(sess=None, save_path=prefix)


def test_tf1_saved_in_tf2_and_loaded_there(tmp_path):
    saver = tf1.train.Saver(var_list=eager((1.0, 2.0, 3.0)))
    path = saver.save(sess=None, save_path=str(tmp_path / "tf1-ckpt-saved-in-eager"))
    assert printed(path) == ours(path) == ABC
    variables = eager()
    tf1.train.Saver(var_list=variables).restore(sess=None, save_path=path)
    assert numbers(variables) == [1, 2, 3]


def test_tf2_saved_in_tf1_and_loaded_there(tmp_path):
    path = save_tf2_in_session(tmp_path / "tf2-ckpt-saved-in-session")
    assert printed(path) == {
        value("var_list", "a"): 1.0,
        value("var_list", "b"): 2.0,
        value("var_list", "scoped.Sc"): 3.0,
        value("save_counter"): 1,
    }
    assert ours(path) == ABC
    with graph() as (variables, session), session.as_default():
        root = tf.train.Checkpoint(var_list=var_list(variables))
        root.restore(path).run_restore_ops()
        assert session.run(variables) == [1, 2, 3]


def test_a_scaffolds_saver_writes_what_the_guide_writes_in_a_session(tmp_path):
    guides = save_tf2_in_session(tmp_path / "guide")
    with graph((1, 2, 3)) as (_, session):
        saver = ec.scaffold("tf2").finalize().saver
        mine = saver.save(session, str(tmp_path / "ours"))
    assert printed(mine) == printed(guides)


@pytest.mark.parametrize("root", ["vars", "var_list"])
def test_tf1_converted_to_tf2(tmp_path, root):
    path = save_tf1(tmp_path / "tf1")
    guides = guides_tf1_to_tf2(path, str(tmp_path / "guide"))
    mine = ec.convert(path, tmp_path / "ours", to="tf2", root=root)
    if root == "vars":
        assert printed(mine) == printed(guides)
    a, b, c = eager(named=False)
    target = tf.train.Checkpoint(**{root: {"a": a, "b": b, "scoped/c": c}})
    target.restore(mine).assert_consumed()
    assert numbers([a, b, c]) == [1, 2, 3]


def test_tf2_converted_to_tf1(tmp_path):
    path = save_tf2_in_session(tmp_path / "tf2")
    guides = guides_tf2_to_tf1(path, str(tmp_path / "guide"))
    mine = ec.convert(path, tmp_path / "ours", to="tf1")
    assert printed(mine) == printed(guides) == ABC
    with graph() as (variables, session):
        tf1.train.Saver(variables).restore(session, mine)
        assert session.run(variables) == [1, 2, 3]


def test_a_name_with_a_dot_survives_here_but_not_the_guides_converter(tmp_path):
    path = tf.train.Checkpoint(var_list={"a.Sb": tf.Variable(1.0, name="x")}).save(
        str(tmp_path / "c")
    )
    assert set(printed(guides_tf2_to_tf1(path, str(tmp_path / "guide")))) == {"a./b"}
    assert set(ours(ec.convert(path, tmp_path / "ours", to="tf1"))) == {"a.Sb"}


def test_what_the_guides_converter_wrote_converts_back(tmp_path):
    path = guides_tf1_to_tf2(save_tf1(tmp_path / "tf1"), str(tmp_path / "guide"))
    assert ours(ec.convert(path, tmp_path / "back", to="tf1")) == ABC


def test_scenario_3_one_checkpoint_for_new_training_and_old_inference(tmp_path):
    with graph((1, 2, 3)) as (_, session):
        saver = ec.scaffold("dual").finalize().saver
        path = saver.save(session, str(tmp_path / "dual"))
    with graph() as (variables, session):  # inference, by TF1 names
        tf1.train.Saver(variables).restore(session, path)
        assert session.run(variables) == [1, 2, 3]
    a, b, c = eager(named=False)  # training, by TF2 objects
    root = tf.train.Checkpoint(var_list={"a": a, "b": b, "scoped/c": c})
    root.restore(path).assert_consumed()
    assert numbers([a, b, c]) == [1, 2, 3]
