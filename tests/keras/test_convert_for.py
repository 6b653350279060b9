"""Checkpoints for live objects of every class, and what is refused."""

import logging
import re

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from tests.keras.keras_trajectory import model_of, train
from tests.testdata import trajectory
from tests.testdata_paths import PREFIXES, V1_PREFIXES, session_values

tf1 = tf.compat.v1
IS_KERAS_3 = hasattr(tf.keras, "ops")
legacy = None if IS_KERAS_3 else tf.keras.optimizers.legacy
new = tf.keras.optimizers
not_in_keras_3 = pytest.mark.skipif(IS_KERAS_3, reason="Keras 3 has it otherwise")

DIGITS = PREFIXES["digits/model.ckpt-300"]
ADAM = PREFIXES["trajectories/adam/model.ckpt-20"]
ADAM_VALUES = session_values("trajectories/adam/model.ckpt-20")
KERNEL = ADAM_VALUES["out/kernel"]


def head():
    """The last layer of the trajectories' model."""
    inputs = tf.keras.Input((trajectory.UNITS,))
    return tf.keras.Model(inputs, tf.keras.layers.Dense(1, name="out")(inputs))


def restore(checkpoint, prefix):
    checkpoint.restore(prefix).assert_consumed()


def session_with(directory, **arrays):
    """Saves arrays as TF1 variables, the global step included if given."""
    with tf.Graph().as_default(), tf1.Session() as session:
        for name, value in arrays.items():
            value = np.asarray(value)
            tf1.get_variable(name.replace("__", "/"), initializer=value)
        session.run(tf1.global_variables_initializer())
        # Without a .meta, which would say that slots made by hand are trainable.
        return tf1.train.Saver().save(
            session, str(directory / "model.ckpt"), write_meta_graph=False
        )


