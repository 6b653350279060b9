"""A job whose model_fn was renamed goes on in its model dir, through a map."""

import functools

import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.maps.map_rules import AssignmentMapError

MAP = {"old/": "new/"}


def model_fn(features, labels, mode, scope):
    with tf1.variable_scope(scope):
        predicted = tf1.layers.dense(
            features,
            1,
            kernel_initializer=tf1.constant_initializer(0.3),
            name="dense",
        )
    loss = tf1.losses.mean_squared_error(labels, predicted)
    step = tf1.train.get_global_step()
    train_op = tf1.train.AdamOptimizer(0.1).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    features = [[1.0, 2.0], [3.0, 4.0]]
    return tf.data.Dataset.from_tensors((features, [[1.0], [0.0]])).repeat()


def train(model_dir, scope, steps, format="tf2", **options):
    def named(features, labels, mode):
        return model_fn(features, labels, mode, scope)

    fn = ec.with_scaffold(format, **options)(named) if format else named
    config = tf.estimator.RunConfig(tf_random_seed=1, save_summary_steps=None)
    estimator = tf.estimator.Estimator(fn, str(model_dir), config)
    estimator.train(input_fn, steps=steps)
    return estimator


@pytest.mark.parametrize("before", [None, "tf1", "tf2", "dual"])
@pytest.mark.parametrize("after", ["tf1", "tf2", "dual"])
def test_it_goes_on_as_if_nothing_had_changed(tmp_path, before, after):
    train(tmp_path / "a", "old", 3, before)
    train(tmp_path / "a", "new", 2, after, assignment_map=MAP)
    train(tmp_path / "a", "new", 2, after, assignment_map=MAP)  # its own, again
    train(tmp_path / "b", "same", 7, after)
    with (
        ec.open_checkpoint(tmp_path / "a") as a,
        ec.open_checkpoint(tmp_path / "b") as b,
    ):
        assert a.global_step == 7
        assert {n.replace("new/", "same/") for n in a} == set(b)
        for name in a:
            other = b.read(name.replace("new/", "same/"))
            assert a.read(name) == pytest.approx(other, rel=1e-5), name


def test_without_a_map_it_says_what_is_missing(tmp_path):
    train(tmp_path, "old", 1)
    with pytest.raises(ec.CheckpointError, match=r"--assignment_map"):
        train(tmp_path, "new", 1)


def test_a_map_that_takes_a_name_that_is_there(tmp_path):
    train(tmp_path, "old", 1)
    swap = {"old/dense/kernel": "old/dense/bias"}
    with pytest.raises(AssignmentMapError, match="'old/dense/bias'"):
        train(tmp_path, "new", 1, assignment_map=swap)


def test_a_map_that_is_none():
    with pytest.raises(AssignmentMapError, match="3 is no assignment map"):
        ec.with_scaffold("tf2", assignment_map=3)


def test_evaluation_reads_through_it_too(tmp_path):
    before = train(tmp_path, "old", 2).evaluate(input_fn, steps=1)
    fn = ec.with_scaffold("dual", assignment_map=MAP)(
        functools.partial(model_fn, scope="new")
    )
    estimator = tf.estimator.Estimator(fn, str(tmp_path))
    assert estimator.evaluate(input_fn, steps=1)["loss"] == before["loss"]


def twins(features, labels, mode):
    """An online network that is trained, and a frozen copy of it."""
    with tf1.variable_scope("frozen"):
        tf1.layers.dense(features, 1, name="dense", trainable=False)
    return model_fn(features, labels, mode, "online")


TWO = {"old/": ["online/", "frozen/"]}


def test_one_network_becomes_two_and_goes_on(tmp_path):
    train(tmp_path, "old", 3)
    before = ec.open_checkpoint(tmp_path)
    fn = ec.with_scaffold("tf2", assignment_map=TWO)(twins)
    for steps in (4, 5):  # the second time from its own checkpoint
        tf.estimator.Estimator(fn, str(tmp_path)).train(input_fn, max_steps=steps)
        with ec.open_checkpoint(tmp_path) as found:
            assert found.global_step == steps
            frozen = found.read("frozen/dense/kernel")
            assert (frozen == before.read("old/dense/kernel")).all()
            assert (frozen != found.read("online/dense/kernel")).any()


def test_a_copy_of_what_stays(tmp_path):
    """The map is not only for names that are gone: its own checkpoint has both."""
    train(tmp_path, "online", 3)
    before = ec.open_checkpoint(tmp_path).read("online/dense/kernel")
    two = {"online/": ["online/", "frozen/"]}
    fn = ec.with_scaffold("tf2", assignment_map=two)(twins)
    for steps in (4, 5):
        tf.estimator.Estimator(fn, str(tmp_path)).train(input_fn, max_steps=steps)
        with ec.open_checkpoint(tmp_path) as found:
            assert (found.read("frozen/dense/kernel") == before).all()
            assert (found.read("online/dense/kernel") != before).any()


@pytest.mark.parametrize("before", ["tf1", "tf2", "dual"])
def test_a_warm_start_of_two_networks_from_one(tmp_path, before):
    train(tmp_path / "a", "old", 3, before)
    fn = ec.warm_start_from(
        tmp_path / "a", assignment_map=TWO, carry="all", strict=True
    )(twins)
    planned = ec.plan(
        tmp_path / "a", twins, input_fn=input_fn, assignment_map=TWO, carry="all"
    )
    assert not planned.problems
    config = tf.estimator.RunConfig(str(tmp_path / "b"))
    tf.estimator.Estimator(ec.with_scaffold("tf2")(fn), config=config).train(
        input_fn, steps=1
    )
    with (
        ec.open_checkpoint(tmp_path / "a") as old,
        ec.open_checkpoint(tmp_path / "b" / "model.ckpt-0") as new,
    ):
        for scope in ("online", "frozen"):
            assert (
                new.read(f"{scope}/dense/kernel") == old.read("old/dense/kernel")
            ).all()
        slots = [
            c.read(f"{s}/dense/kernel/Adam") for c, s in ((old, "old"), (new, "online"))
        ]
        assert (slots[0] == slots[1]).all()


def test_what_a_user_says_of_roles_decides_what_follows_a_rename(tmp_path):
    """A slot that its model_fn made by hand, one alone, is known to nobody."""

    def by_hand(features, labels, mode, scope):
        spec = model_fn(features, labels, mode, scope)
        tf1.get_variable(f"{scope}/dense/bias/mine", [1], trainable=False)
        return spec

    def train_it(scope, **options):
        fn = functools.partial(by_hand, scope=scope)
        fn = ec.with_scaffold("tf2", **options)(fn)
        tf.estimator.Estimator(fn, str(tmp_path)).train(input_fn, steps=1)

    train_it("old")
    exact = {"old/dense/kernel": "new/dense/kernel", "old/dense/bias": "new/dense/bias"}
    with pytest.raises(ec.CheckpointError, match="new/dense/bias/mine"):
        train_it("new", assignment_map=exact, model_state=".*/mine")
    train_it("new", assignment_map=exact, optimizer_state=".*/mine")
    assert "new/dense/bias/mine" in ec.open_checkpoint(tmp_path)
    with pytest.raises(ec.CheckpointError, match="optimizer_state"):
        ec.with_scaffold("tf2", optimizer_state="(")
