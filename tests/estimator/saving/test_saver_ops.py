"""The ops of a saver: keys of its format to save, and a placeholder to restore."""

import numpy as np
import pytest
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import formats
from estimator_ckpt.estimator.restoring.restore_errors import MismatchError
from estimator_ckpt.estimator.restoring.restore_keys import RestoreKeys
from estimator_ckpt.estimator.saving.saver_settings import Settings
from estimator_ckpt.estimator.saving.savers import FormatSaver


@pytest.fixture
def saved(tmp_path):
    """A graph of a variable and an int32 step, its saver, and what it saved as tf2."""
    with tf1.Graph().as_default(), tf1.Session() as session:
        step = tf1.get_variable(
            "global_step",
            initializer=np.int32(7),
            trainable=False,
            use_resource=True,
            collections=[tf1.GraphKeys.GLOBAL_VARIABLES, tf1.GraphKeys.GLOBAL_STEP],
        )
        v = tf1.get_variable("v", initializer=np.float32([1, 2]), use_resource=True)
        saver = FormatSaver(Settings(formats.TF2))
        saver.build()
        session.run(tf1.global_variables_initializer())
        prefix = saver.save(session, str(tmp_path / "model.ckpt"), global_step=7)
        yield session, saver, prefix, step, v


def test_a_step_of_int32_is_saved_as_int64_and_restored_as_it_is(saved):
    session, saver, prefix, step, v = saved
    with ec.open_checkpoint(prefix) as checkpoint:
        assert checkpoint["global_step"].dtype == "int64"
        assert checkpoint.global_step == 7
    session.run([step.assign(0), v.assign([0, 0])])
    saver.restore(session, prefix)
    assert session.run(step) == 7
    assert session.run(v).tolist() == [1, 2]


def test_what_is_not_read_is_fed(saved):
    session, saver, prefix, *_ = saved
    ops = saver._ops
    assert set(ops.dtypes()) == {"global_step", "v"}
    with ec.open_checkpoint(prefix) as source:
        found = RestoreKeys({"v": source["v"].key}, ("v",))
        feed = ops.feed(session, source, found)
        assert any(np.shape(value) == (2,) for value in feed.values())


def test_a_step_that_does_not_fit_is_one_line(saved, tmp_path):
    session, saver, _, _, _ = saved
    from estimator_ckpt.bundle.writer import write_bundle

    write_bundle(
        tmp_path / "large", {"global_step": np.int64(1 << 40), "v": np.ones(2, "f4")}
    )
    with pytest.raises(MismatchError, match="make it int64"):
        saver.restore(session, str(tmp_path / "large"))
