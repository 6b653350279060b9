"""Assignment maps: the five forms, and the three calls that take or make one."""

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from tests.guide.blocks import graph, numbers, save_tf1


@pytest.fixture
def path(tmp_path):
    return save_tf1(tmp_path / "tf1-ckpt")


def initialized(session, variables):
    session.run(tf1.global_variables_initializer())
    return session.run(variables)


def test_a_root_into_a_scope(path):
    with graph(scope="new_scope") as (variables, session):
        tf1.train.init_from_checkpoint(path, {"/": "new_scope/"})
        assert initialized(session, variables) == [1, 2, 3]


def test_a_scope_into_a_scope(path):
    with graph(names=("x/a", "x/b", "other/c")) as (variables, session):
        tf1.train.init_from_checkpoint(path, {"scoped/": "other/"})
        assert initialized(session, variables) == [0, 0, 3]


def test_a_name_into_a_name(path):
    with graph(names=("x", "y", "z/w")) as (variables, session):
        tf1.train.init_from_checkpoint(path, {"a": "x", "scoped/c": "z/w"})
        assert initialized(session, variables) == [1, 0, 3]


def test_a_name_into_a_variable(path):
    with graph(names=("x", "y", "z/w")) as (variables, session):
        tf1.train.init_from_checkpoint(path, {"scoped/c": variables[0]})
        assert initialized(session, variables) == [3, 0, 0]


def test_a_name_into_the_parts_of_a_variable(tmp_path):
    with tf.Graph().as_default(), tf1.Session() as session:
        whole = tf1.get_variable("whole", initializer=[1.0, 2.0, 3.0, 4.0])
        session.run(whole.initializer)
        path = tf1.train.Saver().save(session, str(tmp_path / "whole"))
    with tf.Graph().as_default(), tf1.Session() as session:
        parts = tf1.get_variable(
            "parts",
            [4],
            partitioner=tf1.fixed_size_partitioner(2),
            initializer=tf1.zeros_initializer(),
        )
        tf1.train.init_from_checkpoint(path, {"whole": list(parts)})
        found = initialized(session, list(parts))
    assert [list(part) for part in found] == [[1, 2], [3, 4]]


@pytest.mark.parametrize("to", ["tf2", "dual"])
def test_converted_names_serve_as_maps_through_object_keys(path, tmp_path, to):
    checkpoint = ec.open_checkpoint(ec.convert(path, tmp_path / to, to=to))
    keys = {checkpoint[name].key: f"new_scope/{name}" for name in checkpoint}
    with graph(scope="new_scope") as (variables, session):
        tf1.train.init_from_checkpoint(checkpoint.prefix, keys)
        assert initialized(session, variables) == [1, 2, 3]


def test_a_saver_with_a_dictionary(path):
    with graph(scope="new_scope") as (variables, session):
        tf1.train.Saver(dict(zip(("a", "b", "scoped/c"), variables))).restore(
            session, path
        )
        assert session.run(variables) == [1, 2, 3]
    a, b, c = (tf.Variable(0.0) for _ in range(3))
    saver = tf1.train.Saver({"a": a, "b": b, "scoped/c": c})
    saver.restore(sess=None, save_path=path)
    assert numbers([a, b, c]) == [1, 2, 3]


def test_a_loop_over_the_values(path):
    readers = (
        tf.train.load_checkpoint(path).get_tensor,
        ec.open_checkpoint(path).read,
    )
    for read in readers:
        with graph(scope="new_scope") as (variables, session):
            for name, variable in zip(("a", "b", "scoped/c"), variables):
                session.run(variable.assign(read(name)))
            assert session.run(variables) == [1, 2, 3]
