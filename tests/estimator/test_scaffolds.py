"""with_scaffold: each format saves its keys, restores any, keeps all else."""

import itertools
import os

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import object_keys
from tests.estimator import helpers

FORMATS = helpers.FORMATS


def train(format, model_dir, steps=2, fn=helpers.model_fn, **config):
    est = helpers.estimator(ec.with_scaffold(format)(fn), model_dir, **config)
    est.train(helpers.input_fn, steps=steps)
    return est


def predictions(est, count):
    """The first `count` predictions of a model_fn that does not read its input."""
    return list(itertools.islice(est.predict(helpers.input_fn), count))


def test_tf1_keys_are_those_of_the_default_saver(tmp_path):
    helpers.estimator(helpers.model_fn, tmp_path / "plain").train(
        helpers.input_fn, steps=2
    )
    train("tf1", tmp_path / "ours")
    plain, ours = (helpers.values(tmp_path / d) for d in ("plain", "ours"))
    assert plain.keys() == ours.keys()
    for key in plain:
        np.testing.assert_array_equal(plain[key], ours[key])


def test_tf2_keys_are_the_variables_under_var_list_and_the_step(tmp_path):
    helpers.estimator(helpers.model_fn, tmp_path / "plain").train(
        helpers.input_fn, steps=2
    )
    train("tf2", tmp_path / "ours")
    variables = set(helpers.values(tmp_path / "plain")) - {"global_step"}
    assert set(helpers.values(tmp_path / "ours")) == {
        *map(object_keys.variable_key, variables),
        object_keys.STEP_KEY,
        object_keys.SAVE_COUNTER_KEY,
        object_keys.OBJECT_GRAPH_KEY,
        "global_step",  # once more, for Estimator's max_steps
    }


@pytest.mark.parametrize("format", ["tf2", "dual"])
def test_eager_code_restores_and_consumes_everything(tmp_path, format):
    est = train(format, tmp_path)
    expected = helpers.session_values(est)
    variables = {
        name: tf.Variable(tf.zeros(value.shape, value.dtype))
        for name, value in expected.items()
        if name != "global_step"
    }
    step = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(var_list=variables, step=step)
    checkpoint.restore(helpers.latest(tmp_path)).assert_consumed()
    assert step.numpy() == 2
    assert checkpoint.save_counter.numpy() == 2
    for name, variable in variables.items():
        np.testing.assert_array_equal(variable.numpy(), expected[name])


@pytest.mark.parametrize("before", FORMATS)
@pytest.mark.parametrize("after", FORMATS)
def test_a_live_model_dir_changes_its_format(tmp_path, before, after):
    est = train(before, tmp_path)
    expected = helpers.session_values(est)
    est = helpers.estimator(ec.with_scaffold(after)(helpers.model_fn), tmp_path)
    assert helpers.session_values(est).keys() == expected.keys()
    for name, value in helpers.session_values(est).items():
        np.testing.assert_array_equal(value, expected[name])
    est.train(helpers.input_fn, steps=1)
    assert helpers.session_values(est)["global_step"] == 3


def test_max_steps_is_honoured_by_a_finished_tf2_job(tmp_path):
    est = train("tf2", tmp_path, steps=3)
    est.train(helpers.input_fn, max_steps=3)
    assert os.path.basename(helpers.latest(tmp_path)) == "model.ckpt-3"


@pytest.mark.parametrize("format", FORMATS)
def test_run_config_retention_and_relative_paths_hold(tmp_path, format):
    train(format, tmp_path, 6, save_checkpoints_steps=1, keep_checkpoint_max=2)
    state = tf1.train.get_checkpoint_state(str(tmp_path))
    assert len(state.all_model_checkpoint_paths) == 2
    found = sorted(p.name for p in tmp_path.glob("*.index"))
    assert found == ["model.ckpt-5.index", "model.ckpt-6.index"]
    assert str(tmp_path) not in (tmp_path / "checkpoint").read_text()