class TestObjects:
    def test_a_model_is_the_root(self, tmp_path):
        model = head()
        restore(
            tf.train.Checkpoint(model), ec.convert_for(model, ADAM, tmp_path / "new")
        )
        np.testing.assert_array_equal(model.layers[-1].kernel, KERNEL)

    def test_plans_and_suggestions_see_the_same_variables(self):
        optimizer = new.Adam(0.1)
        model = head()
        optimizer.build(model.trainable_variables)
        for target in (model, {"model": model, "optimizer": optimizer}):
            planned = ec.plan(ADAM, target, carry="model")
            carried = {i.name for i in planned.items if i.verdict.is_carried}
            assert carried == {"out/kernel", "out/bias"}
            assert not planned.problems
        inputs = tf.keras.Input((trajectory.UNITS,))
        renamed = tf.keras.Model(inputs, tf.keras.layers.Dense(1, name="last")(inputs))
        suggested = ec.suggest(ADAM, renamed)
        pairs = {(pair.source, pair.target) for pair in suggested.pairs}
        assert pairs == {("out/kernel", "last/kernel"), ("out/bias", "last/bias")}

    def test_a_checkpoint_keeps_its_own_keys(self, tmp_path):
        model = head()
        step = tf.Variable(0, dtype=tf.int64)
        checkpoint = tf.train.Checkpoint(nets=[{"a": model}], step=step)
        restore(checkpoint, ec.convert_for(checkpoint, ADAM, tmp_path / "new"))
        np.testing.assert_array_equal(model.layers[-1].kernel, KERNEL)
        assert step == 20

    def test_a_module(self, tmp_path):
        class Head(tf.Module):
            def __init__(self):
                super().__init__("head")
                self.w = tf.Variable(tf.zeros((6, 1)), name="out/kernel")
                self.b = tf.Variable(tf.zeros((1,)), name="out/bias")

        module = Head()
        restore(
            tf.train.Checkpoint(module), ec.convert_for(module, ADAM, tmp_path / "new")
        )
        np.testing.assert_array_equal(module.w, KERNEL)

    def test_a_dict_of_variables(self, tmp_path):
        kernel = tf.Variable(tf.zeros((6, 1)), name="out/kernel")
        prefix = ec.convert_for({"v": kernel}, ADAM, tmp_path / "new")
        restore(tf.train.Checkpoint(v=kernel), prefix)
        np.testing.assert_array_equal(kernel, KERNEL)

    def test_variables_without_names_are_called_by_their_paths(self, tmp_path):
        kernel = tf.Variable(tf.zeros((6, 1)))
        prefix = ec.convert_for(
            {"net": {"w": kernel}},
            ADAM,
            tmp_path / "new",
            assignment_map={"out/kernel": "net/w"},
        )
        restore(tf.train.Checkpoint(net={"w": kernel}), prefix)
        np.testing.assert_array_equal(kernel, KERNEL)

    def test_a_layer(self, tmp_path):
        layer = tf.keras.layers.Dense(1, name="out")
        layer.build((None, 6))
        prefix = ec.convert_for(
            layer,
            ADAM,
            tmp_path / "new",
            assignment_map={"out/kernel": "kernel", "out/bias": "bias"}
            if layer.kernel.name == "kernel:0"
            else None,
        )
        restore(tf.train.Checkpoint(layer), prefix)
        np.testing.assert_array_equal(layer.kernel, KERNEL)

    @not_in_keras_3
    def test_load_weights_without_a_save_counter(self, tmp_path):
        model = head()
        prefix = ec.convert_for(model, ADAM, tmp_path / "new", save_counter=False)
        model.load_weights(prefix).assert_consumed()
        np.testing.assert_array_equal(model.layers[-1].kernel, KERNEL)
        tf.train.Checkpoint(model).read(prefix).assert_consumed()

    def test_a_model_in_a_model(self, tmp_path):
        inputs = tf.keras.Input((trajectory.UNITS,))
        outer = tf.keras.Model(inputs, head()(inputs), name="outer")
        prefix = ec.convert_for(outer, ADAM, tmp_path / "new")
        restore(tf.train.Checkpoint(outer), prefix)
        np.testing.assert_array_equal(outer.weights[0], KERNEL)

    def test_layers_in_a_list_of_a_subclassed_model(self, tmp_path):
        class Net(tf.keras.Model):
            def __init__(self):
                super().__init__(name="net")
                self.steps = [tf.keras.layers.Dense(1, name=n) for n in ("a", "b")]

            def call(self, inputs):
                return self.steps[1](self.steps[0](inputs))

        model, optimizer = Net(), new.SGD(0.1, 0.9)
        model(np.zeros((1, 1), np.float32))
        names = [
            f"{'' if IS_KERAS_3 else 'net/'}{layer}/{variable}"
            for layer in "ab"
            for variable in ("kernel", "bias")
        ]
        values = [np.full(v.shape, i, np.float32) for i, v in enumerate(model.weights)]
        arrays = {n.replace("/", "__"): value for n, value in zip(names, values)}
        slots = {f"{n}__Momentum": value for n, value in arrays.items()}
        source = session_with(tmp_path, **arrays, **slots, global_step=np.int64(5))
        trackable = {"model": model, "optimizer": optimizer}
        prefix = ec.convert_for(trackable, source, tmp_path / "new")
        restore(tf.train.Checkpoint(**trackable), prefix)
        for value, wanted in zip(model.get_weights(), values):
            np.testing.assert_array_equal(value, wanted)

    def test_a_sequential_model_is_built_with_an_input_shape(self, tmp_path):
        model = tf.keras.Sequential([tf.keras.layers.Dense(1, name="out")])
        prefix = ec.convert_for(
            model, ADAM, tmp_path / "new", input_shape=(None, trajectory.UNITS)
        )
        restore(tf.train.Checkpoint(model), prefix)
        np.testing.assert_array_equal(model.weights[0], KERNEL)

    @pytest.mark.parametrize("module", [new, legacy] if legacy else [new])
    def test_a_compiled_model_has_its_optimizer_and_its_metrics(self, module, tmp_path):
        model = model_of("adam")
        model.compile(module.Adam(0.02, epsilon=1e-8), "mse", metrics=["mae"])
        ids, labels = trajectory.batch(0)
        model.fit(ids, labels, verbose=0)
        prefix = ec.convert_for(model, ADAM, tmp_path / "new")
        restore(tf.train.Checkpoint(model), prefix)
        assert int(model.optimizer.iterations) == 20
        np.testing.assert_array_equal(model.get_layer("out").kernel, KERNEL)

    def test_dropouts_seed_keeps_its_value(self, tmp_path):
        inputs = tf.keras.Input((trajectory.UNITS,))
        net = tf.keras.layers.Dropout(0.5, seed=1)(inputs)
        model = tf.keras.Model(inputs, tf.keras.layers.Dense(1, name="out")(net))
        prefix = ec.convert_for(model, ADAM, tmp_path / "new")
        restore(tf.train.Checkpoint(model), prefix)

    def test_a_step_that_is_the_optimizers_counter(self, tmp_path):
        step = tf.Variable(0, dtype=tf.int64, name="global_step")
        model, optimizer = model_of("adam"), new.Adam(0.02)
        if IS_KERAS_3:
            pytest.skip("Keras 3 has a counter of its own")
        optimizer.iterations = step
        trackable = {"model": model, "optimizer": optimizer, "step": step}
        prefix = ec.convert_for(trackable, ADAM, tmp_path / "new")
        restore(tf.train.Checkpoint(**trackable), prefix)
        assert step == 20

    def test_averages_of_the_optimizer_begin_at_the_weights(self, tmp_path):
        model, optimizer = model_of("adam"), new.Adam(0.02, use_ema=True)
        trackable = {"model": model, "optimizer": optimizer}
        prefix = ec.convert_for(trackable, ADAM, tmp_path / "new")
        restore(tf.train.Checkpoint(**trackable), prefix)
        averages = optimizer._model_variables_moving_average
        np.testing.assert_array_equal(averages[-2], KERNEL)

    def test_or_at_tf1s_averages(self, tmp_path):
        shadow = np.full((6, 1), 3, np.float32)
        prefix = session_with(
            tmp_path,
            out__kernel=np.ones((6, 1), np.float32),
            out__kernel__ExponentialMovingAverage=shadow,
            out__bias=np.ones(1, np.float32),
        )
        model, optimizer = head(), new.SGD(0.02, use_ema=True)
        trackable = {"model": model, "optimizer": optimizer}
        new_prefix = ec.convert_for(trackable, prefix, tmp_path / "new", iterations=7)
        restore(tf.train.Checkpoint(**trackable), new_prefix)
        averages = optimizer._model_variables_moving_average
        np.testing.assert_array_equal(averages[0], shadow)
        np.testing.assert_array_equal(averages[1], [1])

    @pytest.mark.parametrize("module", [new, legacy] if legacy else [new])
    def test_a_loss_scale_optimizer_is_the_one_in_it(self, module, tmp_path):
        if module is legacy:
            inner = legacy.Adam(0.02)
            optimizer = tf.keras.mixed_precision.LossScaleOptimizer(inner)
        else:
            if IS_KERAS_3:
                pytest.skip("Keras 3 keeps the slots in the wrapper")
            inner = new.Adam(0.02)
            optimizer = tf.keras.mixed_precision.LossScaleOptimizer(inner)
        trackable = {"model": model_of("adam"), "optimizer": optimizer}
        prefix = ec.convert_for(trackable, ADAM, tmp_path / "new")
        restore(tf.train.Checkpoint(**trackable), prefix)
        assert int(inner.iterations) == 20
        assert float(optimizer.loss_scale) == 2**15

    @not_in_keras_3
    def test_variables_that_are_mirrored(self, tmp_path):
        strategy = tf.distribute.MirroredStrategy(
            ["CPU:0"], cross_device_ops=tf.distribute.ReductionToOneDevice()
        )
        for module in (new, legacy):
            with strategy.scope():
                trackable = {"model": model_of("adam"), "optimizer": module.Adam(0.02)}
            prefix = ec.convert_for(trackable, ADAM, tmp_path / module.__name__)
            restore(tf.train.Checkpoint(**trackable), prefix)
            assert trackable["optimizer"].iterations.numpy() == 20
            saved = tf.train.Checkpoint(**trackable).save(str(tmp_path / "saved"))
            back = ec.convert_for(
                trackable, saved, tmp_path / f"{module.__name__}-back", to="tf1"
            )
            assert not ec.diff(ADAM, back)

    def test_what_is_no_variable_keeps_its_value(self, tmp_path):
        def table(*keys):
            made = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
            made.insert(tf.constant(keys), tf.range(len(keys), dtype=tf.int64))
            return made

        prefix = ec.convert_for(
            {"model": head(), "table": table("a", "b")}, ADAM, tmp_path / "new"
        )
        other = {"model": head(), "table": table("c")}
        restore(tf.train.Checkpoint(**other), prefix)
        assert list(other["table"].lookup(tf.constant(["a", "b", "c"]))) == [0, 1, -1]

    def test_a_step_that_is_no_counter_is_a_variable(self, tmp_path):
        module = tf.Module()
        module.step = tf.Variable(tf.zeros((6, 1)), name="out/kernel")
        prefix = ec.convert_for(module, ADAM, tmp_path / "new")
        restore(tf.train.Checkpoint(module), prefix)
        np.testing.assert_array_equal(module.step, KERNEL)

    def test_names_that_two_models_share_become_paths_when_asked(self, tmp_path):
        online, target = tf.Module(), tf.Module()
        for module in (online, target):
            module.w = tf.Variable(tf.zeros((6, 1)), name="kernel")
        ones = np.ones((6, 1), np.float32)
        prefix = session_with(tmp_path, online__kernel=ones, target__kernel=2 * ones)
        trackable = {"online": online, "target": target}
        with pytest.raises(ec.CheckpointError, match="names='path'"):
            ec.convert_for(trackable, prefix, tmp_path / "new")
        renames = {f"{name}/kernel": f"{name}/w" for name in trackable}
        options = {"names": "path", "assignment_map": renames}
        assert not ec.plan_for(trackable, prefix, **options).problems
        new_prefix = ec.convert_for(trackable, prefix, tmp_path / "new", **options)
        restore(tf.train.Checkpoint(**trackable), new_prefix)
        np.testing.assert_array_equal(online.w, ones)
        np.testing.assert_array_equal(target.w, 2 * ones)

    def test_two_optimizers_over_parts_of_a_model(self, tmp_path):
        model = model_of("adam")
        parts = model.trainable_variables[:3], model.trainable_variables[3:]
        optimizers = [new.Adam(0.02), new.Adam(0.01)]
        for optimizer, variables in zip(optimizers, parts):
            optimizer.build(variables)
        trackable = {"model": model, "a": optimizers[0], "b": optimizers[1]}
        prefix = ec.convert_for(trackable, ADAM, tmp_path / "new")
        restore(tf.train.Checkpoint(**trackable), prefix)
        m = optimizers[1]._momentums[-2]
        np.testing.assert_array_equal(m, ADAM_VALUES["out/kernel/Adam"])


