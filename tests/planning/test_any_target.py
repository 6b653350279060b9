"""Plans for model_fns and live objects; the warm start does what its plan said."""

import logging

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.maps.plans import Verdict
from model_fns import digits
from tests.estimator import helpers
from tests.estimator.helpers import ec
from tests.testdata_paths import PREFIXES, ROLES

DIGITS = PREFIXES["digits/model.ckpt-300"]


def scoped(scope):
    """The digits model in a scope of its own."""

    def scoped_model_fn(features, labels, mode):
        with tf1.variable_scope(scope):
            return digits.model_fn(features, labels, mode, {})

    return scoped_model_fn


def verdicts(planned):
    return {i.name: i.verdict for i in planned.items if i.target is not None}


def test_a_model_fn_is_built_and_thrown_away(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planned = ec.plan(
        DIGITS, digits.model_fn, input_fn=digits.train_input_fn, carry="all"
    )
    assert planned.counts == {Verdict.CARRIED: 30, Verdict.RESET: 1}
    assert not list(tmp_path.iterdir())


def test_an_evaluation_graph_has_no_slots():
    planned = ec.plan(
        DIGITS, digits.model_fn, input_fn=digits.eval_input_fn, carry="all", mode="eval"
    )
    assert not [name for name in verdicts(planned) if "Adam" in name]


def test_a_model_fn_gets_the_config():
    def model_fn(features, labels, mode, params, config):
        with tf1.variable_scope(config.model_dir or "nowhere"):
            return digits.model_fn(features, labels, mode, params)

    for config in (None, tf.estimator.RunConfig("here")):
        planned = ec.plan(
            DIGITS, model_fn, input_fn=digits.train_input_fn, config=config
        )
        scopes = {i.name.partition("/")[0] for i in planned.items if i.target}
        assert ("here" if config else "nowhere") in scopes


def test_the_warm_start_does_what_the_plan_said(tmp_path, caplog):
    options = {
        "carry": "all",
        "assignment_map": {"/": "net/"},
        "exclude": "net/logits/",
        "reset": "net/bn2/beta$",
    }
    planned = ec.plan(DIGITS, scoped("net"), input_fn=digits.train_input_fn, **options)
    fn = ec.warm_start_from(DIGITS, **options)(scoped("net"))
    with caplog.at_level(logging.INFO, "estimator_ckpt"):
        helpers.estimator(fn, tmp_path).train(digits.train_input_fn, steps=1)
    said = {
        record.args[0]: record.args[1]
        for record in caplog.records
        if record.msg == "Warm start: %s: %s (%s)"
    }
    words = {"missing": "not in source"}  # the log's own
    assert said == {
        name: words.get(verdict.value, verdict.value)
        for name, verdict in verdicts(planned).items()
    }
    assert set(said.values()) == {"renamed", "not in source", "reset"}


@pytest.mark.parametrize(
    ("given", "old"),
    [
        ({"digits/": "net/"}, "digits/"),
        ({"/": "net/"}, ""),
        ([("digits/conv1/kernel", "net/conv1/kernel")], "digits/"),
    ],
)
@pytest.mark.parametrize("format", helpers.FORMATS)
def test_maps_rename_in_a_warm_start(tmp_path, given, old, format):
    source = ec.convert(
        DIGITS, tmp_path / "old", to=format, assignment_map={"/": old} if old else None
    )
    fn = ec.warm_start_from(source, assignment_map=given)(scoped("net"))
    helpers.estimator(fn, tmp_path / "new").train(
        lambda: digits.train_input_fn().take(0), steps=1
    )
    with (
        ec.open_checkpoint(source) as before,
        ec.open_checkpoint(tmp_path / "new") as after,
    ):
        np.testing.assert_array_equal(
            after.read("net/conv1/kernel"), before.read(f"{old}conv1/kernel")
        )
        assert after.global_step == 0


@pytest.mark.parametrize("as_list", [False, True])
def test_a_variable_or_its_parts_stand_for_their_name(tmp_path, as_list):
    def model_fn(features, labels, mode):
        parts = tf1.fixed_size_partitioner(2) if as_list else None
        with tf1.variable_scope("new", partitioner=parts):
            variable = tf1.get_variable("logits", (256, 10))
        step = tf1.train.get_global_step()
        loss = tf.reduce_sum(tf.convert_to_tensor(variable))
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=step.assign_add(1))

    with tf.Graph().as_default():
        parts = tf1.fixed_size_partitioner(2) if as_list else None
        with tf1.variable_scope("new", partitioner=parts):
            variable = tf1.get_variable("logits", (256, 10))
        given = {"logits/kernel": list(variable) if as_list else variable}
    fn = ec.warm_start_from(DIGITS, assignment_map=given, strict=True)(model_fn)
    fn = ec.with_scaffold("tf2")(fn)
    helpers.estimator(fn, tmp_path / "new").train(
        lambda: tf.data.Dataset.from_tensors((0.0, 0.0)), steps=1
    )
    with ec.open_checkpoint(tmp_path / "new") as after:
        np.testing.assert_array_equal(
            after.read("new/logits"), ec.open_checkpoint(DIGITS).read("logits/kernel")
        )
    converted = ec.convert(DIGITS, tmp_path / "c", to="tf2", assignment_map=given)
    assert "new/logits" in ec.open_checkpoint(converted)


