"""A damaged latest checkpoint: said so, and fallen back from when asked."""

import logging
import os
import shutil

import pytest
import tensorflow as tf

from estimator_ckpt.estimator.restoring.restore_errors import DamagedCheckpointError
from tests.estimator import helpers
from tests.estimator.helpers import FORMATS, ec


def trained(fn, model_dir, steps):
    est = helpers.estimator(
        fn, model_dir, save_checkpoints_steps=1, keep_checkpoint_max=5
    )
    est.train(helpers.input_fn, steps=steps)
    return est


@pytest.fixture(scope="module", params=FORMATS)
def model_dirs(request, tmp_path_factory):
    """A format, and a model dir of it with the checkpoints 1, 2 and 3."""
    path = tmp_path_factory.mktemp("whole") / request.param
    trained(ec.with_scaffold(request.param)(helpers.model_fn), path, 3)
    return request.param, path


@pytest.fixture
def model_dir(model_dirs, tmp_path):
    return model_dirs[0], shutil.copytree(model_dirs[1], tmp_path / "model")


def shard(model_dir, step):
    return next(model_dir.glob(f"model.ckpt-{step}.data-*"))


def index(model_dir, step):
    return model_dir / f"model.ckpt-{step}.index"


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 4
    path.write_bytes(content)


DAMAGES = {
    "no index": lambda d, step: index(d, step).unlink(),
    "empty index": lambda d, step: index(d, step).write_bytes(b""),
    "half an index": lambda d, step: os.truncate(
        index(d, step), index(d, step).stat().st_size // 2
    ),
    "index bit": lambda d, step: flip(index(d, step), 20),
    "no shard": lambda d, step: shard(d, step).unlink(),
    "short shard": lambda d, step: os.truncate(
        shard(d, step), shard(d, step).stat().st_size - 1
    ),
    "shard bit": lambda d, step: flip(shard(d, step), 9),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_resuming_says_so_and_names_the_newest_that_is_whole(model_dir, damage):
    format, path = model_dir
    DAMAGES[damage](path, 3)
    before = {p.name: p.read_bytes() for p in path.glob("model.ckpt*")}
    with pytest.raises(DamagedCheckpointError) as caught:
        trained(ec.with_scaffold(format)(helpers.model_fn), path, 1)
    message = str(caught.value)
    assert "model.ckpt-3" in message
    assert f"whole is {path}/model.ckpt-2: " in message
    assert "fall_back" in message
    assert "\n" not in message
    after = {p.name: p.read_bytes() for p in path.glob("model.ckpt*")}
    assert after == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_falling_back_trains_on_from_the_newest_that_is_whole(
    model_dir, damage, caplog
):
    format, path = model_dir
    DAMAGES[damage](path, 3)
    fn = ec.with_scaffold(format, on_damaged="fall_back")(helpers.model_fn)
    with caplog.at_level(logging.WARNING, "estimator_ckpt"):
        trained(fn, path, 2)
    assert "Falling back to" in caplog.text
    assert "model.ckpt-2, which is whole" in caplog.text
    assert helpers.latest(path).endswith("model.ckpt-4")
    for step in (1, 2, 3, 4):
        assert ec.verify(path / f"model.ckpt-{step}").ok


def test_what_is_damaged_too_is_passed_over(model_dir):
    format, path = model_dir
    DAMAGES["no shard"](path, 3)
    DAMAGES["shard bit"](path, 2)
    fn = ec.with_scaffold(format, on_damaged="fall_back")(helpers.model_fn)
    trained(fn, path, 1)
    assert helpers.latest(path).endswith("model.ckpt-2")
    assert ec.verify(path / "model.ckpt-2").ok


def test_nothing_whole_is_left(model_dir):
    format, path = model_dir
    for step in (0, 1, 2, 3):
        DAMAGES["short shard"](path, step)
    fn = ec.with_scaffold(format, on_damaged="fall_back")(helpers.model_fn)
    with pytest.raises(DamagedCheckpointError, match="no older checkpoint that is"):
        trained(fn, path, 1)


def test_evaluation_never_falls_back(model_dir):
    format, path = model_dir
    DAMAGES["shard bit"](path, 3)
    fn = ec.with_scaffold(format, on_damaged="fall_back")(helpers.model_fn)
    est = helpers.estimator(fn, path)
    with pytest.raises(DamagedCheckpointError, match=r"whole is .*model\.ckpt-2"):
        est.evaluate(helpers.input_fn, steps=1)


def test_a_damaged_latest_checkpoint_is_not_warm_started_over(model_dir, tmp_path):
    format, path = model_dir
    old = shutil.copytree(path, tmp_path / "old")
    DAMAGES["no index"](path, 3)
    fn = ec.warm_start_from(old)(
        ec.with_scaffold(format, on_damaged="fall_back")(helpers.model_fn)
    )
    trained(fn, path, 1)
    assert tf.train.load_variable(helpers.latest(path), "global_step") == 3


def test_a_resumed_job_replaces_its_checkpoint_without_overwriting_a_shard(model_dir):
    format, path = model_dir
    old = shard(path, 3)
    kept = path / "kept"
    os.link(old, kept)
    content = kept.read_bytes()
    for _ in range(3):
        trained(ec.with_scaffold(format)(helpers.model_fn), path, 1)
    assert kept.read_bytes() == content
    assert ec.verify(path / "model.ckpt-3").ok
    names = {p.name for p in path.iterdir()}
    assert not [name for name in names if ".saving-" in name or ".tmp-" in name]


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match="unknown on_damaged 'ignore'"):
        ec.with_scaffold("tf2", on_damaged="ignore")
