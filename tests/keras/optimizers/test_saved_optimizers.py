"""The state of optimizers of every TensorFlow, into a Keras optimizer of today.

The sources are those of `tests/testdata/roles`, whose truth the programs that wrote
them recorded: variables with the source's own names get its values, and each slot must
be the one that the source has of its variable.
"""

import json
import logging
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.keras.objects import trackables
from tests.testdata_paths import TESTDATA

new = tf.keras.optimizers
IS_KERAS_3 = hasattr(tf.keras, "ops")
legacy = None if IS_KERAS_3 else new.legacy
ROLES = TESTDATA / "roles"


#: Of Keras 3's Adam after three steps; no two numbers in it are the same.
TRAINED = pathlib.Path(__file__).parent / "trained_keras_3" / "model.ckpt"


def prefix_of(name):
    return ROLES / name / "model.ckpt"


def trained(names="full_name"):
    """The names and shapes of what Keras 3 trained."""
    with ec.open_checkpoint(TRAINED, names=names) as checkpoint:
        return {
            name: info.shape
            for name, info in checkpoint.items()
            if info.key.startswith("optimizer/_trainable_variables/")
        }


def trainable(name, names="full_name"):
    """The names and shapes of a source's trained variables."""
    truth = json.loads((ROLES / name / "roles.json").read_text())
    trained = {key for key, said in truth.items() if said[0] == "trainable"}
    with ec.open_checkpoint(prefix_of(name), names=names) as checkpoint:
        return {
            name: info.shape
            for name, info in checkpoint.items()
            if (object_keys.path_of(info.key) or info.key) in trained
        }


def with_optimizer(shapes, make):
    """Variables of these names, and an optimizer that trains them, by `v` and `o`."""
    variables = [tf.Variable(tf.zeros(s), name=n) for n, s in shapes.items()]
    optimizer = make()
    if legacy and isinstance(optimizer, legacy.Optimizer):
        optimizer._create_all_weights(variables)
    else:
        optimizer.build(variables)
    return {"v": variables, "o": optimizer}


def slots_of(trackable, optimizer=0):
    """An optimizer's slots by what they are and by owner, as arrays."""
    found = trackables.describe(trackable, save_counter=False).optimizers[optimizer]
    return {
        slot: {owner: held.value() for owner, held in by_owner.items()}
        for slot, by_owner in found.slots.items()
    }


def assert_slots(trackable, source, called, names="full_name"):
    """Holds each slot against the source's, given what it is called there."""
    found = slots_of(trackable)
    assert set(found) == set(called)
    with ec.open_checkpoint(source, names=names) as checkpoint:
        for slot, by_owner in found.items():
            assert any(np.abs(value).max() > 0 for value in by_owner.values())
            for owner, value in by_owner.items():
                name = called[slot].format(V=owner, flat=owner.replace("/", "_"))
                np.testing.assert_array_equal(value, checkpoint.read(name), name)


def adam():
    return new.Adam(0.01)


