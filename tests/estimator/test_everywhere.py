"""Everywhere that Estimator runs: each way with real runs, in each format."""

import os

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from tests import processes
from tests.conftest import REPOSITORY
from tests.estimator import helpers

FORMATS = helpers.FORMATS
MOSTLY = helpers.MOSTLY
COLORS = ["red", "green", "blue"]


def features_input_fn(classes=True, words=True):
    """Endless batches with a number, a word of a vocabulary, and a label."""

    def input_fn():
        random = np.random.RandomState(0)
        number = random.rand(24, 1).astype("float32")
        color = np.array(COLORS)[random.randint(3, size=24)].reshape(24, 1)
        label = (number > 0.5).astype("int64" if classes else "float32")
        features = {"number": number, **({"color": color} if words else {})}
        return tf.data.Dataset.from_tensor_slices((features, label)).repeat().batch(8)

    return input_fn


def columns():
    color = tf.feature_column.categorical_column_with_vocabulary_list("color", COLORS)
    return (
        [tf.feature_column.numeric_column("number"), color],
        [
            tf.feature_column.numeric_column("number"),
            tf.feature_column.embedding_column(color, 2),
        ],
    )


def canned(head):
    linear, deep = columns()
    return {
        "DNNClassifier": lambda: tf.estimator.DNNClassifier([4], deep),
        "DNNRegressor": lambda: tf.estimator.DNNRegressor([4], deep),
        "LinearClassifier": lambda: tf.estimator.LinearClassifier(linear),
        "LinearRegressor": lambda: tf.estimator.LinearRegressor(linear),
        "DNNLinearCombinedClassifier": lambda: tf.estimator.DNNLinearCombinedClassifier(
            linear_feature_columns=linear,
            dnn_feature_columns=deep,
            dnn_hidden_units=[4],
        ),
        "DNNLinearCombinedRegressor": lambda: tf.estimator.DNNLinearCombinedRegressor(
            linear_feature_columns=linear,
            dnn_feature_columns=deep,
            dnn_hidden_units=[4],
        ),
        "BaselineClassifier": lambda: tf.estimator.BaselineClassifier(),
        "BaselineRegressor": lambda: tf.estimator.BaselineRegressor(),
        "DNNEstimator": lambda: tf.estimator.DNNEstimator(
            tf.estimator.BinaryClassHead(), [4], deep
        ),
        "add_metrics": lambda: tf.estimator.add_metrics(
            tf.estimator.DNNClassifier([4], deep),
            lambda labels, predictions: {
                "own": tf1.metrics.mean(predictions["logistic"])
            },
        ),
        "v1.DNNClassifier": lambda: tf1.estimator.DNNClassifier([4], deep),
    }[head]()


@pytest.mark.parametrize("format", ["tf2", "dual"])
@pytest.mark.parametrize(
    "head",
    [
        "DNNClassifier",
        "DNNRegressor",
        "LinearClassifier",
        "LinearRegressor",
        "DNNLinearCombinedClassifier",
        "DNNLinearCombinedRegressor",
        "BaselineClassifier",
        "BaselineRegressor",
        "DNNEstimator",
        "add_metrics",
        "v1.DNNClassifier",
    ],
)
def test_canned_estimators(tmp_path, head, format):
    # TensorFlow's own Baseline estimators fail on two features.
    input_fn = features_input_fn("Regressor" not in head, "Baseline" not in head)
    est = tf.estimator.Estimator(
        ec.with_scaffold(format)(canned(head).model_fn), str(tmp_path)
    )
    est.train(input_fn, steps=2)
    est.train(input_fn, steps=1)
    metrics = est.evaluate(input_fn, steps=2)
    assert metrics["global_step"] == 3
    assert ("own" in metrics) == (head == "add_metrics")
    assert_consumed(tmp_path, helpers.session_values(est, input_fn))


def assert_consumed(model_dir, expected):
    """TF2 eager code restores every variable of a checkpoint, with its value."""
    step_name = "global_step"
    variables = {
        name: tf.Variable(np.zeros_like(value))
        for name, value in expected.items()
        if name != step_name
    }
    step = tf.Variable(0, dtype=tf.int64)
    prefix = tf.train.latest_checkpoint(str(model_dir))
    checkpoint = tf.train.Checkpoint(var_list=variables, step=step)
    checkpoint.restore(prefix).assert_existing_objects_matched()
    assert step.numpy() == expected[step_name]
    for name, variable in variables.items():
        np.testing.assert_array_equal(variable.numpy(), expected[name], err_msg=name)


