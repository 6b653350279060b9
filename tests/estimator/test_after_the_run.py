"""What TF2 code, without any Estimator, finds in the checkpoints of a job."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from model_fns import digits, embedding, guide
from tests.estimator import helpers
from tests.estimator.helpers import ec

GUIDE = (guide, guide.input_fn, guide.input_fn)
DIGITS = (digits, digits.train_input_fn, digits.eval_input_fn)
EMBEDDING = (embedding, embedding.train_input_fn, embedding.eval_input_fn)


@pytest.mark.parametrize("format", ["tf2", "dual"])
@pytest.mark.parametrize(
    ("module", "train_input_fn", "eval_input_fn"), [GUIDE, DIGITS, EMBEDDING]
)
def test_every_ready_made_model_is_restored_and_consumed(
    tmp_path, module, train_input_fn, eval_input_fn, format
):
    est = helpers.estimator(ec.with_scaffold(format)(module.model_fn), tmp_path)
    est.train(train_input_fn, steps=3)
    expected = helpers.session_values(est, eval_input_fn)
    expected.pop("global_step")
    made = {
        name: tf.Variable(tf.zeros(value.shape, value.dtype))
        for name, value in expected.items()
    }
    step = tf.Variable(0, dtype=tf.int64)
    with ec.open_checkpoint(tmp_path) as checkpoint:
        trained = set(checkpoint) - {"global_step"}
        made.update(  # what only training has: slots
            {
                name: tf.Variable(tf.zeros(checkpoint[name].shape))
                for name in trained - set(made)
            }
        )
        restored = tf.train.Checkpoint(var_list=made, step=step)
        restored.restore(helpers.latest(tmp_path)).assert_consumed()
        for name in trained:
            np.testing.assert_array_equal(made[name].numpy(), checkpoint.read(name))
    for name, value in expected.items():
        np.testing.assert_array_equal(made[name].numpy(), value)
    assert step.numpy() == 3


class Weights(tf.Module):
    """A tf.Module with a nested one, a list and a dict of variables."""

    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(1.0, name="scale")
        self.rows = [tf.Variable(tf.ones([2, 1]), name=f"row_{i}") for i in range(2)]
        self.named = {"bias": tf.Variable([0.0], name="bias")}

    def __call__(self, x):
        return self.scale * (x @ (self.rows[0] + self.rows[1])) + self.named["bias"]


def keras_optimizer(generation):
    adam = {
        "legacy": lambda: tf.keras.optimizers.legacy.Adam(0.1),
        "new": lambda: tf.keras.optimizers.Adam(0.1),
    }
    return adam[generation]()


def a_module():
    return Weights()


def a_keras_model():
    return tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])


@pytest.mark.parametrize("format", ["tf2", "dual"])
@pytest.mark.parametrize("generation", ["legacy", "new"])
@pytest.mark.parametrize("make", [a_module, a_keras_model])
def test_objects_of_ones_own_go_on_in_eager_code(tmp_path, make, generation, format):
    made = {}

    def object_fn(features, labels, mode):
        model, optimizer = make(), keras_optimizer(generation)
        step = tf1.train.get_or_create_global_step()
        made["checkpoint"] = tf.train.Checkpoint(
            model=model, optimizer=optimizer, step=step
        )
        prediction = model(features["x"])
        loss = tf.reduce_mean(tf.square(prediction - labels))
        train_op = None
        if mode == tf.estimator.ModeKeys.TRAIN:
            trained = model.trainable_variables
            if generation == "new":
                optimizer.build(trained)
            update = optimizer.apply_gradients(
                zip(tf.gradients(loss, trained), trained)
            )
            train_op = tf.group(update, step.assign_add(1))
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    fn = ec.with_scaffold(format, checkpoint=lambda: made["checkpoint"])(object_fn)
    est = helpers.estimator(fn, tmp_path, save_checkpoints_steps=1)
    est.train(helpers.input_fn, steps=2)
    est.train(helpers.input_fn, steps=1)
    keys = helpers.values(tmp_path)

    model, optimizer = make(), keras_optimizer(generation)
    step = tf.Variable(0, dtype=tf.int64)
    restored = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step)
    if generation == "new":
        optimizer.build(model.trainable_variables)
    status = restored.restore(helpers.latest(tmp_path))
    if generation == "legacy":
        optimizer.apply_gradients(
            [(tf.zeros_like(v), v) for v in model.trainable_variables]
        )
        status = restored.restore(helpers.latest(tmp_path))
    status.assert_consumed()
    assert step.numpy() == 3
    assert optimizer.iterations.numpy() == 3
    found = {
        f"{attribute}/.ATTRIBUTES/VARIABLE_VALUE": value
        for attribute, value in {
            "step": step,
            "model/scale"
            if make is a_module
            else "model/layer_with_weights-0/kernel": (
                model.trainable_variables[-1]
                if make is a_module
                else model.trainable_variables[0]
            ),
        }.items()
    }
    for key, value in found.items():
        np.testing.assert_array_equal(value.numpy(), keys[key])


@pytest.mark.parametrize("format", ["tf2", "dual"])
def test_hash_tables_that_tf2_code_saved_are_restored(tmp_path, format):
    def table():
        return tf.lookup.experimental.MutableHashTable(
            tf.int64, tf.float32, -1.0, name="words"
        )

    eager = table()
    eager.insert(tf.constant([1, 2], tf.int64), tf.constant([10.0, 20.0]))
    variable = tf.Variable(5.0, name="v")
    step = tf.Variable(7, dtype=tf.int64, name="global_step")
    checkpoint = tf.train.Checkpoint(words=eager, var_list={"v": variable}, step=step)
    prefix = checkpoint.write(str(tmp_path / "model.ckpt-7"))

    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.train.get_or_create_global_step()
        v = tf1.get_variable("v", [])
        looked_up = table().lookup(tf.constant([1, 2, 3], tf.int64))
        scaffold = ec.scaffold(format)
        scaffold.finalize()
        session.run(scaffold.init_op)
        scaffold.saver.restore(session, prefix)
        assert session.run(v) == 5.0
        found = session.run(looked_up)
        np.testing.assert_array_equal(found, [10.0, 20.0, -1.0])