class TestSources:
    @pytest.mark.parametrize("to", ["tf2", "dual"])
    def test_of_other_formats(self, to, tmp_path):
        source = ec.convert(ADAM, tmp_path / "source", to=to)
        trackable = {"model": model_of("adam"), "optimizer": new.Adam(0.02)}
        prefix = ec.convert_for(trackable, source, tmp_path / "new")
        restore(tf.train.Checkpoint(**trackable), prefix)
        assert int(trackable["optimizer"].iterations) == 20

    def test_of_the_v1_format(self, tmp_path):
        path = V1_PREFIXES["v1-format/single/model.ckpt-7"]
        values = session_values("v1-format/single/model.ckpt-7")
        kernel = tf.Variable(tf.zeros((3, 2)), name="dense/kernel")
        prefix = ec.convert_for({"v": kernel}, path, tmp_path / "new")
        restore(tf.train.Checkpoint(v=kernel), prefix)
        np.testing.assert_array_equal(kernel, values["dense/kernel"])

    def test_a_partitioned_table_becomes_whole(self, tmp_path):
        name = "embedding-sharded/model.ckpt-20"
        values = session_values(name)
        table = "embedding/weights"
        variable = tf.Variable(tf.zeros(values[table].shape), name=table)
        prefix = ec.convert_for({"v": variable}, PREFIXES[name], tmp_path / "new")
        restore(tf.train.Checkpoint(v=variable), prefix)
        np.testing.assert_array_equal(variable, values[table])

    @not_in_keras_3
    def test_a_table_of_halves_in_parts_becomes_whole_under_both_keys(self, tmp_path):
        """TensorFlow cannot join these, so they are written whole."""
        with tf.Graph().as_default(), tf1.Session() as session:
            tf1.get_variable(
                "table",
                (10, 4),
                tf.float16,
                partitioner=tf1.fixed_size_partitioner(3),
                initializer=tf1.random_normal_initializer(),
            )
            session.run(tf1.global_variables_initializer())
            source = tf1.train.Saver().save(session, str(tmp_path / "old"))
        table = tf.Variable(tf.zeros((10, 4), tf.float16), name="table")
        optimizer = new.SGD(0.1, use_ema=True)
        optimizer.build([table])
        trackable = {"table": table, "optimizer": optimizer}
        prefix = ec.convert_for(trackable, source, tmp_path / "new", iterations=1)
        restore(tf.train.Checkpoint(**trackable), prefix)
        values = ec.open_checkpoint(source).read("table")
        np.testing.assert_array_equal(table, values)
        (average,) = optimizer._model_variables_moving_average
        np.testing.assert_array_equal(average, values)

    def test_a_variable_in_parts_that_is_live(self, tmp_path):
        """As a parameter server strategy makes them."""
        from tensorflow.python.distribute import sharded_variable

        name = "embedding-sharded/model.ckpt-20"
        whole = session_values(name)["embedding/weights"]
        variable = sharded_variable.ShardedVariable(
            [
                tf.Variable(tf.zeros_like(part), name=f"embedding/weights/part_{i}")
                for i, part in enumerate(np.array_split(whole, 2))
            ],
            name="embedding/weights",
        )
        prefix = ec.convert_for({"v": variable}, PREFIXES[name], tmp_path / "new")
        restore(tf.train.Checkpoint(v=variable), prefix)
        np.testing.assert_array_equal(tf.concat(variable.variables, 0), whole)

    def test_averages_instead_of_weights(self, tmp_path):
        name = "ema-momentum/model.ckpt-10"
        values = session_values(name)
        shadows = [n for n in values if n.endswith("/ExponentialMovingAverage")]
        named = {n.rpartition("/")[0]: values[n] for n in shadows}
        variables = {
            n: tf.Variable(tf.zeros(v.shape), name=n) for n, v in named.items()
        }
        prefix = ec.convert_for(
            {"v": variables},
            PREFIXES[name],
            tmp_path / "new",
            assignment_map="builtin:use_ema",
        )
        restore(tf.train.Checkpoint(v=variables), prefix)
        for key, value in named.items():
            np.testing.assert_array_equal(variables[key], value)

    def test_slots_of_an_optimizer_with_a_name_of_its_own(self, tmp_path):
        ones = np.ones((6, 1), np.float32)
        prefix = session_with(
            tmp_path,
            out__kernel=ones,
            out__kernel__opt=2 * ones,
            out__kernel__opt_1=3 * ones,
            out__bias=np.zeros(1, np.float32),
            out__bias__opt=np.zeros(1, np.float32),
            out__bias__opt_1=np.zeros(1, np.float32),
            global_step=np.int64(5),
        )
        trackable = {"model": head(), "optimizer": new.Adam(0.02)}
        with pytest.raises(
            ec.CheckpointError, match=r"unknown optimizer: 'out/.*my_adam"
        ):
            ec.convert_for(trackable, prefix, tmp_path / "new")
        new_prefix = ec.convert_for(
            trackable,
            prefix,
            tmp_path / "new",
            assignment_map=[(re.compile(r"(.+)/opt(_1)?"), r"\1/Adam\2")],
        )
        restore(tf.train.Checkpoint(**trackable), new_prefix)
        np.testing.assert_array_equal(trackable["optimizer"]._velocities[0], 3 * ones)
        assert int(trackable["optimizer"].iterations) == 5

    def test_an_optimizer_in_a_scope(self, tmp_path):
        ones = np.ones((6, 1), np.float32)
        prefix = session_with(
            tmp_path,
            out__kernel=ones,
            out__bias=np.zeros(1, np.float32),
            OptimizeLoss__out__kernel__Momentum=2 * ones,
            OptimizeLoss__out__bias__Momentum=np.zeros(1, np.float32),
            global_step=np.int64(5),
        )
        trackable = {"model": head(), "optimizer": new.SGD(0.5, 0.9)}
        new_prefix = ec.convert_for(trackable, prefix, tmp_path / "new")
        restore(tf.train.Checkpoint(**trackable), new_prefix)
        np.testing.assert_array_equal(trackable["optimizer"].momentums[0], -ones)