CANNED = {
    "canned-dnn/model.ckpt-20": lambda columns: tf.estimator.DNNClassifier(
        [8, 4], columns, n_classes=3
    ),
    "canned-linear/model.ckpt-20": lambda columns: tf.estimator.LinearClassifier(
        columns, n_classes=3
    ),
}


@pytest.mark.parametrize("name", CANNED)
def test_tf1_canned_estimators_become_those_of_tf2(name):
    column = tf.feature_column
    columns = [column.numeric_column(n) for n in ("petal_length", "petal_width")]
    if "dnn" in name:
        columns.append(
            column.embedding_column(
                column.categorical_column_with_vocabulary_list(
                    "length_word", ["short", "middle", "long"], num_oov_buckets=1
                ),
                2,
            )
        )
    else:
        columns.append(column.categorical_column_with_hash_bucket("length_hash", 10))

    def input_fn():
        features = {
            "petal_length": np.ones(4, "float32"),
            "petal_width": np.ones(4, "float32"),
            "length_word": np.array(["short"] * 4),
            "length_hash": np.array(["short"] * 4),
        }
        labels = np.zeros(4, "int64")
        return tf.data.Dataset.from_tensor_slices((features, labels)).batch(2)

    model_fn = CANNED[name](columns).model_fn
    suggested = ec.suggest(PREFIXES[name], model_fn, input_fn=input_fn)
    assert "- {builtin: canned_estimators}" in suggested.to_yaml("a", "b")
    planned = ec.plan(
        PREFIXES[name],
        model_fn,
        input_fn=input_fn,
        carry="all",
        assignment_map="builtin:canned_estimators",
    )
    again = ec.plan(
        PREFIXES[name],
        model_fn,
        input_fn=input_fn,
        carry="all",
        assignment_map=suggested.assignment_map,
    )
    assert again.to_json() == planned.to_json()
    counts = planned.counts
    assert counts[Verdict.RENAMED] >= 7  # slots
    assert Verdict.UNUSED not in counts
    # Hyperparameters come from the new optimizer: TF1 checkpoints have none.
    missing = {item.name.rpartition("/")[2] for item in planned.problems}
    assert missing <= {
        *("decay", "learning_rate", "beta", "learning_rate_power"),
        *("l1_regularization_strength", "l2_regularization_strength"),
    }


