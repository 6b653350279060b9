"""Warm starts: variables are carried, the global step is not, and only once."""

import logging
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import object_keys
from model_fns import digits, embedding, guide
from tests import testdata_paths
from tests.estimator import helpers

TESTDATA = testdata_paths.TESTDATA
FIRST = "model.ckpt-0"


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, logger="estimator_ckpt")
    return caplog


def lines(log):
    return [r.getMessage() for r in log.records if r.name == "estimator_ckpt"]


def first_values(fn, source, model_dir, input_fn=helpers.input_fn, **choice):
    """The values that a job warm-started from `source` begins with, by name."""
    decorated = ec.with_scaffold("tf1")(ec.warm_start_from(source, **choice)(fn))
    est = helpers.estimator(decorated, model_dir)
    est.train(input_fn, steps=1)
    return helpers.values(model_dir / FIRST)


def same(carried, source, name):
    return np.array_equal(carried[name], source[name])


class TestWhatIsCarried:
    @pytest.fixture(scope="class")
    def source(self):
        return testdata_paths.session_values("digits/model.ckpt-300")

    @pytest.mark.parametrize(
        ("carry", "weights", "statistics", "slots"),
        [
            ("trainable", True, False, False),
            ("model", True, True, False),
            ("all", True, True, True),
        ],
    )
    def test_from_a_real_tf1_model_dir(
        self, tmp_path, source, carry, weights, statistics, slots
    ):
        carried = first_values(
            digits.model_fn,
            TESTDATA / "digits",
            tmp_path,
            digits.train_input_fn,
            carry=carry,
        )
        assert carried["global_step"] == 0
        assert carried.keys() == source.keys()
        assert same(carried, source, "conv1/kernel") == weights
        assert same(carried, source, "bn1/moving_variance") == statistics
        assert same(carried, source, "conv1/kernel/Adam_1") == slots
        assert same(carried, source, "beta2_power") == slots

    def test_the_old_accuracy_is_there_before_any_training(self, tmp_path):
        decorated = ec.with_scaffold("tf2")(
            ec.warm_start_from(TESTDATA / "digits")(digits.model_fn)
        )
        est = helpers.estimator(decorated, tmp_path)
        est.train(digits.train_input_fn, steps=1)
        first = est.evaluate(
            digits.eval_input_fn, checkpoint_path=str(tmp_path / FIRST)
        )
        assert first["global_step"] == 0
        assert first["accuracy"] == testdata_paths.digits_evaluation()["accuracy"]

    def test_a_partitioned_variable_into_another_partitioning(self, tmp_path):
        source = testdata_paths.session_values("embedding-sharded/model.ckpt-20")
        decorated = ec.with_scaffold("tf1")(
            ec.warm_start_from(TESTDATA / "embedding-sharded")(embedding.model_fn)
        )
        est = helpers.estimator(
            decorated, tmp_path, params={"partitions": 5, "dimension": 4}
        )
        est.train(embedding.train_input_fn, steps=1)
        carried = helpers.values(tmp_path / FIRST)
        assert same(carried, source, "embedding/weights")
        assert same(carried, source, "logits/kernel")

    def test_averages_are_carried_as_model_state(self, tmp_path):
        def ema_fn(features, labels, mode):
            spec = helpers.model_fn(features, labels, mode)
            ema = tf1.train.ExponentialMovingAverage(0.9)
            with tf.control_dependencies([spec.train_op]):
                return spec._replace(train_op=ema.apply())

        est = helpers.estimator(ema_fn, tmp_path / "old")
        est.train(helpers.input_fn, steps=3)
        source = helpers.values(tmp_path / "old")
        carried = first_values(ema_fn, tmp_path / "old", tmp_path / "new")
        shadow = "hidden/kernel/ExponentialMovingAverage"
        assert same(carried, source, shadow)
        assert not np.array_equal(source[shadow], source["hidden/kernel"])

    def test_an_average_that_the_source_lacks_begins_at_its_variable(self, tmp_path):
        def ema_fn(features, labels, mode):
            spec = helpers.model_fn(features, labels, mode)
            ema = tf1.train.ExponentialMovingAverage(0.9)
            with tf.control_dependencies([spec.train_op]):
                return spec._replace(train_op=ema.apply())

        helpers.estimator(helpers.model_fn, tmp_path / "old").train(
            helpers.input_fn, steps=3
        )
        source = helpers.values(tmp_path / "old")
        carried = first_values(ema_fn, tmp_path / "old", tmp_path / "new")
        np.testing.assert_array_equal(
            carried["hidden/kernel/ExponentialMovingAverage"], source["hidden/kernel"]
        )

    def test_beta_powers_stay_at_their_start_without_their_slots(self, tmp_path):
        carried = first_values(
            digits.model_fn,
            TESTDATA / "digits",
            tmp_path,
            digits.train_input_fn,
            carry="all",
            exclude=r".*/Adam(_1)?$",
        )
        np.testing.assert_allclose(carried["beta1_power"], 0.9, rtol=1e-6)

    @pytest.mark.parametrize("format", helpers.FORMATS)
    def test_from_a_checkpoint_of_each_format(self, tmp_path, format):
        old = ec.with_scaffold(format)(helpers.model_fn)
        helpers.estimator(old, tmp_path / "old").train(helpers.input_fn, steps=3)
        source = helpers.values(tmp_path / "old")
        carried = first_values(helpers.model_fn, tmp_path / "old", tmp_path / "new")
        name = "bn/moving_variance"
        key = object_keys.variable_key(name) if format == "tf2" else name
        np.testing.assert_array_equal(carried[name], source[key])
        assert carried["global_step"] == 0

    @pytest.mark.parametrize("name", testdata_paths.V1_PREFIXES)
    def test_from_the_v1_format(self, tmp_path, name):
        source = testdata_paths.session_values(name)

        def v1_fn(features, labels, mode):
            step = tf1.train.get_or_create_global_step()
            for variable, value in source.items():
                if variable != "global_step":
                    tf1.get_variable(
                        variable,
                        value.shape,
                        tf.string if value.dtype == object else value.dtype,
                        tf1.zeros_initializer(),
                        trainable=False,
                    )
            return tf.estimator.EstimatorSpec(
                mode, loss=tf.constant(0.0), train_op=step.assign_add(1)
            )

        carried = first_values(v1_fn, testdata_paths.V1_PREFIXES[name], tmp_path)
        for variable in set(source) - {"global_step"}:
            np.testing.assert_array_equal(carried[variable], source[variable])

    @pytest.mark.parametrize("said", [{}, {"optimizer_state": ".*/mine"}])
    def test_a_user_says_what_is_optimizer_state(self, tmp_path, said, log):
        def one_of_a_kind(features, labels, mode):
            step = tf1.train.get_or_create_global_step()
            w = tf1.get_variable("w", [2], initializer=tf1.zeros_initializer())
            mine = tf1.get_variable(
                "w/mine", [2], trainable=False, initializer=tf1.zeros_initializer()
            )
            ops = tf.group(w.assign_add([1.0, 1.0]), mine.assign_add([1.0, 1.0]))
            return tf.estimator.EstimatorSpec(
                mode, loss=tf.constant(0.0), train_op=tf.group(ops, step.assign_add(1))
            )

        old = tmp_path / "old"
        helpers.estimator(one_of_a_kind, old).train(helpers.input_fn, steps=1)
        carried = first_values(one_of_a_kind, old, tmp_path / "new", **said)
        assert carried["w"].tolist() == [1, 1]
        assert carried["w/mine"].tolist() == ([0, 0] if said else [1, 1])
        remarks = [line for line in lines(log) if "optimizer state or not?" in line]
        assert len(remarks) == (0 if said else 1)
        assert all("'w/mine'" in remark for remark in remarks)

    def test_include_and_exclude_match_from_the_beginning(self, tmp_path):
        helpers.estimator(helpers.model_fn, tmp_path / "old").train(
            helpers.input_fn, steps=3
        )
        source = helpers.values(tmp_path / "old")
        carried = first_values(
            helpers.model_fn,
            tmp_path / "old",
            tmp_path / "new",
            include=["bn/", "out/"],
            exclude="out/b",
        )
        assert same(carried, source, "bn/moving_mean")
        assert same(carried, source, "out/kernel")
        assert not same(carried, source, "out/bias")


