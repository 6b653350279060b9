"""What many of the guide's blocks begin with: its variables a, b and scoped/c."""

import contextlib

import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec


@contextlib.contextmanager
def graph(values=(0, 0, 0), scope="", names=("a", "b", "scoped/c")):
    """A graph with three initialized scalars, and a session of it."""
    with tf.Graph().as_default(), tf1.variable_scope(scope) if scope else nothing():
        variables = [
            tf1.get_variable(
                name, [], tf.float32, initializer=tf1.constant_initializer(value)
            )
            for name, value in zip(names, values)
        ]
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            yield variables, session


@contextlib.contextmanager
def nothing():
    yield


def eager(values=(0.0, 0.0, 0.0), named=True):
    """Three eager scalars, named a, b and scoped/c, or not named."""
    if not named:
        return [tf.Variable(value) for value in values]
    a, b = tf.Variable(values[0], name="a"), tf.Variable(values[1], name="b")
    with tf.name_scope("scoped"):
        c = tf.Variable(values[2], name="c")
    return [a, b, c]


def numbers(variables):
    return [variable.numpy() for variable in variables]


def printed(path):
    """The guide's print_checkpoint, as a dict: each key with its value."""
    reader = tf.train.load_checkpoint(path)
    return {
        key: reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if "OBJECT_GRAPH" not in key
    }


def ours(path):
    """The same through open_checkpoint: each variable's name with its value."""
    with ec.open_checkpoint(path) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint}


def save_tf1(path, values=(1, 2, 3)):
    with graph(values) as (variables, session):
        return tf1.train.Saver(variables).save(session, str(path))


def value(*path):
    return "/".join([*path, ".ATTRIBUTES", "VARIABLE_VALUE"])


ABC = {"a": 1.0, "b": 2.0, "scoped/c": 3.0}
