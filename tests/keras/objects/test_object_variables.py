"""The variables of an object, as plans take them: names, roles, owners."""

import pytest
import tensorflow as tf

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.roles import Overruling
from estimator_ckpt.keras.objects import object_variables


@pytest.fixture(scope="module")
def net():
    model = tf.keras.Sequential([tf.keras.layers.Dense(3, name="one")])
    model.build((None, 2))
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    return tf.train.Checkpoint(model=model, optimizer=optimizer)


def test_slots_are_told_from_the_model(net):
    found = object_variables.of_trackable(net).variables
    assert found["one/kernel"].role is roles.TRAINABLE
    slots = [v for v in found.values() if v.role is roles.SLOT]
    assert sorted(v.owner for v in slots) == 2 * ["one/bias"] + 2 * ["one/kernel"]


def test_what_a_user_says_wins(net):
    said = Overruling.of("one/kernel$", None)
    found = object_variables.of_trackable(net, said).variables
    assert found["one/kernel"].role in roles.OF_OPTIMIZER


@pytest.mark.parametrize(
    ("target", "is_one"),
    [
        (tf.train.Checkpoint(), True),
        (tf.Module(), True),
        ({}, True),
        (lambda features, labels, mode: None, False),
        ("path", False),
    ],
)
def test_what_is_an_object(target, is_one):
    assert object_variables.is_trackable(target) is is_one