@not_in_keras_3
class TestKerasSources:
    """Optimizer state that Keras saved, in its less usual forms."""

    def model(self):
        return tf.keras.Sequential(
            [tf.keras.layers.Dense(1, name="out", input_shape=(6,))]
        )

    def saved(self, optimizer, tmp_path, steps=3):
        model = self.model()
        for _ in range(steps):
            variables = model.trainable_variables
            gradients = [tf.ones_like(variable) for variable in variables]
            optimizer.apply_gradients(zip(gradients, variables))
        checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
        return checkpoint.save(str(tmp_path / "old"))

    def test_slots_that_convert_for_made_itself(self, tmp_path):
        """As apply_gradients calls them, so that they are known again."""
        trackable = {"model": model_of("adam"), "optimizer": legacy.Adam(0.02)}
        restored = ec.convert_for(trackable, ADAM, tmp_path / "first")
        restore(tf.train.Checkpoint(**trackable), restored)
        saved = tf.train.Checkpoint(**trackable).save(str(tmp_path / "saved"))
        for source in (restored, saved):
            other = {"model": model_of("adam"), "optimizer": new.Adam(0.02)}
            prefix = ec.convert_for(other, source, tmp_path / "new", overwrite=True)
            restore(tf.train.Checkpoint(**other), prefix)
            assert int(other["optimizer"].iterations) == 20

    def test_an_optimizer_without_slots_has_a_counter(self, tmp_path):
        saved = self.saved(legacy.SGD(0.1), tmp_path)
        trackable = {"model": self.model(), "optimizer": new.SGD(0.1)}
        prefix = ec.convert_for(trackable, saved, tmp_path / "new")
        restore(tf.train.Checkpoint(**trackable), prefix)
        assert int(trackable["optimizer"].iterations) == 3

    def test_of_an_estimator_whose_optimizer_counts_in_the_global_step(self, tmp_path):
        with tf.Graph().as_default(), tf1.Session() as session:
            layer = tf.keras.layers.Dense(1, name="out")
            loss = tf.reduce_mean(layer(tf.ones((2, 6))))
            optimizer = legacy.Adam(0.02)
            optimizer.iterations = tf1.train.get_or_create_global_step()
            (op,) = optimizer.get_updates(loss, layer.trainable_weights)[:1]
            session.run(tf1.global_variables_initializer())
            for _ in range(4):
                session.run(op)
            saved = tf1.train.Saver().save(session, str(tmp_path / "old"))
        assert "Adam/iter" not in ec.open_checkpoint(saved)
        trackable = {"model": self.model(), "optimizer": new.Adam(0.02)}
        prefix = ec.convert_for(trackable, saved, tmp_path / "new")
        restore(tf.train.Checkpoint(**trackable), prefix)
        assert int(trackable["optimizer"].iterations) == 4
        np.testing.assert_array_equal(
            trackable["optimizer"]._velocities[0],
            ec.open_checkpoint(saved).read("Adam/out/kernel/v"),
        )

    @pytest.mark.parametrize(
        ("old", "other", "match"),
        [
            (lambda: new.Adam(amsgrad=True), lambda: legacy.Adam(), "Adam with vhat"),
            (
                lambda: legacy.RMSprop(momentum=0.9),
                lambda: new.RMSprop(),
                "RMSProp with momentum",
            ),
        ],
    )
    def test_state_that_the_optimizer_does_not_keep(self, old, other, match, tmp_path):
        saved = self.saved(old(), tmp_path)
        trackable = {"model": self.model(), "optimizer": other()}
        with pytest.raises(
            ec.CheckpointError, match=f"{match}, which .* does not keep"
        ):
            ec.convert_for(trackable, saved, tmp_path / "new")
        assert not list(tmp_path.glob("new*"))

    def test_nadams_momentum_schedule_is_not_carried(self, tmp_path, caplog):
        caplog.set_level(logging.WARNING)
        saved = self.saved(legacy.Nadam(0.1), tmp_path)
        trackable = {"model": self.model(), "optimizer": new.Nadam(0.1)}
        ec.convert_for(trackable, saved, tmp_path / "new")
        assert "momentum schedule begins anew" in caplog.text


