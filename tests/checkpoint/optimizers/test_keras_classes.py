"""Classes of Keras optimizers: which algorithm's state their slots are."""

import pytest

from estimator_ckpt.checkpoint.optimizers import algorithms, keras_classes


@pytest.mark.parametrize(
    ("name", "slots", "algorithm"),
    [
        ("Adam", ["m", "v"], algorithms.ADAM),
        ("AdamW", ["v", "m", "vhat"], algorithms.ADAM),
        ("SGD", ["accumulator"], algorithms.MOMENTUM),
        ("RMSprop", ["rms"], algorithms.RMSPROP),
        ("RMSprop", ["rms", "momentum"], algorithms.RMSPROP),
        ("RMSprop", ["rms", "mg"], algorithms.CENTERED),
        ("Adamax", ["m", "u"], algorithms.ADAMAX),
        ("Ftrl", ["linear", "accumulator"], algorithms.FTRL),
        ("Adagrad", ["accumulator", "velocity"], None),
    ],
)
def test_slots_are_the_state_of_an_algorithm(name, slots, algorithm):
    assert keras_classes.KERAS[name].read_as(slots) is algorithm


@pytest.mark.parametrize("name", keras_classes.KERAS)
def test_each_generation_names_the_same_slots(name):
    known = keras_classes.KERAS[name]
    slots = set(known.legacy)
    assert slots == set(known.names) == set(known.attributes) == set(known.keras_3)
    of_tf1 = {slot for algorithm in known.reads for slot in algorithm.slots}
    assert of_tf1 <= slots
    assert slots - of_tf1 <= {"vhat"}  # amsgrad, which tf1's Adam has not


def test_a_class_of_which_nothing_is_known_reads_nothing():
    assert keras_classes.UNKNOWN.reads == ()