class TestObjects:
    def test_a_keras_model(self):
        model = tf.keras.Sequential(
            [tf.keras.layers.Dense(10, input_shape=(256,), name="logits")]
        )
        planned = ec.plan(DIGITS, model, carry="model")
        assert verdicts(planned) == {
            "logits/kernel": Verdict.CARRIED,
            "logits/bias": Verdict.CARRIED,
        }

    def test_a_dict_is_that_of_a_checkpoint(self):
        step = tf.Variable(0, dtype=tf.int64)
        kernel = tf.Variable(tf.zeros([256, 10]))
        planned = ec.plan(DIGITS, {"var_list": {"logits/kernel": kernel}, "step": step})
        assert verdicts(planned) == {
            "logits/kernel": Verdict.CARRIED,
            "global_step": Verdict.CARRIED,
        }

    def test_names_that_say_nothing_give_way_to_paths(self):
        class Net(tf.Module):
            def __init__(self):
                super().__init__()
                self.w = tf.Variable(tf.zeros([3]))

        planned = ec.plan(DIGITS, Net())
        assert verdicts(planned) == {"w": Verdict.MISSING}


class TestObjectsAndCheckpointsOfObjects:
    """Plans for objects find what a conversion for them finds."""

    def net(self, name):
        return tf.keras.Sequential(
            [
                tf.keras.layers.Dense(2, input_shape=(3,), name="dense"),
                tf.keras.layers.BatchNormalization(name="bn"),
                tf.keras.layers.Dense(1, name="head"),
            ],
            name=name,
        )

    @pytest.mark.parametrize("name", ["net", "called_otherwise"])
    def test_the_name_of_a_keras_3_model_is_no_part_of_its_variables(self, name):
        source = ROLES["2.21.0/sgd_momentum"] / "model.ckpt"
        model = self.net(name)
        planned = ec.plan(source, model, carry="model")
        assert planned.problems == []
        assert {item.name for item in planned.items if item.target} == {
            item.name for item in ec.plan_for(model, source).items if item.target
        } - {"save_counter"}

    def test_a_gan_whose_networks_share_names_goes_by_paths(self, tmp_path):
        source = ROLES["2.15.1/gan_new"] / "model.ckpt"

        def network():
            tf.keras.backend.clear_session()
            return tf.keras.Sequential(
                [
                    tf.keras.layers.Dense(2, input_shape=(3,)),
                    tf.keras.layers.BatchNormalization(),
                    tf.keras.layers.Dense(1),
                ]
            )

        gan = {"generator": network(), "discriminator": network()}
        with pytest.raises(ec.CheckpointError, match="--names=path"):
            ec.plan(source, gan, carry="model")
        planned = ec.plan(source, gan, carry="model", names="path")
        assert planned.problems == []
        carried = [item for item in planned.items if item.verdict.is_carried]
        assert len(carried) == 16
        for item in carried:
            assert item.source.key == item.target.key
        prefix = ec.convert_for(gan, source, tmp_path / "new", names="path")
        tf.train.Checkpoint(**gan).restore(prefix).assert_consumed()
        with ec.open_checkpoint(source, names="path") as checkpoint:
            wanted = checkpoint.read("discriminator/layer_with_weights-2/kernel")
        assert (gan["discriminator"].layers[-1].kernel.numpy() == wanted).all()


@pytest.mark.parametrize("names", ["full_name", "path"])
def test_an_object_s_slots_are_those_at_its_keys_whatever_its_model_is_called(
    tmp_path, names
):
    """Names of slots begin with the optimizer's, or the model's, or with neither."""

    def parts(called, keras_optimizer):
        model = tf.keras.Sequential([tf.keras.layers.Dense(1, name="d")], name=called)
        model.build((None, 2))
        return {"model": model, "optimizer": keras_optimizer}

    old = parts("old", tf.keras.optimizers.Adam())
    weights = old["model"].trainable_variables
    gradients = [tf.ones_like(weight) for weight in weights]
    old["optimizer"].apply_gradients(zip(gradients, weights))
    source = tf.train.Checkpoint(**old).save(str(tmp_path / "c"))
    new = parts("new", tf.keras.optimizers.Adam())
    new["optimizer"].build(new["model"].trainable_variables)
    assert not ec.plan(source, new, names=names).problems
    other = parts("new", tf.keras.optimizers.SGD(momentum=0.9))
    other["optimizer"].build(other["model"].trainable_variables)
    found = {item.name for item in ec.plan(source, other, names=names).problems}
    assert {"m/d/kernel", "m/d/bias"} <= found  # Adam's m is no momentum of SGD's