#: By source: the optimizer that goes on, the names of slots there, and its steps.
SOURCES = {
    "tensorflow-1.15.5/named_adam": (adam, {"m": "{V}/d_adam", "v": "{V}/d_adam_1"}, 2),
    "tensorflow-1.15.5/named_adam_no_meta": (
        adam,
        {"m": "{V}/d_adam", "v": "{V}/d_adam_1"},
        2,
    ),
    "tensorflow-1.15.5/keras_adam": (
        adam,
        {"m": "training/Adam/{V}/m", "v": "training/Adam/{V}/v"},
        None,
    ),
    "tensorflow-1.15.5/keras_adam_no_meta": (
        adam,
        {"m": "training/Adam/{V}/m", "v": "training/Adam/{V}/v"},
        None,
    ),
    "tensorflow-1.15.5/model_to_estimator": (
        adam,
        {"m": "training/Adam/{V}/m", "v": "training/Adam/{V}/v"},
        None,
    ),
    "tensorflow-1.15.5/keras_in_model_fn": (
        lambda: new.RMSprop(0.01, momentum=0.9),
        {"rms": "train/RMSprop/{V}/rms", "momentum": "train/RMSprop/{V}/momentum"},
        None,
    ),
    "tensorflow-1.15.5/contrib_adamw": (
        adam,
        {"m": "{V}/AdamW", "v": "{V}/AdamW_1"},
        None,
    ),
    "tensorflow-1.15.5/optimize_loss": (
        adam,
        {"m": "OptimizeLoss/{V}/Adam", "v": "OptimizeLoss/{V}/Adam_1"},
        None,
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_slots_go_with_their_variables(name):
    make, called, steps = SOURCES[name]
    trackable = with_optimizer(trainable(name), make)
    ec.load_into(trackable, prefix_of(name))
    assert_slots(trackable, prefix_of(name), called)
    taken = int(trackable["o"].iterations)
    assert taken == steps if steps else taken > 0


def test_a_legacy_optimizer_resumed_before_its_first_step():
    """Whose slots have no optimizer in their names, and whose steps nothing says."""
    name = "tensorflow-2.15.1/legacy_resumed_before_a_step"
    trackable = with_optimizer(trainable(name), adam)
    with pytest.raises(ec.CheckpointError, match="says nowhere how many steps"):
        ec.load_into(trackable, prefix_of(name))
    ec.load_into(trackable, prefix_of(name), iterations=5)
    assert_slots(trackable, prefix_of(name), {"m": "{V}/m", "v": "{V}/v"})
    assert int(trackable["o"].iterations) == 5


@pytest.mark.parametrize("name", ["gan_new", "gan_legacy"])
def test_two_keras_optimizers_each_go_on_from_their_own(name):
    """Which took other numbers of steps, and whose counters have one full name."""
    name = f"tensorflow-2.15.1/{name}"
    shapes = trainable(name, "path")
    trackable = {}
    for scope in ("generator", "discriminator"):
        mine = {n: s for n, s in shapes.items() if n.startswith(f"{scope}/")}
        made = with_optimizer(mine, adam)
        trackable.update({scope: made["v"], f"of_{scope}": made["o"]})
    ec.load_into(trackable, prefix_of(name), names="path")
    assert int(trackable["of_generator"].iterations) == 1
    assert int(trackable["of_discriminator"].iterations) == 2


@pytest.mark.parametrize("names", ["full_name", "path"])
def test_keras_3_by_full_names_and_by_paths(names):
    by_path = trained(names)
    trackable = with_optimizer(by_path, adam)
    ec.load_into(trackable, TRAINED, names=names)
    with ec.open_checkpoint(TRAINED, names=names) as checkpoint:
        slots = {
            (said.owner, said.slot): checkpoint.read(n)
            for n, said in checkpoint.roles.items()
            if said.slot in ("momentum", "velocity")
        }
    found = slots_of(trackable)
    assert len(slots) == 2 * len(by_path) == 8
    assert int(trackable["o"].iterations) == 3
    for owner in by_path:
        np.testing.assert_array_equal(found["m"][owner], slots[owner, "momentum"])
        np.testing.assert_array_equal(found["v"][owner], slots[owner, "velocity"])


def centered():
    return new.RMSprop(0.01, momentum=0.9, centered=True)


@pytest.mark.parametrize("names", ["full_name", "path"])
@pytest.mark.parametrize(
    ("source", "make"),
    [
        ("Keras 3", adam),
        ("tensorflow-2.15.1/new_rmsprop", centered),
        ("tensorflow-2.15.1/legacy_ftrl", lambda: new.Ftrl(0.01)),
        ("tensorflow-2.21.0/rmsprop_centered", centered),
    ],
)
def test_a_conversion_to_names_has_the_same_state(names, source, make, tmp_path):
    """Of the object's checkpoint and of what `convert` made of it, slot by slot."""
    prefix = TRAINED if source == "Keras 3" else prefix_of(source)
    shapes = trained(names) if source == "Keras 3" else trainable(source, names)
    by_names = ec.convert(prefix, tmp_path / "n", to="tf1", names=names)
    found = []
    for options in ({"source": prefix, "names": names}, {"source": by_names}):
        trackable = with_optimizer(shapes, make)
        ec.load_into(trackable, **options)
        found.append((int(trackable["o"].iterations), slots_of(trackable)))
    assert found[0][0] == found[1][0] > 0
    for slot, by_owner in found[0][1].items():
        assert by_owner
        for owner, value in by_owner.items():
            np.testing.assert_array_equal(found[1][1][slot][owner], value)


def test_a_model_of_keras_3_under_another_name():
    """Whose name stands before those of its variables in the checkpoint."""
    shapes = {n.partition("/")[2]: s for n, s in trained().items()}
    trackable = with_optimizer(shapes, adam)
    ec.load_into(trackable, TRAINED)
    found = slots_of(trackable)
    with ec.open_checkpoint(TRAINED) as checkpoint:
        for variable, owner in zip(trackable["v"], shapes):
            flat = owner.replace("/", "_")
            np.testing.assert_array_equal(variable, checkpoint.read(f"net/{owner}"))
            m = checkpoint.read(f"adam/net_{flat}_momentum")
            np.testing.assert_array_equal(found["m"][owner], m)


class TestTwoAdamsOfTf1:
    def load(self, name, **options):
        shapes = trainable(name)
        parts = {
            scope: {n: s for n, s in shapes.items() if n.startswith(scope)}
            for scope in ("generator", "discriminator")
        }
        made = {scope: with_optimizer(part, adam) for scope, part in parts.items()}
        trackable = {
            **{scope: part["v"] for scope, part in made.items()},
            **{f"{scope}_optimizer": part["o"] for scope, part in made.items()},
        }
        ec.load_into(trackable, prefix_of(name), **options)
        return trackable

    @pytest.mark.parametrize("name", ["two_adams", "two_named_adams"])
    def test_powers_go_with_their_slots(self, name):
        name = f"tensorflow-1.15.5/{name}"
        trackable = self.load(name)
        with ec.open_checkpoint(prefix_of(name)) as checkpoint:
            powers = [float(checkpoint.read(f"beta1_power{n}")) for n in ("", "_1")]
        steps = [round(np.log(power) / np.log(0.9)) - 1 for power in powers]
        assert int(trackable["generator_optimizer"].iterations) == steps[0]
        assert int(trackable["discriminator_optimizer"].iterations) == steps[1]

    def test_steps_can_be_said(self):
        name = "tensorflow-1.15.5/two_adams_no_meta"
        steps = {"generator_optimizer": 7, "discriminator_optimizer": 3}
        trackable = self.load(name, iterations=steps)
        for path, count in steps.items():
            assert int(trackable[path].iterations) == count


def test_a_loss_scale_goes_over(caplog):
    if IS_KERAS_3:
        pytest.skip("which the test of Keras 3's sources covers")
    caplog.set_level(logging.WARNING)
    name = "tensorflow-1.15.5/loss_scale"
    with ec.open_checkpoint(prefix_of(name)) as checkpoint:
        scale = float(checkpoint.read("current_loss_scale"))
        good = int(checkpoint.read("good_steps"))
    for make in (new.Adam, legacy.Adam):
        wrapper = tf.keras.mixed_precision.LossScaleOptimizer(
            make(0.01), initial_scale=4.0
        )
        made = with_optimizer(
            trainable(name), lambda made=wrapper: made.inner_optimizer
        )
        trackable = {"v": made["v"], "o": wrapper}
        ec.load_into(trackable, prefix_of(name))
        assert float(wrapper.loss_scale) == scale
        assert int(wrapper.dynamic_counter) == good
        assert int(wrapper.inner_optimizer.iterations) > 0
    assert "loss scale" not in caplog.text
    ec.load_into(with_optimizer(trainable(name), adam), prefix_of(name))
    assert "'current_loss_scale' is left out" in caplog.text


def test_a_loss_scale_of_keras_3_goes_over_and_back_to_tf1(tmp_path):
    if IS_KERAS_3:
        pytest.skip("with tf.keras's LossScaleOptimizer")
    name = "tensorflow-2.21.0/loss_scale"
    wrapper = tf.keras.mixed_precision.LossScaleOptimizer(adam(), initial_scale=4.0)
    made = with_optimizer(trainable(name), lambda: wrapper.inner_optimizer)
    trackable = {"v": made["v"], "o": wrapper}
    ec.load_into(trackable, prefix_of(name))
    with ec.open_checkpoint(prefix_of(name)) as checkpoint:
        scale = float(checkpoint.read("loss_scale_optimizer/dynamic_scale"))
    assert float(wrapper.loss_scale) == scale != 4
    saved = tf.train.Checkpoint(**trackable).save(str(tmp_path / "saved"))
    back = ec.convert_for(trackable, saved, tmp_path / "model.ckpt", to="tf1")
    with ec.open_checkpoint(back) as checkpoint:
        assert float(checkpoint.read("current_loss_scale")) == scale
        assert "good_steps" in checkpoint


def test_averages_of_a_keras_source_go_over_and_back(tmp_path):
    trackable = with_optimizer(trained(), lambda: new.Adam(use_ema=True))
    ec.load_into(trackable, TRAINED)
    (found,) = trackables.describe(trackable, save_counter=False).optimizers
    with ec.open_checkpoint(TRAINED) as checkpoint:
        for owner, held in found.averages.items():
            average = checkpoint.read(f"adam/{owner.replace('/', '_')}_average")
            np.testing.assert_array_equal(held.value(), average)
        kernel = checkpoint.read("net/dense/kernel")
        average = found.averages["net/dense/kernel"].value()
        assert np.abs(average - kernel).min() > 0
    saved = tf.train.Checkpoint(**trackable).save(str(tmp_path / "saved"))
    back = ec.convert_for(trackable, saved, tmp_path / "model.ckpt", to="tf1")
    with ec.open_checkpoint(back) as checkpoint:
        for owner, held in found.averages.items():
            shadow = checkpoint.read(f"{owner}/ExponentialMovingAverage")
            np.testing.assert_array_equal(shadow, held.value())


class TestAnotherHead:
    """A head of another shape, optimizer included."""

    NAME = "tensorflow-1.15.5/named_adam"

    def other(self):
        shapes = {**trainable(self.NAME), "net/two/kernel": (2, 5)}
        return with_optimizer(shapes, adam)

    def test_the_message_names_variables_and_no_slots(self):
        with pytest.raises(ec.CheckpointError) as caught:
            ec.load_into(self.other(), prefix_of(self.NAME))
        assert "'net/two/kernel': float32[2, 3] there" in str(caught.value)
        assert "adam" not in str(caught.value).partition("does not fit")[2]

    def test_not_strict_leaves_variable_and_slots_alone(self):
        trackable = self.other()
        slots = slots_of(trackable)
        ec.load_into(trackable, prefix_of(self.NAME), strict=False)
        after = slots_of(trackable)
        for slot in ("m", "v"):
            name = "net/two/kernel"
            np.testing.assert_array_equal(after[slot][name], slots[slot][name])
            assert np.abs(after[slot]["net/one/kernel"]).max() > 0
        assert int(trackable["o"].iterations) == 2
