"""What Keras does not promise of its optimizers: each private use has a test."""

import pytest
import tensorflow as tf

from estimator_ckpt.checkpoint.optimizers import keras_classes
from estimator_ckpt.tf_private import keras_api, trackables_api

IS_KERAS_3 = hasattr(tf.keras, "ops")
legacy = None if IS_KERAS_3 else tf.keras.optimizers.legacy
new = tf.keras.optimizers
MODULES = [new] if IS_KERAS_3 else [new, legacy]

modules = pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__[-6:])


def layer():
    """A layer with a kernel and a bias."""
    made = tf.keras.layers.Dense(2, name="dense")
    made.build((None, 3))
    return made


@modules
def test_optimizers_are_told_from_other_objects(module):
    optimizer = module.Adam()
    assert keras_api.is_optimizer(optimizer)
    assert keras_api.is_legacy_optimizer(optimizer) == (module is legacy)
    assert keras_api.is_keras_3(optimizer) == IS_KERAS_3
    for other in (layer(), tf.Module(), tf.Variable(0.0), tf.train.Checkpoint()):
        assert not keras_api.is_optimizer(other)


@modules
def test_slots_are_made_as_by_a_step(module):
    optimizer, trained = module.Adam(), layer().trainable_variables
    assert not keras_api.has_slots(optimizer)
    keras_api.build_slots(optimizer, trained)
    assert keras_api.has_slots(optimizer)


@pytest.mark.parametrize("name", sorted(keras_classes.KERAS))
def test_the_lists_of_slots_have_the_names_of_the_table(name):
    options = {"Adam": {"amsgrad": True}, "SGD": {"momentum": 0.9}}.get(name, {})
    if name == "RMSprop":
        options = {"momentum": 0.9, "centered": True}
    optimizer = getattr(new, name)(**options)
    variables = layer().trainable_variables
    optimizer.build(variables)
    lists = keras_api.slot_lists(optimizer)
    wanted = set(keras_classes.KERAS[name].names)
    assert set(lists) == wanted - ({"vhat"} if name in ("AdamW", "Nadam") else set())
    assert {len(listed) for listed in lists.values()} == {len(variables)}
    assert [keras_api.place_in(optimizer, v) for v in variables] == [0, 1]
    assert keras_api.place_in(optimizer, layer().kernel) is None


@pytest.mark.skipif(legacy is None, reason="Keras 3 has none")
@pytest.mark.parametrize("name", sorted(keras_classes.KERAS))
def test_legacy_slots_have_the_names_of_the_table(name):
    if name == "AdamW":
        pytest.skip("there is no legacy.AdamW")
    options = {"Adam": {"amsgrad": True}, "SGD": {"momentum": 0.9}}.get(name, {})
    if name == "RMSprop":
        options = {"momentum": 0.9, "centered": True}
    optimizer = getattr(legacy, name)(**options)
    keras_api.build_slots(optimizer, layer().trainable_variables)
    names = set(keras_classes.KERAS[name].legacy.values())
    if name == "Nadam":
        names.remove("vhat")
    assert set(optimizer.get_slot_names()) == names


def test_an_optimizer_says_what_it_was_built_for():
    optimizer = new.Adam()
    optimizer.build(layer().trainable_variables)
    assert keras_api.trained_by(optimizer) in (
        ["dense/kernel", "dense/bias"],
        ["kernel", "bias"],  # of a layer that is built outside of a model
    )


@modules
def test_schedules_are_functions_of_the_iterations(module):
    schedule = tf.keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)
    assert keras_api.schedule_of(module.Adam(0.5)) is None
    rate = keras_api.schedule_of(module.Adam(schedule))
    assert float(rate(tf.constant(10, tf.int64))) == pytest.approx(0.25)


def test_averages_are_in_the_order_of_the_variables():
    optimizer, made = new.SGD(use_ema=True), layer()
    optimizer.build(made.trainable_variables)
    found = keras_api.averages_of(optimizer)
    assert [v.shape for v in found] == [(3, 2), (2,)]
    assert not keras_api.averages_of(new.SGD())


def test_classes_are_known_by_their_names_and_their_bases():
    class Mine(new.Adam):
        pass

    class Adam:
        pass

    assert keras_api.known_class(Mine(), ("SGD", "Adam")) == "Adam"
    assert keras_api.known_class(Adam(), ("SGD", "Adam")) is None
    inner = tf.keras.Sequential([layer(), tf.keras.layers.Embedding(3, 2)])
    model = tf.keras.Sequential([tf.keras.Sequential([inner])])
    assert keras_api.is_model(model)
    assert not keras_api.is_model(layer())
    assert keras_api.is_metric(tf.keras.metrics.Mean())
    assert keras_api.is_embedding(inner.layers[1])
    assert not keras_api.is_embedding(inner.layers[0])
    assert keras_api.has_layer(model, inner)
    assert not keras_api.has_layer(inner, model)
    assert not keras_api.has_layer(inner, inner)


@modules
def test_the_learning_rate_is_a_variable_unless_it_follows_a_schedule(module):
    optimizer = module.Adam(0.5)
    keras_api.build_slots(optimizer, layer().trainable_variables)
    assert float(keras_api.rate_variable(optimizer).numpy()) == 0.5
    schedule = tf.keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)
    assert keras_api.rate_variable(module.Adam(schedule)) is None


def test_what_a_keras_3_optimizer_trains_is_below_its_node_and_no_part_of_it():
    optimizer, made = new.Adam(), layer()
    optimizer.build(made.trainable_variables)
    graph, _, _ = trackables_api.objects_of(optimizer)
    children = {child.local_name for child in graph.nodes[0].children}
    assert (keras_api.TRAINED_CHILD in children) == IS_KERAS_3