@pytest.mark.parametrize("hours", [1e-9, 1.0])
@pytest.mark.parametrize("format", FORMATS)
def test_every_n_hours_keeps_what_the_default_saver_keeps(tmp_path, format, hours):
    kept = []
    for fn in (helpers.model_fn, ec.with_scaffold(format)(helpers.model_fn)):
        model_dir = tmp_path / str(len(kept))
        for _ in range(2):  # the second time resumes
            helpers.estimator(
                fn,
                model_dir,
                save_checkpoints_steps=1,
                keep_checkpoint_max=2,
                keep_checkpoint_every_n_hours=hours,
            ).train(helpers.input_fn, steps=3)
        kept.append({path.name for path in model_dir.glob("*.index")})
    assert kept[0] == kept[1]
    assert len(kept[1]) == 2 if hours == 1.0 else len(kept[1]) > 2


@pytest.mark.parametrize("format", FORMATS)
def test_what_somebody_elses_checkpoint_wrote_is_restored(tmp_path, format):
    expected = helpers.values(train("tf1", tmp_path / "trained").model_dir)
    step = tf.Variable(expected["global_step"])
    made = {n: tf.Variable(v) for n, v in expected.items() if n != "global_step"}
    assert any("Momentum" in name for name in made)
    checkpoint = tf.train.Checkpoint(var_list=made, step=step)
    checkpoint.save(str(tmp_path / "theirs" / "model.ckpt"))
    est = helpers.estimator(
        ec.with_scaffold(format)(helpers.model_fn), tmp_path / "theirs"
    )
    est.train(lambda: helpers.input_fn().take(0), steps=1)  # restores and saves
    with ec.open_checkpoint(tmp_path / "theirs") as found:
        assert found.prefix.endswith("model.ckpt-2")
        assert found.format == format
        for name, value in expected.items():
            np.testing.assert_array_equal(found.read(name), value, err_msg=name)
    est.train(helpers.input_fn, steps=1)
    assert helpers.session_values(est)["global_step"] == 3