class TestOnce:
    def test_a_second_train_call_goes_on_from_its_own_checkpoint(self, tmp_path, log):
        decorated = ec.with_scaffold("tf2")(
            ec.warm_start_from(TESTDATA / "est-tf1")(guide.model_fn)
        )
        est = helpers.estimator(decorated, tmp_path)
        est.train(guide.input_fn, steps=1)
        est.train(guide.input_fn, steps=1)
        values = helpers.values(tmp_path)
        assert values[object_keys.variable_key("var")] == 6.0  # 2 carried, and 2 steps
        assert values[object_keys.STEP_KEY] == 2
        assert any("Not warm-starting" in line for line in lines(log))

    def test_a_finished_job_needs_its_source_no_more(self, tmp_path):
        shutil.copytree(TESTDATA / "est-tf1", tmp_path / "old")
        fn = ec.warm_start_from(tmp_path / "old")(guide.model_fn)
        helpers.estimator(fn, tmp_path / "new").train(guide.input_fn, steps=1)
        shutil.rmtree(tmp_path / "old")
        helpers.estimator(fn, tmp_path / "new").train(guide.input_fn, steps=1)
        assert helpers.values(tmp_path / "new")["var"] == 6.0

    def test_train_and_evaluate_warm_starts_once(self, tmp_path, log):
        fn = ec.with_scaffold("tf2")(
            ec.warm_start_from(TESTDATA / "est-tf1")(guide.model_fn)
        )
        est = helpers.estimator(fn, tmp_path, save_checkpoints_steps=1)
        tf.estimator.train_and_evaluate(
            est,
            tf.estimator.TrainSpec(guide.input_fn, max_steps=3),
            tf.estimator.EvalSpec(guide.input_fn, steps=1, throttle_secs=0),
        )
        assert sum("Warm start from" in line for line in lines(log)) == 1
        assert helpers.values(tmp_path)[object_keys.variable_key("var")] == 8.0