@pytest.mark.parametrize("checkpoint_format", ["saver", "checkpoint"])
@pytest.mark.parametrize("format", FORMATS)
def test_model_to_estimators_model_fn(tmp_path, format, checkpoint_format):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,), name="d")])
    model.compile(optimizer="adam", loss="mse")
    converted = tf.keras.estimator.model_to_estimator(
        model, model_dir=str(tmp_path / "keras"), checkpoint_format=checkpoint_format
    )

    def input_fn():
        return helpers.input_fn().map(lambda x, y: ({"d_input": x["x"]}, y))

    est = tf.estimator.Estimator(
        ec.with_scaffold(format)(converted.model_fn), str(tmp_path / "job")
    )
    est.train(input_fn, steps=2)
    est.train(input_fn, steps=1)
    assert est.evaluate(input_fn, steps=1)["global_step"] == 3
    prefix = helpers.latest(tmp_path / "job")
    with ec.open_checkpoint(prefix) as checkpoint:
        kernel = checkpoint.read("d/kernel")
        # With tf1 a Saver of the model_fn's own stays in charge: Keras's object keys.
        keeps_own = (format, checkpoint_format) == ("tf1", "checkpoint")
        assert checkpoint.format == ("tf2" if keeps_own else format)
    if checkpoint_format == "checkpoint":  # as plain Keras loads it
        model.load_weights(prefix).assert_existing_objects_matched()
        np.testing.assert_array_equal(model.layers[0].kernel.numpy(), kernel)


@pytest.mark.parametrize("optimizer", ["legacy", "new"])
@pytest.mark.parametrize("format", FORMATS)
def test_keras_optimizers(tmp_path, format, optimizer):
    def keras_fn(features, labels, mode):
        model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        prediction = model(features["x"])
        loss = tf1.losses.mean_squared_error(labels, prediction)
        train_op = None
        if mode == tf.estimator.ModeKeys.TRAIN:
            optimizer_class = (
                tf.keras.optimizers.legacy.Adam
                if optimizer == "legacy"
                else tf.keras.optimizers.Adam
            )
            adam = optimizer_class(0.1)
            if optimizer == "new":
                adam.build(model.trainable_variables)
            gradients = tf.gradients(loss, model.trainable_variables)
            update = adam.apply_gradients(zip(gradients, model.trainable_variables))
            train_op = tf.group(update, tf1.train.get_global_step().assign_add(1))
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    est = helpers.estimator(ec.with_scaffold(format)(keras_fn), tmp_path)
    est.train(helpers.input_fn, steps=2)
    est.train(helpers.input_fn, steps=1)
    assert est.evaluate(helpers.input_fn, steps=1)["global_step"] == 3


@pytest.mark.parametrize("v2", [True, False])
@pytest.mark.parametrize("format", FORMATS)
def test_reference_and_resource_variables(tmp_path, format, v2):
    def fn(features, labels, mode, params=None):
        with tf1.variable_scope("", use_resource=v2):
            return helpers.model_fn(features, labels, mode, params)

    est = helpers.estimator(ec.with_scaffold(format)(fn), tmp_path)
    est.train(helpers.input_fn, steps=2)
    est.train(helpers.input_fn, steps=1)
    assert est.evaluate(helpers.input_fn, steps=1)["global_step"] == 3


@pytest.mark.parametrize("format", FORMATS)
def test_variables_that_hooks_make_are_saved_too(tmp_path, format):
    class Counter(tf1.train.SessionRunHook):
        def begin(self):
            self.count = tf1.get_variable("made_by_hook", [], tf.int64)

    est = helpers.estimator(ec.with_scaffold(format)(helpers.model_fn), tmp_path)
    est.train(helpers.input_fn, steps=1, hooks=[Counter()])
    assert any("made_by_hook" in key for key in helpers.values(tmp_path))


@pytest.mark.parametrize("format", FORMATS)
def test_saving_listeners_are_called(tmp_path, format):
    saved = []

    class Listener(tf1.train.CheckpointSaverListener):
        def after_save(self, session, global_step_value):
            prefix = tf.train.latest_checkpoint(str(tmp_path))
            saved.append((global_step_value, os.path.basename(prefix)))

    est = helpers.estimator(ec.with_scaffold(format)(helpers.model_fn), tmp_path)
    est.train(helpers.input_fn, steps=2, saving_listeners=[Listener()])
    assert saved == [(0, "model.ckpt-0"), (2, "model.ckpt-2")]