@pytest.mark.parametrize("format", FORMATS)
def test_earlier_checkpoints_count_after_a_resume(tmp_path, format):
    for _ in range(3):
        train(format, tmp_path, 2, save_checkpoints_steps=1, keep_checkpoint_max=2)
    found = sorted(p.name for p in tmp_path.glob("*.index"))
    assert found == ["model.ckpt-5.index", "model.ckpt-6.index"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_moved_model_dir_still_loads(tmp_path, format):
    train(format, tmp_path / "old")
    os.rename(tmp_path / "old", tmp_path / "new")
    assert helpers.latest(tmp_path / "new") == str(tmp_path / "new" / "model.ckpt-2")


@pytest.mark.parametrize("format", FORMATS)
def test_predictions_and_exports_are_those_of_the_default_saver(tmp_path, format):
    train(format, tmp_path / "job")
    plain = helpers.estimator(
        ec.with_scaffold("tf1")(helpers.model_fn), tmp_path / "job"
    )
    ours = helpers.estimator(
        ec.with_scaffold(format)(helpers.model_fn), tmp_path / "job"
    )

    def predict_input_fn():
        return tf.data.Dataset.from_tensors({"x": [[1.0, 2.0], [3.0, 4.0]]})

    expected = [p["y"] for p in plain.predict(predict_input_fn)]
    np.testing.assert_array_equal(
        [p["y"] for p in ours.predict(predict_input_fn)], expected
    )
    receiver = tf.estimator.export.build_raw_serving_input_receiver_fn(
        {"x": tf1.placeholder_with_default([[0.0, 0.0]], [None, 2])}
    )
    exported = ours.export_saved_model(str(tmp_path / "export"), receiver)
    loaded = tf.saved_model.load(exported.decode())
    served = loaded.signatures["y"](x=tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_allclose(served["output"], expected, rtol=1e-6)


@pytest.mark.parametrize("format", FORMATS)
def test_train_and_evaluate_runs(tmp_path, format):
    est = helpers.estimator(ec.with_scaffold(format)(helpers.model_fn), tmp_path)
    metrics, _ = tf.estimator.train_and_evaluate(
        est,
        tf.estimator.TrainSpec(helpers.input_fn, max_steps=4),
        tf.estimator.EvalSpec(helpers.input_fn, steps=2, throttle_secs=0),
    )
    assert metrics["global_step"] == 4


@pytest.mark.parametrize("format", FORMATS)
def test_hash_tables_are_saved_and_restored(tmp_path, format):
    def table_model_fn(features, labels, mode):
        from tensorflow.python.ops.lookup_ops import MutableHashTable

        table = MutableHashTable(tf.int64, tf.float32, -1.0, name="table")
        step = tf1.train.get_or_create_global_step()
        keys = tf.constant([1, 2], tf.int64)
        with tf.control_dependencies([step.assign_add(1)]):
            train_op = table.insert(keys, tf.constant([10.0, 20.0]))
        return tf.estimator.EstimatorSpec(
            mode,
            predictions=table.lookup(tf.constant([1, 2, 3], tf.int64)),
            loss=tf.constant(0.0),
            train_op=train_op,
        )

    est = train(format, tmp_path, 1, fn=table_model_fn)
    found = predictions(est, 3)
    assert found == [10.0, 20.0, -1.0]


def partitioned_model_fn(features, labels, mode, params):
    embedding = tf1.get_variable(
        "embedding",
        [10, 2],
        partitioner=tf1.fixed_size_partitioner(params["parts"]),
        initializer=tf1.random_normal_initializer(seed=1),
    )
    loss = tf.reduce_sum(tf.nn.embedding_lookup(embedding, [0, 5, 9]))
    optimizer = tf1.train.AdagradOptimizer(0.1)
    return tf.estimator.EstimatorSpec(
        mode,
        predictions={"e": tf.convert_to_tensor(embedding)},
        loss=loss,
        train_op=optimizer.minimize(loss, tf1.train.get_global_step()),
    )


@pytest.mark.parametrize("format", FORMATS)
def test_partitioned_variables_are_one_variable_with_slices(tmp_path, format):
    def embedding_with(parts):
        est = helpers.estimator(
            ec.with_scaffold(format)(partitioned_model_fn),
            tmp_path,
            params={"parts": parts},
        )
        return est, lambda: np.stack([p["e"] for p in predictions(est, 10)])

    est, read = embedding_with(3)
    est.train(helpers.input_fn, steps=2)
    expected = read()
    est, read = embedding_with(2)
    np.testing.assert_array_equal(read(), expected)
    est.train(helpers.input_fn, steps=1)
    if format != "tf1":
        whole = tf.Variable(tf.zeros([10, 2]))
        slot = tf.Variable(tf.zeros([10, 2]))
        tf.train.Checkpoint(
            var_list={"embedding": whole, "embedding/Adagrad": slot},
            step=tf.Variable(0, dtype=tf.int64),
        ).restore(helpers.latest(tmp_path)).assert_consumed()
        np.testing.assert_array_equal(whole.numpy(), read())


class TestTheModelFnsOwnScaffold:
    def test_every_field_is_kept(self, tmp_path):
        called = []

        def own_fn(features, labels, mode):
            spec = helpers.model_fn(features, labels, mode)
            local = tf1.local_variables_initializer()
            scaffold = tf1.train.Scaffold(
                init_fn=lambda scaffold, session: called.append("init_fn"),
                local_init_op=tf.group(local, tf1.tables_initializer(), name="mine"),
            )
            return spec._replace(scaffold=scaffold, training_hooks=[Hook()])

        class Hook(tf1.train.SessionRunHook):
            def begin(self):
                called.append("hook")

        train("tf2", tmp_path, fn=own_fn)
        assert called == ["hook", "init_fn"]
        assert object_keys.STEP_KEY in helpers.values(tmp_path)

    def test_a_scaffold_of_a_class_of_its_own_stays_of_that_class(self):
        class Special(tf1.train.Scaffold):
            pass

        with tf.Graph().as_default():
            tf1.train.get_or_create_global_step()
            assert isinstance(ec.scaffold(scaffold=Special()), Special)

    def test_a_checkpoint_gives_its_keys_and_the_traps_go_away(self, tmp_path):
        def guide_fn(features, labels, mode):
            step = tf1.train.get_or_create_global_step()
            v = tf1.get_variable("var", [], initializer=tf1.zeros_initializer())
            checkpoint = tf.train.Checkpoint(mine=[v], step=step)
            return tf.estimator.EstimatorSpec(
                mode,
                predictions=v,
                loss=tf.constant(1.0),
                train_op=tf.group(v.assign_add(2), step.assign_add(1)),
                scaffold=tf1.train.Scaffold(saver=checkpoint),
            )

        train("tf2", tmp_path, fn=guide_fn)
        variable = tf.Variable(0.0)
        step = tf.Variable(0, dtype=tf.int64)
        restored = tf.train.Checkpoint(mine=[variable], step=step)
        restored.restore(helpers.latest(tmp_path)).assert_consumed()
        assert variable.numpy() == 4.0
        assert restored.save_counter.numpy() == 2

    @pytest.mark.parametrize("format", FORMATS)
    @pytest.mark.parametrize("saved_as", FORMATS)
    def test_a_saver_that_reads_averages_still_does(self, tmp_path, format, saved_as):
        def ema_fn(features, labels, mode):
            step = tf1.train.get_or_create_global_step()
            v = tf1.get_variable("var", [], initializer=tf1.zeros_initializer())
            ema = tf1.train.ExponentialMovingAverage(0.5)
            scaffold = None
            if mode == tf.estimator.ModeKeys.TRAIN:
                with tf.control_dependencies([v.assign_add(2), step.assign_add(1)]):
                    train_op = ema.apply([v])
            else:
                train_op = None
                scaffold = tf1.train.Scaffold(
                    saver=tf1.train.Saver(ema.variables_to_restore())
                )
            return tf.estimator.EstimatorSpec(
                mode,
                predictions={"v": tf.reshape(v, [1])},
                loss=tf.constant(1.0),
                train_op=train_op,
                scaffold=scaffold,
            )

        train(saved_as, tmp_path, 3, fn=ema_fn)
        average = next(
            value
            for key, value in helpers.values(tmp_path).items()
            if "ExponentialMovingAverage" in key
        )
        if format == "tf1" and saved_as == "tf2":
            return  # that saver itself is in charge, and reads names only
        est = helpers.estimator(ec.with_scaffold(format)(ema_fn), tmp_path)
        (found,) = predictions(est, 1)
        assert found["v"] == average != 6.0


class TestCheckpointOfOnesOwn:
    def test_a_keras_model_gives_the_keys(self, tmp_path):
        made = {}

        def keras_fn(features, labels, mode):
            model = tf.keras.Sequential(
                [tf.keras.layers.Dense(3), tf.keras.layers.Dense(1)]
            )
            made["model"] = model
            prediction = model(features["x"], training=True)
            loss = tf1.losses.mean_squared_error(labels, prediction)
            optimizer = tf1.train.MomentumOptimizer(0.1, 0.9)
            train_op = optimizer.minimize(loss, tf1.train.get_global_step())
            return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

        decorated = ec.with_scaffold(
            checkpoint=lambda: tf.train.Checkpoint(model=made["model"])
        )(keras_fn)
        est = helpers.estimator(decorated, tmp_path)
        est.train(helpers.input_fn, steps=2)
        est.train(helpers.input_fn, steps=1)  # and restores them
        keys = helpers.values(tmp_path)
        assert "model/layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE" in keys
        assert "global_step" in keys  # not tracked: saved under their names
        assert any(key.endswith("kernel/Momentum") for key in keys)
        model = tf.keras.Sequential(
            [tf.keras.layers.Dense(3), tf.keras.layers.Dense(1)]
        )
        model.build([None, 2])
        status = tf.train.Checkpoint(model=model).restore(helpers.latest(tmp_path))
        status.assert_consumed()
        np.testing.assert_array_equal(
            model.layers[0].kernel.numpy(),
            keys["model/layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"],
        )


def test_missing_and_misshapen_variables_are_all_named(tmp_path):
    train("tf2", tmp_path)

    def other_fn(features, labels, mode, params):
        tf1.get_variable("new_one", [4])
        return helpers.model_fn(features, labels, mode, params)

    est = helpers.estimator(
        ec.with_scaffold("tf2")(other_fn), tmp_path, params={"units": 5}
    )
    with pytest.raises(ec.CheckpointError) as error:
        est.evaluate(helpers.input_fn, steps=1)
    message = str(error.value)
    assert "'new_one' is not in it" in message
    assert "'hidden/kernel' has shape [2, 3] there and [2, 5] here" in message
    assert helpers.latest(tmp_path) in message
    assert "warm" in message


def test_monitored_training_session_without_an_estimator(tmp_path):
    for expected in (2.0, 4.0):
        with tf.Graph().as_default():
            step = tf1.train.get_or_create_global_step()
            v = tf1.get_variable("v", [], initializer=tf1.zeros_initializer())
            train_op = tf.group(v.assign_add(2), step.assign_add(1))
            with tf1.train.MonitoredTrainingSession(
                checkpoint_dir=str(tmp_path), scaffold=ec.scaffold("tf2")
            ) as session:
                session.run(train_op)
        assert helpers.values(tmp_path)[object_keys.variable_key("v")] == expected


@pytest.mark.parametrize("format", FORMATS)
def test_tpu_estimator_specs_are_wrapped_too(tmp_path, format):
    initialized = []

    def tpu_fn(features, labels, mode, params):
        spec = helpers.model_fn(features, labels, mode)

        def scaffold_fn():
            return tf1.train.Scaffold(
                init_fn=lambda scaffold, session: initialized.append(mode)
            )

        return tf1.estimator.tpu.TPUEstimatorSpec(
            mode, loss=spec.loss, train_op=spec.train_op, scaffold_fn=scaffold_fn
        )

    est = tf1.estimator.tpu.TPUEstimator(
        ec.with_scaffold(format)(tpu_fn),
        config=tf1.estimator.tpu.RunConfig(model_dir=str(tmp_path)),
        use_tpu=False,
        train_batch_size=8,
    )
    est.train(lambda params: helpers.input_fn(), steps=1)
    assert initialized == ["train"]
    expected = "step" if format == "tf2" else "hidden/kernel"
    assert any(key.startswith(expected) for key in helpers.values(tmp_path))


class TestOnceMore:
    """with_scaffold over what saves in a format already."""

    def test_with_the_same_settings_the_model_fn_stays_as_it_is(self):
        once = ec.with_scaffold("dual", on_missing="initialize")(helpers.model_fn)
        assert ec.with_scaffold("dual", on_missing="initialize")(once) is once

    @pytest.mark.parametrize("format", FORMATS)
    def test_an_estimator_that_is_wrapped_inside_another(self, tmp_path, format):
        decorate = ec.with_scaffold(format, assignment_map={"old/": "new/"})
        inner = helpers.estimator(decorate(helpers.model_fn), tmp_path)
        with_metrics = tf.estimator.add_metrics(
            inner,
            lambda labels, predictions: {"labels": tf1.metrics.mean(labels)},
        )
        # What a job makes of it that decorates whatever it is given.
        outer = helpers.estimator(
            ec.with_scaffold(format, assignment_map={"old/": "new/"})(
                with_metrics.model_fn
            ),
            tmp_path,
        )
        outer.train(helpers.input_fn, steps=2)
        outer.train(helpers.input_fn, steps=1)
        with ec.open_checkpoint(tmp_path) as found:
            assert (found.format, found.global_step) == (format, 3)

    def test_with_other_settings_it_is_an_error(self, tmp_path):
        inner = helpers.estimator(ec.with_scaffold("tf2")(helpers.model_fn), tmp_path)
        outer = ec.with_scaffold("dual")(inner.model_fn)
        with pytest.raises(ValueError, match=r"saves 'tf2' .* with other settings"):
            helpers.estimator(outer, tmp_path).train(helpers.input_fn, steps=1)


class TestBadUse:
    def test_an_unknown_format(self):
        with pytest.raises(ValueError, match=r"unknown checkpoint format 'tf3'.*'tf1'"):
            ec.with_scaffold("tf3")

    def test_decorated_twice(self):
        with pytest.raises(ValueError, match="wrapped in with_scaffold already"):
            ec.with_scaffold("tf1")(ec.with_scaffold(helpers.model_fn))

    def test_a_checkpoint_instead_of_a_function(self):
        with pytest.raises(ValueError, match="function of no arguments"):
            ec.with_scaffold(checkpoint=tf.train.Checkpoint())