class TestTheLog:
    def test_a_line_for_each_variable_and_a_summary_with_counts(self, tmp_path, log):
        def larger_fn(features, labels, mode):
            tf1.get_variable("new", [2])
            return helpers.model_fn(features, labels, mode, {"units": 5})

        helpers.estimator(helpers.model_fn, tmp_path / "old").train(
            helpers.input_fn, steps=1
        )
        fn = ec.warm_start_from(tmp_path / "old")(larger_fn)
        helpers.estimator(fn, tmp_path / "new").train(helpers.input_fn, steps=1)
        found = lines(log)
        assert "Warm start: out/bias: carried (from 'out/bias', float32[1])" in found
        assert "Warm start: new: not in source (no such variable)" in found
        assert (
            "Warm start: hidden/kernel: different shape "
            "(float32[2, 3] there, float32[2, 5] here)" in found
        )
        assert any(
            line.endswith("1 carried, 1 not in source, 7 different shape, 7 reset")
            for line in found
        ), found
        summary = next(
            r for r in log.records if r.getMessage().startswith("Warm start from")
        )
        assert summary.levelno == logging.WARNING

    def test_nothing_lost_is_no_warning(self, tmp_path, log):
        fn = ec.warm_start_from(TESTDATA / "est-tf1")(guide.model_fn)
        helpers.estimator(fn, tmp_path).train(guide.input_fn, steps=1)
        assert all(
            r.levelno == logging.INFO for r in log.records if r.name == "estimator_ckpt"
        )


