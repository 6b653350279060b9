"""Warm starts that do more than copy: dtypes, shapes, vocabularies, partitions."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

from tests.estimator import helpers
from tests.estimator.helpers import ec

FORMATS = helpers.FORMATS


def table_fn(rows, columns=4, dtype=tf.float32, parts=None, fill=-1.0):
    """A model of one variable, `table`, with an initializer that is recognised."""

    def model_fn(features, labels, mode):
        table = tf1.get_variable(
            "table",
            [rows, columns],
            dtype,
            tf1.constant_initializer(fill),
            partitioner=parts and tf1.fixed_size_partitioner(parts),
        )
        whole = tf.convert_to_tensor(table)
        step = tf1.train.get_or_create_global_step()
        return tf.estimator.EstimatorSpec(
            mode,
            predictions={"table": whole},
            loss=tf.cast(tf.reduce_sum(whole), tf.float32),
            train_op=step.assign_add(1),
        )

    return model_fn


def input_fn():
    return tf.data.Dataset.from_tensors((0.0, 0.0))


@pytest.fixture(params=FORMATS)
def source(request, tmp_path):
    """A checkpoint whose `table` [3, 4] counts up."""
    with tf.Graph().as_default(), tf1.Session() as session:
        values = np.arange(12, dtype="float32").reshape(3, 4)
        table = tf1.get_variable("table", initializer=values)
        session.run(table.initializer)
        prefix = tf1.train.Saver().save(session, str(tmp_path / "tf1" / "old"))
    return ec.convert(prefix, tmp_path / "old", to=request.param), values


def warm_started(source, tmp_path, fn, **options):
    model_dir = tmp_path / "new"
    decorated = ec.warm_start_from(source, **options)(ec.with_scaffold("tf2")(fn))
    est = helpers.estimator(decorated, model_dir)
    est.train(input_fn, steps=1)
    with ec.open_checkpoint(model_dir) as checkpoint:
        return checkpoint.read("table")


def test_another_dtype_is_cast_only_when_asked(source, tmp_path):
    prefix, values = source
    fn = table_fn(3, dtype=tf.float64)
    found = warm_started(prefix, tmp_path, fn, cast=True)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, values)
    with pytest.raises(ec.CheckpointError, match="different dtype"):
        warm_started(prefix, tmp_path / "not", fn, strict=True)


@pytest.mark.parametrize(("rows", "columns"), [(5, 4), (2, 3), (5, 2), (1, 6)])
@pytest.mark.parametrize("parts", [None, 2])
def test_what_fits_is_carried_by_an_explicit_rule(
    source, tmp_path, rows, columns, parts
):
    if parts and rows < parts:
        parts = 1
    prefix, values = source
    fn = table_fn(rows, columns, parts=parts)
    found = warm_started(prefix, tmp_path, fn, resize="table")
    expected = np.full([rows, columns], -1.0)
    common = values[:rows, :columns]
    expected[: common.shape[0], : common.shape[1]] = common
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ec.CheckpointError, match="different shape"):
        warm_started(prefix, tmp_path / "not", fn, strict=True)


def vocab_info(tmp_path, new, **options):
    (tmp_path / "old.txt").write_text("a\nb\nc\n")
    (tmp_path / "new.txt").write_text("\n".join(new) + "\n")
    fields = {"num_oov_buckets": 0, "old_vocab_size": -1, **options}
    return tf.estimator.VocabInfo(
        new_vocab=str(tmp_path / "new.txt"),
        new_vocab_size=len(new),
        old_vocab=str(tmp_path / "old.txt"),
        **fields,
    )


@pytest.mark.parametrize("parts", [None, 2])
def test_rows_follow_the_vocabulary_and_new_ones_keep_the_initializer(
    source, tmp_path, parts
):
    prefix, values = source
    info = vocab_info(tmp_path, ["c", "x", "a", "y"], num_oov_buckets=1)
    found = warm_started(
        prefix, tmp_path, table_fn(5, parts=parts), vocab_info={"table": info}
    )
    np.testing.assert_array_equal(found[[0, 2]], values[[2, 0]])
    np.testing.assert_array_equal(found[[1, 3, 4]], np.full([3, 4], -1.0))


def test_new_rows_may_get_a_backup_initializer(source, tmp_path):
    prefix, values = source
    info = vocab_info(
        tmp_path, ["x", "b"], backup_initializer=tf1.constant_initializer(7.0)
    )
    found = warm_started(prefix, tmp_path, table_fn(2), vocab_info={"table": info})
    np.testing.assert_array_equal(found, [[7.0] * 4, values[1]])


@pytest.mark.parametrize("carry", ["model", "all"])
@pytest.mark.parametrize("format", helpers.FORMATS)
def test_slots_and_averages_follow_the_vocabulary_too(tmp_path, format, carry):
    def model_fn(rows):
        def fn(features, labels, mode):
            table = tf1.get_variable("table", [rows, 2])
            step = tf1.train.get_global_step()
            loss = tf.reduce_sum(table * tf.reshape(tf.range(2.0 * rows), [rows, 2]))
            train = tf1.train.MomentumOptimizer(0.1, 0.9).minimize(loss, step)
            average = tf1.train.ExponentialMovingAverage(0.9)
            with tf.control_dependencies([train]):
                train = average.apply([table])
            return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train)

        return ec.with_scaffold(format)(fn)

    helpers.estimator(model_fn(3), tmp_path / "a").train(input_fn, steps=2)
    before = ec.open_checkpoint(tmp_path / "a")
    info = vocab_info(
        tmp_path, ["c", "x", "a"], backup_initializer=tf1.constant_initializer(7.0)
    )
    fn = ec.warm_start_from(
        tmp_path / "a", carry=carry, vocab_info={"table": info}, strict=True
    )(model_fn(3))
    helpers.estimator(fn, tmp_path / "b").train(input_fn, steps=1)
    after = ec.open_checkpoint(tmp_path / "b" / "model.ckpt-0")
    carried = ["table", "table/ExponentialMovingAverage"]
    if carry == "all":
        carried.append("table/Momentum")
    planned = ec.plan(
        tmp_path / "a",
        model_fn(5),  # of another number of words than the old one
        input_fn=input_fn,
        carry=carry,
        vocab_info={"table": info},
    )
    reasons = {item.name: item.because for item in planned.items if item.target}
    follow = {name for name, why in reasons.items() if "after the vocabulary" in why}
    assert follow == set(carried)
    for name in carried:
        new, old = after.read(name), before.read(name)
        np.testing.assert_array_equal(new[[0, 2]], old[[2, 0]], name)
    np.testing.assert_array_equal(after.read("table/Momentum")[1], [0, 0])


def test_only_the_first_words_of_the_old_vocabulary_count(source, tmp_path):
    prefix, values = source
    info = vocab_info(tmp_path, ["c", "a"], old_vocab_size=2)
    found = warm_started(prefix, tmp_path, table_fn(2), vocab_info={"table": info})
    np.testing.assert_array_equal(found, [[-1.0] * 4, values[0]])


def test_columns_may_follow_it_instead(source, tmp_path):
    prefix, values = source
    (tmp_path / "wide.txt").write_text("p\nq\nr\ns\n")
    info = tf.estimator.VocabInfo(
        new_vocab=str(tmp_path / "wide.txt"),
        new_vocab_size=2,
        num_oov_buckets=0,
        old_vocab=str(tmp_path / "wide.txt"),
        axis=1,
    )
    found = warm_started(prefix, tmp_path, table_fn(3, 2), vocab_info={"table": info})
    np.testing.assert_array_equal(found, values[:, :2])


def test_a_vocabulary_for_a_variable_that_is_not_there_is_said_so(source, tmp_path):
    prefix, _ = source
    info = vocab_info(tmp_path, ["a", "b", "c"])
    with pytest.raises(ec.CheckpointError, match="vocab_info names 'tabel'"):
        warm_started(
            prefix, tmp_path, table_fn(3), vocab_info={"tabel": info}, strict=True
        )


@pytest.mark.parametrize("format", FORMATS)
def test_trainable_variables_are_as_after_tensorflows_own_warm_start(tmp_path, format):
    old = helpers.estimator(
        ec.with_scaffold(format)(helpers.model_fn), tmp_path / "old"
    )
    old.train(helpers.input_fn, steps=3)
    name_based = ec.convert(tmp_path / "old", tmp_path / "names", to="tf1")
    theirs = tf.estimator.Estimator(
        helpers.model_fn,
        str(tmp_path / "theirs"),
        config=tf.estimator.RunConfig(tf_random_seed=1),
        warm_start_from=name_based,
    )
    ours = helpers.estimator(
        ec.warm_start_from(tmp_path / "old", carry="trainable")(helpers.model_fn),
        tmp_path / "ours",
    )
    for est in (theirs, ours):
        est.train(lambda: helpers.input_fn().take(0), steps=1)
    a, b = helpers.values(tmp_path / "theirs"), helpers.values(tmp_path / "ours")
    assert set(a) == set(b)
    for name, value in a.items():
        np.testing.assert_array_equal(value, b[name], err_msg=name)


@pytest.mark.parametrize("v2", [True, False])
@pytest.mark.parametrize("own_init_op", [True, False])
def test_values_win_over_initializers_however_they_are_run(
    source, tmp_path, own_init_op, v2
):
    prefix, values = source

    def model_fn(features, labels, mode):
        with tf1.variable_scope("", use_resource=v2):
            spec = table_fn(3)(features, labels, mode)
        if own_init_op:
            scaffold = tf1.train.Scaffold(init_op=tf1.global_variables_initializer())
            spec = spec._replace(scaffold=scaffold)
        return spec

    found = warm_started(prefix, tmp_path, model_fn)
    np.testing.assert_array_equal(found, values)