#: By name: the optimizer that saved, the one that goes on, and whether it warns.
MOVES = {
    "SGD": ({"learning_rate": 0.02, "momentum": 0.9}, "momentum_dense"),
    "Adam": ({"learning_rate": 0.02}, "adam"),
    "RMSprop": ({"learning_rate": 0.005, "momentum": 0.9, "centered": True}, "r_dense"),
    "Adadelta": ({"learning_rate": 1.0}, "adadelta_dense"),
    "Ftrl": ({"learning_rate": 0.1}, "ftrl_dense"),
    "Adamax": ({"learning_rate": 0.02}, "adamax_dense"),
    "Adagrad": ({"learning_rate": 0.1}, "adagrad"),
}


@not_in_keras_3
@pytest.mark.parametrize("back", [False, True], ids=["to_new", "to_legacy"])
@pytest.mark.parametrize("name", MOVES)
def test_from_one_generation_of_keras_optimizers_to_the_other(name, back, tmp_path):
    """Training goes on as it would have without the change (keras#16983)."""
    options, case = MOVES[name]
    tf.keras.utils.set_random_seed(1)
    modules = (new, legacy) if back else (legacy, new)
    old, other = (getattr(module, name)(**options) for module in modules)
    model, copy = model_of(case), model_of(case)
    for step in range(trajectory.STEPS):
        train(model, old, step)
    saved = tf.train.Checkpoint(model=model, optimizer=old).save(str(tmp_path / "old"))
    trackable = {"model": copy, "optimizer": other}
    prefix = ec.convert_for(trackable, saved, tmp_path / "new" / "ckpt")
    restore(tf.train.Checkpoint(**trackable), prefix)
    for i in range(trajectory.MORE):
        train(model, old, trajectory.STEPS + i)
        train(copy, other, trajectory.STEPS + i)
    for a, b in zip(model.get_weights(), copy.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-7 + 1e-5 * np.abs(a).max())


class TestWhatIsWritten:
    def test_bytes_that_do_not_change_are_linked(self, tmp_path):
        trackable = {"model": model_of("adam"), "optimizer": new.Adam(0.02)}
        ec.convert_for(trackable, ADAM, tmp_path / "new")
        shards = sorted(tmp_path.glob("new.data-*"))
        assert shards[0].samefile(f"{ADAM}.data-00000-of-00001")
        # The object graph, three counters, the learning rate: nothing of the model.
        assert shards[1].stat().st_size < 10_000
        assert ec.verify(tmp_path / "new").ok

    def test_the_save_counter_is_the_global_step(self, tmp_path):
        prefix = ec.convert_for(head(), ADAM, tmp_path / "new")
        key = "save_counter/.ATTRIBUTES/VARIABLE_VALUE"
        assert tf.train.load_variable(prefix, key) == 20

    def test_hyperparameters_are_those_of_the_optimizer(self, tmp_path):
        trackable = {"model": model_of("adam"), "optimizer": new.Adam(0.125)}
        prefix = ec.convert_for(trackable, ADAM, tmp_path / "new")
        trackable["optimizer"].learning_rate.assign(9.0)
        restore(tf.train.Checkpoint(**trackable), prefix)
        assert float(trackable["optimizer"].learning_rate) == 0.125

    def test_without_optimizer_state_the_optimizer_is_as_it_was(self, tmp_path):
        trackable = {"model": model_of("adam"), "optimizer": new.Ftrl(0.125)}
        prefix = ec.convert_for(
            trackable, ADAM, tmp_path / "new", optimizer_state=False
        )
        restore(tf.train.Checkpoint(**trackable), prefix)
        assert int(trackable["optimizer"].iterations) == 0

    def test_what_the_user_says_is_a_slot(self, tmp_path, caplog):
        """One slot of a name that nobody knows: no siblings, and no powers."""
        ones = np.ones((6, 1), np.float32)
        zeros = np.zeros(1, np.float32)
        source = session_with(
            tmp_path,
            out__kernel=ones,
            out__bias=zeros,
            out__kernel__heavy=2 * ones,
            global_step=np.int64(7),
        )
        model = head()
        trackable = {"model": model, "optimizer": new.SGD(0.5, 0.9)}
        ec.convert_for(trackable, source, tmp_path / "anew")
        assert "'out/kernel/heavy': optimizer state or not?" in caplog.text
        said = {"optimizer_state": [r".*/heavy$", "nothing"]}
        planned = ec.plan_for(trackable, source, **said)
        assert "optimizer_state='nothing' matches no variable" in planned.unused
        caplog.clear()
        prefix = ec.convert_for(trackable, source, tmp_path / "new", **said)
        assert "optimizer_state='nothing' matches no variable" in caplog.text
        assert "optimizer state or not?" not in caplog.text
        restore(tf.train.Checkpoint(**trackable), prefix)
        for value in (trackable["optimizer"].variables, None):
            if value is None:  # the same without a file
                ec.load_into(trackable, source, **said)
            slots = [v for v in trackable["optimizer"].variables if v.shape == (6, 1)]
            np.testing.assert_array_equal(slots[0], -1.0 * ones)

    def test_what_the_user_says_is_no_slot(self, tmp_path):
        trackable = {"model": model_of("adam"), "optimizer": new.Adam(0.02)}
        with pytest.raises(ec.CheckpointError, match="no slots"):
            ec.convert_for(
                trackable, ADAM, tmp_path / "new", model_state=".*/Adam(_1)?$"
            )

    def test_steps_that_the_user_says(self, tmp_path):
        trackable = {"model": model_of("adam"), "optimizer": new.Adam(0.02)}
        prefix = ec.convert_for(trackable, ADAM, tmp_path / "new", iterations=123)
        restore(tf.train.Checkpoint(**trackable), prefix)
        assert int(trackable["optimizer"].iterations) == 123

    def test_the_beta_powers_say_more_than_the_global_step(self, tmp_path):
        """As after a warm start, which carries no step."""
        steps, beta1, beta2 = 33, np.float32(0.9), np.float32(0.999)
        ones = np.ones((6, 1), np.float32)
        prefix = session_with(
            tmp_path,
            out__kernel=ones,
            out__kernel__Adam=ones,
            out__kernel__Adam_1=ones,
            beta1_power=beta1 ** np.float32(steps + 1),
            beta2_power=beta2 ** np.float32(steps + 1),
            global_step=np.int64(1033),
        )
        kernel = tf.Variable(tf.zeros((6, 1)), name="out/kernel")
        optimizer = new.Adam(0.02)
        optimizer.build([kernel])
        trackable = {"v": kernel, "optimizer": optimizer}
        new_prefix = ec.convert_for(trackable, prefix, tmp_path / "new")
        restore(tf.train.Checkpoint(**trackable), new_prefix)
        assert int(optimizer.iterations) == steps

    def test_a_plan_says_it_all_and_writes_nothing(self, tmp_path):
        trackable = {"model": model_of("adam"), "optimizer": new.Adam(0.02)}
        before = sorted(ADAM.parent.iterdir())
        planned = ec.plan_for(trackable, ADAM)
        assert not planned.problems
        assert sorted(ADAM.parent.iterdir()) == before
        rows = {row[2]: row for row in planned.rows()}
        assert rows["out/kernel"][:2] == ("carried", "out/kernel")
        assert {row[1] for row in planned.rows() if row[0] == "unused"} == {
            "beta1_power",
            "beta2_power",
            "global_step",
        }
        prefix = ec.convert_for(trackable, ADAM, tmp_path / "new")
        written = set(ec.open_checkpoint(prefix).index)
        planned_keys = {item.target.key for item in planned.items if item.target}
        assert written - planned_keys == {"_CHECKPOINTABLE_OBJECT_GRAPH"}
        assert planned_keys <= written

    def test_what_is_missing_may_keep_its_own_value(self, tmp_path, caplog):
        caplog.set_level(logging.WARNING)
        model = tf.keras.Sequential(
            [
                tf.keras.layers.Dense(1, name="out"),
                tf.keras.layers.Dense(2, name="more"),
            ]
        )
        model.build((None, trajectory.UNITS))
        mine = model.get_layer("more").kernel.numpy()
        prefix = ec.convert_for(model, ADAM, tmp_path / "new", strict=False)
        model.get_layer("more").kernel.assign(0 * mine)
        restore(tf.train.Checkpoint(model), prefix)
        np.testing.assert_array_equal(model.get_layer("more").kernel, mine)
        np.testing.assert_array_equal(model.get_layer("out").kernel, KERNEL)
        assert "more/kernel" in caplog.text

    def test_a_destination_that_is_there(self, tmp_path):
        model = head()
        prefix = ec.convert_for(model, ADAM, tmp_path / "new")
        with pytest.raises(ec.CheckpointError, match="already there"):
            ec.convert_for(model, ADAM, tmp_path / "new")
        ec.convert_for(model, ADAM, tmp_path / "new", overwrite=True)
        restore(tf.train.Checkpoint(model), prefix)


