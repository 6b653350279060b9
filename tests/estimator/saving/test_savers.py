"""One Saver for three formats, in sessions of its own."""

import os

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import formats
from estimator_ckpt.estimator.saving.saver_settings import Settings
from estimator_ckpt.estimator.saving.savers import FormatSaver


def saver_of(format, **options):
    saver = FormatSaver(Settings(format), **options)
    saver.build()
    return saver


@pytest.fixture
def session():
    with tf1.Graph().as_default(), tf1.Session() as session:
        tf1.train.create_global_step()
        tf1.get_variable("v", initializer=np.float32([1, 2]), use_resource=True)
        yield session


def value(session):
    (v,) = (v for v in tf1.global_variables() if v.op.name == "v")
    return v, session.run(v).tolist()


def test_each_format_is_saved_and_restored_by_each(session, tmp_path):
    savers = {format: saver_of(format) for format in formats.FORMATS}
    session.run(tf1.global_variables_initializer())
    for format, saver in savers.items():
        prefix = saver.save(session, str(tmp_path / format.name), 7)
        with ec.open_checkpoint(prefix) as checkpoint:
            assert checkpoint.format == format.name
        for other in savers.values():
            v, _ = value(session)
            session.run(v.assign([0, 0]))
            other.restore(session, prefix)
            assert value(session)[1] == [1, 2]


def test_retention_is_the_saver_s(session, tmp_path):
    saver = saver_of(formats.TF2, max_to_keep=2, save_relative_paths=True)
    session.run(tf1.global_variables_initializer())
    for step in (1, 2, 3):
        saver.save(session, str(tmp_path / "model.ckpt"), step)
    names = {name.partition(".index")[0] for name in os.listdir(tmp_path)}
    assert "model.ckpt-1" not in names
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert [os.path.basename(p) for p in state.all_model_checkpoint_paths] == [
        *("model.ckpt-2", "model.ckpt-3")
    ]
    content = (tmp_path / "checkpoint").read_text()
    assert str(tmp_path) not in content  # paths are relative


def test_its_checkpoint_is_a_real_one_of_the_same_keys(session, tmp_path):
    saver = saver_of(formats.TF2)
    session.run(tf1.global_variables_initializer())
    prefix = saver.save(session, str(tmp_path / "model.ckpt"), 7)
    status = saver.checkpoint.restore(prefix)
    status.assert_consumed()


def test_what_is_not_there_is_no_checkpoint(session, tmp_path):
    saver = saver_of(formats.TF2)
    with pytest.raises(ValueError, match="not a valid checkpoint"):
        saver.restore(session, str(tmp_path / "nowhere"))