class TestComposition:
    @pytest.mark.parametrize("scaffold_first", [True, False])
    def test_the_order_of_the_decorators_does_not_matter(
        self, tmp_path, scaffold_first
    ):
        warm = ec.warm_start_from(TESTDATA / "est-tf1")
        scaffold = ec.with_scaffold("tf2")
        fn = (
            warm(scaffold(guide.model_fn))
            if scaffold_first
            else scaffold(warm(guide.model_fn))
        )
        helpers.estimator(fn, tmp_path).train(guide.input_fn, steps=1)
        values = helpers.values(tmp_path)
        assert values[object_keys.variable_key("var")] == 4.0
        assert values[object_keys.STEP_KEY] == 1

    def test_without_with_scaffold_the_default_saver_stays(self, tmp_path):
        fn = ec.warm_start_from(TESTDATA / "est-tf1")(guide.model_fn)
        helpers.estimator(fn, tmp_path).train(guide.input_fn, steps=1)
        assert set(helpers.values(tmp_path)) == {"var", "global_step"}

    def test_the_scaffolds_own_init_fn_runs_after(self, tmp_path):
        seen = []

        def own_fn(features, labels, mode):
            spec = guide.model_fn(features, labels, mode)
            (var,) = (v for v in tf1.global_variables() if v.op.name == "var")
            return spec._replace(
                scaffold=tf1.train.Scaffold(
                    init_fn=lambda scaffold, session: seen.append(session.run(var))
                )
            )

        fn = ec.warm_start_from(TESTDATA / "est-tf1")(own_fn)
        helpers.estimator(fn, tmp_path).train(guide.input_fn, steps=1)
        assert seen == [2.0]

    def test_carried_values_win_over_init_from_checkpoint(self, tmp_path, log):
        def own_fn(features, labels, mode):
            spec = guide.model_fn(features, labels, mode)
            tf1.train.init_from_checkpoint(
                str(TESTDATA / "est-tf1-3steps"), {"var": "var"}
            )
            return spec

        fn = ec.warm_start_from(TESTDATA / "est-tf1")(own_fn)
        helpers.estimator(fn, tmp_path).train(guide.input_fn, steps=1)
        assert helpers.values(tmp_path)["var"] == 4.0
        assert any("init_from_checkpoint" in line for line in lines(log))

    def test_estimators_own_warm_start_beside_it_is_an_error(self, tmp_path):
        fn = ec.warm_start_from(TESTDATA / "est-tf1")(guide.model_fn)
        est = tf.estimator.Estimator(
            fn, str(tmp_path), warm_start_from=str(TESTDATA / "est-tf1")
        )
        with pytest.raises(ValueError, match="drop one of them"):
            est.train(guide.input_fn, steps=1)


class TestBadInput:
    def test_an_unknown_carry(self):
        with pytest.raises(ValueError, match=r"unknown carry 'everything'.*'model'"):
            ec.warm_start_from("a", carry="everything")

    def test_a_pattern_that_is_no_regex(self):
        with pytest.raises(ValueError, match="is no regular expression"):
            ec.warm_start_from("a", include="(")

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda d: None, "no such checkpoint, file or directory"),
            (lambda d: d.mkdir(), "a directory without a checkpoint"),
            (lambda d: d.write_text("text"), "not a checkpoint"),
        ],
    )
    def test_a_source_that_is_none(self, tmp_path, make, message):
        make(tmp_path / "source")
        fn = ec.warm_start_from(tmp_path / "source")(guide.model_fn)
        with pytest.raises(ec.CheckpointError, match=message) as error:
            helpers.estimator(fn, tmp_path / "new").train(guide.input_fn, steps=1)
        assert str(tmp_path / "source") in str(error.value)
        assert "\n" not in str(error.value)

    def test_strict_lists_all_that_cannot_be_carried(self, tmp_path):
        def larger_fn(features, labels, mode):
            tf1.get_variable("new", [2])
            return helpers.model_fn(features, labels, mode, {"units": 5})

        helpers.estimator(helpers.model_fn, tmp_path / "old").train(
            helpers.input_fn, steps=1
        )
        fn = ec.warm_start_from(tmp_path / "old", strict=True, exclude="nothing")(
            larger_fn
        )
        with pytest.raises(ec.CheckpointError) as error:
            helpers.estimator(fn, tmp_path / "new").train(helpers.input_fn, steps=1)
        message = str(error.value)
        for part in ("'new'", "'hidden/kernel'", "'bn/gamma'", "'nothing'"):
            assert part in message
        assert "'out/bias'" not in message