class TestKerasFiles:
    def values(self, model):
        return [np.array(value) for value in model.get_weights()]

    def test_weights_and_the_optimizer_of_a_compiled_model(self, tmp_path):
        model, other = model_of("adam"), model_of("adam")
        for each in (model, other):
            each.compile(new.Adam(0.02, epsilon=1e-8), "mse")
            each.optimizer.build(each.trainable_variables)
        before = self.values(model)
        path = ec.convert_for(model, ADAM, tmp_path / "a" / "model.weights.h5")
        for a, b in zip(before, self.values(model)):
            np.testing.assert_array_equal(a, b)
        other.load_weights(path)
        np.testing.assert_array_equal(other.get_layer("out").kernel, KERNEL)
        assert int(other.optimizer.iterations) == 20
        np.testing.assert_array_equal(
            other.optimizer._momentums[-2], ADAM_VALUES["out/kernel/Adam"]
        )
        assert [p.name for p in (tmp_path / "a").iterdir()] == ["model.weights.h5"]

    def test_a_whole_model(self, tmp_path):
        """Which Keras 3 loads with nothing else at hand."""
        inputs = tf.keras.Input((trajectory.UNITS,))
        outputs = tf.keras.layers.Dense(1, name="out")(inputs)
        model = tf.keras.Model(inputs, outputs)
        model.compile(new.Adam(0.02, epsilon=1e-8), "mse")
        before = self.values(model)
        path = ec.convert_for(model, ADAM, tmp_path / "model.keras")
        for a, b in zip(before, self.values(model)):
            np.testing.assert_array_equal(a, b)
        loaded = tf.keras.models.load_model(path)
        np.testing.assert_array_equal(loaded.get_layer("out").kernel, KERNEL)
        assert int(loaded.optimizer.iterations) == 20
        np.testing.assert_array_equal(
            loaded.optimizer._velocities[0], ADAM_VALUES["out/kernel/Adam_1"]
        )

    def test_a_model_that_keras_cannot_save_whole(self, tmp_path):
        class Refusing(tf.keras.Model):
            def __init__(self):
                super().__init__(name="refusing")
                self.out = tf.keras.layers.Dense(1, name="out")

            def call(self, inputs):
                return self.out(inputs)

            def get_config(self):
                raise NotImplementedError("say it yourself")

        model = Refusing()
        model(np.zeros((1, trajectory.UNITS), np.float32))
        path = tmp_path / "model.keras"
        names = {"out/": "refusing/out/"}
        renames = None if IS_KERAS_3 else names
        with pytest.raises(ec.CheckpointError, match=r"whole: say it.*\.weights\.h5"):
            ec.convert_for(model, ADAM, path, assignment_map=renames)
        assert not list(tmp_path.iterdir())

    def test_one_that_is_there(self, tmp_path):
        path = tmp_path / "model.weights.h5"
        path.write_text("mine")
        with pytest.raises(ec.CheckpointError, match="already there"):
            ec.convert_for(head(), ADAM, path)
        assert path.read_text() == "mine"
        ec.convert_for(head(), ADAM, path, overwrite=True)
        assert path.read_bytes()[1:4] == b"HDF"

    def test_what_such_a_file_cannot_hold(self, tmp_path):
        path = tmp_path / "model.weights.h5"
        with pytest.raises(ec.CheckpointError, match="give the model itself"):
            ec.convert_for({"model": head()}, ADAM, path)
        with pytest.raises(ec.CheckpointError, match=r"weights ends in \.weights\.h5"):
            ec.convert_for(head(), ADAM, tmp_path / "model.h5")
        with pytest.raises(ec.CheckpointError, match="does not fit"):
            ec.convert_for(head(), DIGITS, path)
        assert not list(tmp_path.iterdir())


