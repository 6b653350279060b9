"""A live object described: names, counters, optimizers, and what cannot be."""

import pytest
import tensorflow as tf

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.contents import AmbiguousNameError
from estimator_ckpt.keras.objects import trackables
from estimator_ckpt.keras.objects.descriptions import TrackableError


@pytest.fixture(scope="module")
def net():
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(3, name="one"),
            tf.keras.layers.BatchNormalization(name="bn"),
        ]
    )
    model.build((None, 2))
    model.compile(tf.keras.optimizers.Adam(0.1), "mse")
    return model


def test_a_model_is_its_variables_and_its_optimizer(net):
    found = trackables.describe(net)
    assert {name.rpartition("/")[0] for name in found.variables} == {"one", "bn"}
    by_role = {held.variable.role for held in found.variables.values()}
    assert by_role == {roles.TRAINABLE, roles.MODEL}
    (optimizer,) = found.optimizers
    assert optimizer.trained == {"one/kernel", "one/bias", "bn/gamma", "bn/beta"}
    assert found.save_counter is not None
    assert not found.has_embeddings
    keys = [held.key for held in found.every]
    assert len(keys) == len(set(keys))


def test_a_dict_is_what_a_checkpoint_of_it_would_track(net):
    step = tf.Variable(7, dtype=tf.int64)
    found = trackables.describe({"model": net, "step": step}, save_counter=False)
    assert found.step.value() == 7
    assert found.step.variable.role is roles.GLOBAL_STEP
    assert found.save_counter is None
    assert found.called == "the object of 'model', 'step'"


def test_a_step_that_is_no_counter_is_a_variable(net):
    found = trackables.describe({"step": tf.Variable([1.0, 2.0])})
    assert found.step is None
    assert len(found.variables) == 1


@pytest.mark.parametrize("given", [3, "text", tf.Variable, tf.Variable(1.0)])
def test_what_is_no_object_is_refused(given):
    with pytest.raises(TrackableError, match="has no variables to convert for"):
        trackables.describe(given)


def test_an_object_without_variables_is_refused():
    with pytest.raises(TrackableError, match="build its layers first"):
        trackables.describe(tf.Module())


def test_the_state_of_an_iterator_is_refused(net):
    iterator = iter(tf.data.Dataset.range(3))
    with pytest.raises(TrackableError, match="the state of an iterator"):
        trackables.describe({"model": net, "data": iterator})


def test_two_variables_of_one_name_are_told_apart_by_paths():
    both = {"a": tf.Variable(1.0, name="same"), "b": tf.Variable(2.0, name="same")}
    with pytest.raises(AmbiguousNameError):
        trackables.describe(both)
    assert set(trackables.describe(both, names_by="path").variables) == {"a", "b"}
