"""Which checkpoints of a state file are a job's own."""

import os

import numpy as np
import pytest

from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.estimator.restoring import job_dirs
from estimator_ckpt.estimator.restoring.job_dirs import ModelDirError, StateFileError


@pytest.fixture
def model_dir(tmp_path):
    for name in ("model.ckpt-1", "model.ckpt-20", "model.ckpt-3", "sub/model.ckpt-4"):
        write_bundle(tmp_path / "dir" / name, {"v": np.float32(1)})
    return str(tmp_path / "dir")


@pytest.mark.parametrize(
    ("named", "prefix"),
    [
        ("model.ckpt-1", "model.ckpt-1"),
        ("./model.ckpt-1", "model.ckpt-1"),
        ("sub/model.ckpt-4", "sub/model.ckpt-4"),
        ("/elsewhere/model.ckpt-1", "model.ckpt-1"),
        ("../../etc/model.ckpt-1", "model.ckpt-1"),
        ("gs://bucket/dir/model.ckpt-1", "model.ckpt-1"),
        ("C:\\jobs\\model.ckpt-1", "model.ckpt-1"),
        ("..", None),
        ("/", None),
        ("model.ckpt-*", None),
    ],
)
def test_a_path_stands_for_what_is_in_the_directory(model_dir, named, prefix):
    expected = None if prefix is None else os.path.join(model_dir, prefix)
    assert job_dirs.within(model_dir, named) == expected


def test_a_link_does_not_lead_out(model_dir, tmp_path):
    (tmp_path / "other").mkdir()
    os.symlink(tmp_path / "other", os.path.join(model_dir, "link"))
    assert not job_dirs.is_inside(model_dir, "link/model.ckpt-1")
    assert job_dirs.is_inside(model_dir, "sub/model.ckpt-4")


def test_what_a_state_file_says_of_its_own_directory(model_dir):
    state = os.path.join(model_dir, "checkpoint")
    assert job_dirs.recorded(model_dir) is None
    with open(state, "w") as file:
        file.write(
            'model_checkpoint_path: "/old/model.ckpt-3"\n'
            'all_model_checkpoint_paths: "model.ckpt-1"\n'
            'all_model_checkpoint_paths: "gone-2"\n'
            'all_model_checkpoint_paths: "/old/model.ckpt-3"\n'
        )
    found = job_dirs.recorded(model_dir)
    assert found.latest == f"{model_dir}/model.ckpt-3"
    assert found.all == (f"{model_dir}/model.ckpt-1", f"{model_dir}/model.ckpt-3")
    assert found.elsewhere == ("/old/model.ckpt-3",)


@pytest.mark.parametrize(
    "content", ["", "no state file", 'model_checkpoint_path: ".."']
)
def test_a_state_file_that_says_nothing_is_an_error(model_dir, content):
    with open(os.path.join(model_dir, "checkpoint"), "w") as file:
        file.write(content)
    with pytest.raises(StateFileError):
        job_dirs.recorded(model_dir)


def test_what_jobs_saved_is_in_the_order_of_steps(model_dir):
    names = [os.path.basename(prefix) for prefix in job_dirs.saved_in(model_dir)]
    assert names == ["model.ckpt-1", "model.ckpt-3", "model.ckpt-20"]
    assert job_dirs.saved_in(f"{model_dir}/nowhere") == []


def test_a_prefix_is_the_same_however_it_is_written(model_dir):
    prefix = f"{model_dir}/model.ckpt-1"
    assert job_dirs.is_same(prefix, f"{model_dir}/sub/../model.ckpt-1")
    assert not job_dirs.is_same(prefix, f"{model_dir}/model.ckpt-3")
    ((there, time),) = job_dirs.with_times([prefix, f"{model_dir}/gone"])
    assert there == prefix
    assert abs(time - os.stat(f"{prefix}.index").st_mtime) < 1.1


@pytest.mark.parametrize("path", ["/jobs/a*", "/jobs/[1]/x", "/jobs/what?"])
def test_a_path_that_is_a_pattern_is_refused(path):
    with pytest.raises(ModelDirError, match="for a pattern"):
        job_dirs.require_plain(path)
    job_dirs.require_plain("/jobs/a-1")