class TestBadInput:
    """One message that lists the variables and says what to do; nothing is written."""

    @pytest.fixture(autouse=True)
    def _nothing_is_written(self, tmp_path):
        yield
        assert not list(tmp_path.glob("new*"))

    def refused(self, trackable, source, tmp_path, match, **options):
        with pytest.raises(ec.CheckpointError, match=match):
            ec.convert_for(trackable, source, tmp_path / "new", **options)

    def test_a_model_that_is_not_built(self, tmp_path):
        model = tf.keras.Sequential([tf.keras.layers.Dense(1)], name="mine")
        self.refused(model, ADAM, tmp_path, r"'mine' is not built.*input_shape=")

    def test_an_optimizer_that_nobody_can_build(self, tmp_path):
        trackable = {"m": head(), "a": new.Adam(0.1), "b": new.Adam(0.1)}
        self.refused(trackable, ADAM, tmp_path, r"not built, and with 2 of them")
        variable = tf.Variable(tf.zeros((6, 1)), name="out/kernel")
        trackable = {"v": variable, "optimizer": new.Adam(0.1)}
        self.refused(trackable, ADAM, tmp_path, r"call optimizer\.build\(variables\)")

    def test_an_optimizer_of_another_model(self, tmp_path):
        optimizer = new.Adam(0.1)
        optimizer.build(model_of("adam").trainable_variables)
        trackable = {"model": model_of("adam"), "optimizer": optimizer}
        self.refused(
            trackable,
            ADAM,
            tmp_path,
            r"share a full name"
            if IS_KERAS_3  # whose optimizers hold what they train
            else r"Adam was built for .* does not have: 'embedding/embeddings', 'h",
        )

    @pytest.mark.parametrize(
        "trackable",
        [3, None, {"a": 3}, {1: tf.Module()}, tf.Module, tf.Variable([1.0, 2.0])],
        ids=["a number", "None", "no object", "no name", "a class", "a variable"],
    )
    def test_what_has_no_variables(self, trackable, tmp_path):
        match = "no variables to convert for: give a Keras"
        self.refused(trackable, ADAM, tmp_path, match)

    @pytest.mark.parametrize(
        "make", [dict, tf.Module, lambda: tf.keras.layers.Dense(1)]
    )
    def test_what_has_none_yet(self, make, tmp_path):
        self.refused(make(), ADAM, tmp_path, "has no variables: build its layers")

    def test_an_input_shape_that_does_not_fit(self, tmp_path):
        model = tf.keras.Sequential([tf.keras.layers.Conv2D(1, 2)], name="mine")
        match = r"'mine' cannot be built with an input of shape \[None, 3\]"
        self.refused(model, ADAM, tmp_path, match, input_shape=(None, 3))

    def test_the_state_of_an_iterator(self, tmp_path):
        trackable = {"model": head(), "batches": iter(tf.data.Dataset.range(3))}
        self.refused(trackable, ADAM, tmp_path, r"an iterator \('batches.*leave it out")

    def test_betas_that_the_powers_are_not_of(self, tmp_path):
        source = ec.convert(ADAM, tmp_path / "old", to="tf1", exclude="global_step")
        trackable = {"model": model_of("adam"), "optimizer": new.Adam(0.1, 0.5, 0.9)}
        self.refused(
            trackable, source, tmp_path, r"beta2_power of 0\.9.*the betas that"
        )

    def test_no_shard_stays_where_a_tensor_is_damaged(self, tmp_path):
        source = PREFIXES["trajectories/momentum/model.ckpt-20"]
        damaged = ec.convert(source, tmp_path / "old", to="tf1", data="copy")
        (shard,) = tmp_path.glob("old.data-*")
        info = ec.open_checkpoint(damaged)["out/kernel/Momentum"]
        with open(shard, "r+b") as file:
            file.seek(info.offset)
            file.write(b"\xff\xff\xff\xff")
        trackable = {"model": model_of("momentum"), "optimizer": new.SGD(0.1, 0.9)}
        self.refused(trackable, damaged, tmp_path, "is damaged")

    def test_names_that_do_not_match(self, tmp_path):
        self.refused(
            model_of("adam"),
            DIGITS,
            tmp_path,
            r"'embedding/embeddings': no such variable;.*'out/bias': no such variable.*"
            r"The source has left: .*'conv1/kernel'.*assignment map.*--suggest",
        )

    def test_shapes_that_do_not_match(self, tmp_path):
        inputs = tf.keras.Input((7,))
        model = tf.keras.Model(inputs, tf.keras.layers.Dense(1, name="out")(inputs))
        self.refused(
            model,
            ADAM,
            tmp_path,
            r"'out/kernel': float32\[6, 1\] there, float32\[7, 1\] here",
        )

    def test_dtypes_that_do_not_match(self, tmp_path):
        kernel = tf.Variable(tf.zeros((6, 1), tf.float16), name="out/kernel")
        self.refused({"v": kernel}, ADAM, tmp_path, r"float32\[6, 1\] there, float16")

    def test_two_variables_of_one_name(self, tmp_path):
        a, b = (tf.Variable(tf.zeros((6, 1)), name="out/kernel") for _ in range(2))
        self.refused({"a": a, "b": b}, ADAM, tmp_path, r"share a full name.*'a/.*'b/")

    def test_two_candidates_in_the_source(self, tmp_path):
        a, b = (tf.Variable(tf.zeros((6, 1)), name="out/kernel") for _ in range(2))
        saved = tf.train.Checkpoint(a=a, b=b).write(str(tmp_path / "old"))
        self.refused({"v": a}, saved, tmp_path, r"share a full name.*names='path'")

    def test_a_map_that_gives_one_name_twice(self, tmp_path):
        renames = {"out/kernel": "x", "hidden/kernel": "x"}
        self.refused(head(), ADAM, tmp_path, r"'x'", assignment_map=renames)

    def test_slots_of_another_optimizer(self, tmp_path):
        trackable = {"model": model_of("adam"), "optimizer": new.SGD(0.1, 0.9)}
        self.refused(
            trackable,
            ADAM,
            tmp_path,
            r"has slots of Adam: '.*/Adam'.*SGD goes on from Momentum or Gradient.*"
            r"optimizer_state=False",
        )

    def test_slots_of_another_keras_optimizer(self, tmp_path):
        model, optimizer = head(), new.Adam(0.1)
        optimizer.build(model.trainable_variables)
        saved = tf.train.Checkpoint(model=model, optimizer=optimizer).write(
            str(tmp_path / "old")
        )
        trackable = {"model": model, "optimizer": new.RMSprop(0.1)}
        match = "keeps momentum, velocity" if IS_KERAS_3 else "keeps m, v"
        self.refused(trackable, saved, tmp_path, match)

    def test_slots_of_an_optimizer_that_nobody_knows(self, tmp_path):
        ones = np.ones((6, 1), np.float32)
        prefix = session_with(
            tmp_path,
            out__kernel=ones,
            out__bias=np.zeros(1, np.float32),
            out__kernel__AdagradDA=ones,
        )
        trackable = {"model": head(), "optimizer": new.Adagrad(0.1)}
        self.refused(
            trackable,
            prefix,
            tmp_path,
            r"slots of an unknown optimizer: 'out/kernel/AdagradDA'",
        )

    @pytest.mark.skipif(not hasattr(new, "Lion"), reason="TensorFlow 2.12 has no Lion")
    def test_an_optimizer_of_which_nothing_is_known(self, tmp_path):
        trackable = {"model": model_of("adam"), "optimizer": new.Lion(0.1)}
        self.refused(
            trackable, ADAM, tmp_path, r"Lion is an optimizer of which nothing"
        )

    def test_no_slots_at_all(self, tmp_path):
        source = ec.convert(ADAM, tmp_path / "bare", to="tf1", exclude=".*(Adam|beta)")
        trackable = {"model": head(), "optimizer": new.Adam(0.1)}
        self.refused(
            trackable, source, tmp_path, r"no slots of Adam or AdamWeightDecay"
        )

    def test_options_that_the_state_does_not_go_with(self, tmp_path):
        trackable = {"model": model_of("adam"), "optimizer": new.Adam(amsgrad=True)}
        self.refused(trackable, ADAM, tmp_path, r"without what Adam keeps as vhat")
        source = PREFIXES["trajectories/rmsprop_centered/model.ckpt-20"]
        trackable = {"model": model_of("rmsprop"), "optimizer": new.RMSprop()}
        self.refused(trackable, source, tmp_path, r"with centered=True")
        source = PREFIXES["trajectories/rmsprop/model.ckpt-20"]
        trackable["optimizer"] = new.RMSprop(centered=True)
        self.refused(trackable, source, tmp_path, r"keeps as mg")

    def test_a_learning_rate_of_0_for_momentum(self, tmp_path):
        source = PREFIXES["trajectories/momentum/model.ckpt-20"]
        trackable = {"model": model_of("momentum"), "optimizer": new.SGD(0.0, 0.9)}
        self.refused(
            trackable, source, tmp_path, r"which is 0 here: give the optimizer"
        )

    def test_slots_of_another_shape(self, tmp_path):
        prefix = session_with(
            tmp_path,
            out__kernel=np.ones((6, 1), np.float32),
            out__bias=np.zeros(1, np.float32),
            out__kernel__Momentum=np.ones((1, 6), np.float32),
            global_step=np.int64(5),
        )
        trackable = {"model": head(), "optimizer": new.SGD(0.1, 0.9)}
        self.refused(
            trackable, prefix, tmp_path, r"'out/kernel/Momentum' is float32\[1"
        )

    def test_steps_that_nothing_tells(self, tmp_path):
        source = ec.convert(
            ADAM, tmp_path / "bare", to="tf1", exclude=".*(beta._p|glob)"
        )
        trackable = {"model": model_of("adam"), "optimizer": new.Adam(0.1)}
        self.refused(trackable, source, tmp_path, r"says nowhere how many steps Adam")

    def test_steps_of_an_optimizer_that_there_is_not(self, tmp_path):
        trackable = {"model": model_of("adam"), "optimizer": new.Adam(0.1)}
        self.refused(
            trackable,
            ADAM,
            tmp_path,
            r"iterations names 'other': the optimizers of .* are 'optimizer'",
            iterations={"other": 3},
        )

    def test_no_source(self, tmp_path):
        self.refused(head(), tmp_path / "nowhere", tmp_path, "nowhere")

    def test_words_that_are_none(self, tmp_path):
        for options in ({"to": "dual"}, {"data": "move"}, {"names": "short"}):
            with pytest.raises(ValueError, match="unknown"):
                ec.convert_for(head(), ADAM, tmp_path / "new", **options)