@pytest.mark.parametrize("format", helpers.FORMATS)
def test_a_tpu_estimator_on_a_cpu(tmp_path, format):
    old = helpers.estimator(ec.with_scaffold(format)(helpers.model_fn), tmp_path / "a")
    old.train(helpers.input_fn, steps=2)

    def tpu_fn(features, labels, mode, params):
        spec = helpers.model_fn(features, labels, mode)
        return tf1.estimator.tpu.TPUEstimatorSpec(
            mode, loss=spec.loss, train_op=spec.train_op
        )

    fn = ec.warm_start_from(tmp_path / "a", carry="all", strict=True)(tpu_fn)
    tf1.estimator.tpu.TPUEstimator(
        ec.with_scaffold(format)(fn),
        config=tf1.estimator.tpu.RunConfig(model_dir=str(tmp_path / "b")),
        use_tpu=False,
        train_batch_size=8,
    ).train(lambda params: helpers.input_fn(), steps=1)
    before = ec.open_checkpoint(tmp_path / "a")
    after = ec.open_checkpoint(tmp_path / "b" / "model.ckpt-0")
    assert (after.global_step, set(after)) == (0, set(before))
    for name in set(before) - {"global_step"}:
        np.testing.assert_array_equal(after.read(name), before.read(name))


def test_a_moved_source_whose_state_file_has_old_paths_is_found(tmp_path):
    source = testdata_paths.session_values("state-files/model.ckpt-2")

    def fn(features, labels, mode):
        step = tf1.train.get_or_create_global_step()
        for name, value in source.items():
            tf1.get_variable(
                name, value.shape, value.dtype, initializer=tf1.zeros_initializer()
            )
        return tf.estimator.EstimatorSpec(
            mode, loss=tf.constant(0.0), train_op=step.assign_add(1)
        )

    carried = first_values(fn, TESTDATA / "state-files", tmp_path)
    for name in source:
        assert same(carried, source, name)


class TestSettings:
    def canned(self, model_dir, **kwargs):
        return tf.estimator.DNNClassifier(
            [4],
            [tf.feature_column.numeric_column("x", shape=[2])],
            batch_norm=True,
            model_dir=str(model_dir),
            **kwargs,
        )

    @staticmethod
    def input_fn():
        def classes(features, label):
            return features, tf.cast(label > 0, tf.int64)

        return helpers.input_fn().map(classes)

    @pytest.mark.parametrize("format", helpers.FORMATS)
    def test_a_canned_estimator_carries_batch_norm_statistics(self, tmp_path, format):
        canned = self.canned(None)
        old = tf.estimator.Estimator(
            ec.with_scaffold(format)(canned.model_fn), str(tmp_path / "old")
        )
        old.train(self.input_fn, steps=3)
        settings = ec.warm_start_settings(tmp_path / "old")
        new = self.canned(tmp_path / "new", warm_start_from=settings)
        new.train(self.input_fn, steps=1)
        started = helpers.values(tmp_path / "new" / FIRST)
        expected = helpers.session_values(old, self.input_fn)
        statistics = [name for name in expected if "moving_" in name]
        assert statistics
        for name in statistics:
            np.testing.assert_array_equal(started[name], expected[name])
        assert started["global_step"] == 0

    def test_slots_are_carried_only_with_all(self):
        pattern = ec.warm_start_settings(TESTDATA / "digits").vars_to_warm_start[0]
        assert "Adam" not in pattern
        everything = ec.warm_start_settings(TESTDATA / "digits", carry="all")
        assert "Adam" in everything.vars_to_warm_start[0]
        assert "global_step" not in everything.vars_to_warm_start[0]

    def test_what_a_user_says_and_what_is_undecided_is_said(self, log):
        source = testdata_paths.ROLES["1.15.5/decoys_no_optimizer"] / "model.ckpt"
        ec.warm_start_settings(source, model_state="nothing", exclude="nowhere")
        said = " ".join(lines(log))
        assert "'model/decay'" in said
        assert "model_state='nothing' matches no variable" in said
        assert "'nowhere' matches no variable" in said

    def test_a_shard_that_is_cut_off_is_told_before_tensorflow_restores(self, tmp_path):
        shutil.copytree(TESTDATA / "digits", tmp_path / "old")
        shard = tmp_path / "old" / "model.ckpt-300.data-00000-of-00001"
        os.truncate(shard, 8)
        with pytest.raises(ec.CheckpointError, match="cut off: it has 8 bytes of"):
            ec.warm_start_settings(tmp_path / "old")

    def test_nothing_left_to_carry_is_an_error(self):
        with pytest.raises(ec.CheckpointError, match="none of its 31 variables"):
            ec.warm_start_settings(TESTDATA / "digits", include="nothing")