@pytest.mark.parametrize("format", FORMATS)
def test_the_graph_is_left_out_when_asked_and_imports_when_not(tmp_path, format):
    for save, name in ((False, "without"), (True, "with")):
        est = helpers.estimator(
            ec.with_scaffold(format)(helpers.model_fn),
            tmp_path / name,
            checkpoint_save_graph_def=save,
        )
        est.train(helpers.input_fn, steps=1)
        assert (tmp_path / name / "model.ckpt-1.meta").exists() == save
    prefix = str(tmp_path / "with" / "model.ckpt-1")
    with tf.Graph().as_default(), tf1.Session() as session:
        saver = tf1.train.import_meta_graph(f"{prefix}.meta")
        saver.restore(session, prefix)
        assert session.run(tf1.train.get_global_step()) == 1


@pytest.mark.parametrize("format", FORMATS)
def test_max_to_keep_0_keeps_all(tmp_path, format):
    est = helpers.estimator(
        ec.with_scaffold(format)(helpers.model_fn),
        tmp_path,
        keep_checkpoint_max=0,
        save_checkpoints_steps=1,
    )
    est.train(helpers.input_fn, steps=7)
    assert len(list(tmp_path.glob("*.index"))) == 8


@pytest.mark.parametrize("format", FORMATS)
def test_exporters_and_evaluation_of_a_job(tmp_path, format):
    receiver = tf.estimator.export.build_raw_serving_input_receiver_fn(
        {"x": tf1.placeholder_with_default([[0.0, 0.0]], [None, 2])}
    )
    est = helpers.estimator(ec.with_scaffold(format)(helpers.model_fn), tmp_path)
    tf.estimator.train_and_evaluate(
        est,
        tf.estimator.TrainSpec(helpers.input_fn, max_steps=3),
        tf.estimator.EvalSpec(
            helpers.input_fn,
            steps=1,
            throttle_secs=0,
            exporters=[tf.estimator.LatestExporter("latest", receiver)],
        ),
    )
    (exported,) = (tmp_path / "export" / "latest").iterdir()
    assert "y" in tf.saved_model.load(str(exported)).signatures


def test_a_remote_model_dir():
    """`ram://` stands for any file system that only tf.io.gfile knows."""
    for format in FORMATS:
        model_dir = f"ram://job-{format}"
        with tf.Graph().as_default():
            step = tf1.train.get_or_create_global_step()
            v = tf1.get_variable("v", [], initializer=tf1.zeros_initializer())
            train_op = tf.group(v.assign_add(2), step.assign_add(1))
            saver = ec.scaffold(format).finalize().saver
            with tf1.Session() as session:
                session.run([v.initializer, step.initializer])
                session.run(train_op)
                prefix = saver.save(session, f"{model_dir}/model.ckpt", global_step=1)
                session.run(train_op)
                saver.restore(session, prefix)
                assert session.run(v) == 2.0
        key = "v" if format != "tf2" else "var_list/v/.ATTRIBUTES/VARIABLE_VALUE"
        assert tf1.train.NewCheckpointReader(prefix).get_tensor(key) == 2.0


MIRRORED = """
import sys
import tensorflow as tf
import estimator_ckpt as ec
from tests.estimator import helpers

format, model_dir, warm = sys.argv[1:]
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(
    ["cpu:0", "cpu:1"], cross_device_ops=tf.distribute.ReductionToOneDevice())
fn = ec.with_scaffold(format)(helpers.model_fn)
if warm:
    fn = ec.warm_start_from(warm, strict=True)(fn)
est = helpers.estimator(fn, model_dir, train_distribute=strategy,
                        save_checkpoints_steps=1, keep_checkpoint_max=3)
def input_fn():
    return helpers.input_fn()
est.train(input_fn, steps=4)
est.train(input_fn, steps=1)
"""


@pytest.mark.parametrize("format", MOSTLY)
def test_mirrored_strategy_trains_saves_resumes_and_warm_starts(tmp_path, format):
    def run(model_dir, warm=""):
        done = processes.run(
            ["-c", MIRRORED, format, str(model_dir), str(warm)], cwd=REPOSITORY
        )
        assert done.returncode == 0, done.stderr[-3000:]

    run(tmp_path / "old")
    assert len(list((tmp_path / "old").glob("*.index"))) == 3
    # One key for each variable, as on one device, and these restore there.
    alone = helpers.estimator(
        ec.with_scaffold("tf1")(helpers.model_fn), tmp_path / "old"
    )
    values = helpers.session_values(alone)
    assert values["global_step"] == 5
    run(tmp_path / "new", tmp_path / "old")
    reader = tf.train.load_checkpoint(str(tmp_path / "old"))
    assert not any("replica" in key for key in reader.get_variable_to_shape_map())