class TestOneSourceForTwo:
    """An online and a target network from one; with optimizer state for the first."""

    def objects(self):
        online, target = (
            tf.Variable(tf.zeros((6, 1)), name=name)
            for name in ("online/w", "target/w")
        )
        optimizer = new.Adam(0.1)
        optimizer.build([online])
        return {"online": online, "target": target, "optimizer": optimizer}

    @not_in_keras_3
    def test_there(self, tmp_path):
        objects = self.objects()
        prefix = ec.convert_for(
            objects,
            ADAM,
            tmp_path / "new",
            assignment_map={"out/kernel": ["online/w", "target/w"]},
        )
        restore(tf.train.Checkpoint(**objects), prefix)
        for name in ("online", "target"):
            np.testing.assert_array_equal(objects[name], KERNEL)
        assert objects["optimizer"].iterations == 20
        state = objects["optimizer"].variables
        for slot in ("out/kernel/Adam", "out/kernel/Adam_1"):
            assert any(np.array_equal(v, ADAM_VALUES[slot]) for v in state)

    @not_in_keras_3
    def test_and_back(self, tmp_path):
        objects = self.objects()
        objects["online"].assign(KERNEL)
        saved = tf.train.Checkpoint(**objects).save(str(tmp_path / "saved"))
        back = ec.convert_for(
            objects,
            saved,
            tmp_path / "back",
            to="tf1",
            assignment_map={"online/w": ["a/w", "b/w"]},
        )
        with ec.open_checkpoint(back) as found:
            for name in ("a/w", "b/w"):
                np.testing.assert_array_equal(found.read(name), KERNEL)
                assert f"{name}/Adam" in found
            assert "target/w" in found
