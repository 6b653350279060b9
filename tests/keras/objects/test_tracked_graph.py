"""An object graph together with its objects."""

import pytest
import tensorflow as tf

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.keras.objects import tracked_graph
from estimator_ckpt.keras.objects.tracked_graph import TrackedGraph


@pytest.fixture(scope="module")
def objects():
    kernel = tf.Variable([[1.0, 2.0]], name="kernel")
    frozen = tf.Variable(3, name="frozen", trainable=False)
    module = tf.Module()
    module.kernel, module.frozen = kernel, frozen
    return module


@pytest.fixture(scope="module")
def tracked(objects):
    return TrackedGraph.of(tf.train.Checkpoint(module=objects))


def test_every_variable_has_a_key_and_a_node(tracked, objects):
    assert set(tracked.keys.values()) == {
        f"module/{name}/.ATTRIBUTES/VARIABLE_VALUE" for name in ("kernel", "frozen")
    }
    number = tracked.numbers[id(objects.kernel)]
    assert tracked.objects[number] is objects.kernel
    assert tracked.full_names[tracked.keys[number]] == "kernel"


def test_paths_are_the_local_names_from_the_root(tracked, objects):
    assert tracked.path(0) == ""
    assert tracked.path(tracked.numbers[id(objects.frozen)]) == "module/frozen"


def test_what_is_below_a_node_are_its_variables(tracked):
    assert tracked.below(0) == set(tracked.keys)


def test_a_variable_is_data(tracked, objects):
    number = tracked.numbers[id(objects.kernel)]
    held = tracked.variable(number, roles.TRAINABLE)
    assert held.name == "module/kernel"
    assert (held.variable.dtype, held.variable.shape) == ("float32", (1, 2))
    assert held.variable.size == 8
    assert held.value().tolist() == [[1.0, 2.0]]
    held.assign([[5.0, 6.0]])
    assert objects.kernel.numpy().tolist() == [[5.0, 6.0]]


def test_what_trains_is_trainable(objects):
    assert tracked_graph.model_role(objects.kernel) is roles.TRAINABLE
    assert tracked_graph.model_role(objects.frozen) is roles.MODEL


def test_there_are_no_models_nor_optimizers_in_a_module(tracked):
    assert (tracked.models, tracked.optimizers, tracked.wrappers) == ([], {}, {})
