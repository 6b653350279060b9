"""`estimator-ckpt train`: what a failing job tells its user."""

import os

import pytest

from tests import processes
from tests.cli.command_line import run
from tests.conftest import REPOSITORY

JOB = """
import numpy as np
import tensorflow as tf
from tensorflow.compat import v1 as tf1
from tests.estimator import counting


def input_fn():
    return counting.input_fn()


def broken_input_fn():
    raise LookupError("no data\\ntoday")


def helper(x):
    return {}[x]


def model_fn(features, labels, mode):
    helper("loss")


def failing_op(features, labels, mode):
    spec = counting.model_fn(features, labels, mode)
    wrong = tf.reshape(tf1.placeholder_with_default([1.0, 2.0], None), [3])
    return spec._replace(loss=tf.reduce_sum(wrong))


def no_spec(features, labels, mode):
    return 5


def large(features, labels, mode):
    tf1.get_variable("large", [1 << 20])
    return counting.model_fn(features, labels, mode)
"""


@pytest.fixture
def job(tmp_path):
    (tmp_path / "my_job.py").write_text(JOB)

    def train(model_fn, input_fn="input_fn", *more):
        return run(
            "train",
            f"--model_fn=my_job:{model_fn}",
            f"--input_fn=my_job:{input_fn}",
            f"--model_dir={tmp_path / 'job'}",
            "--max_steps=2",
            "--checkpoint_format=tf2",
            *more,
            cwd=tmp_path,
        )

    return train


def told(done):
    """The traceback and the last line, without the log before them."""
    text = done.stderr
    start = text.find("Traceback (most recent call last):")
    lines = text[start if start >= 0 else 0 :].strip().splitlines()
    return lines[:-1] if start >= 0 else [], lines[-1]


@pytest.mark.parametrize(
    ("model_fn", "input_fn", "line", "frames"),
    [
        ("model_fn", "input_fn", "KeyError: 'loss'", ["in model_fn", "in helper"]),
        (
            "model_fn",
            "broken_input_fn",
            "LookupError: no data today",
            ["in broken_input_fn"],
        ),
        ("failing_op", "input_fn", "InvalidArgumentError: ", ["in failing_op"]),
        ("no_spec", "input_fn", "ValueError: model_fn should return an Est", []),
    ],
)
def test_the_users_own_lines_are_shown_and_no_others(
    job, model_fn, input_fn, line, frames
):
    done = job(model_fn, input_fn)
    assert done.returncode == 2, done.stderr
    traceback, last = told(done)
    assert last.startswith(f"estimator-ckpt: error: {line}")
    shown = [text for text in traceback if text.lstrip().startswith("File ")]
    shown = [text for text in shown if "tests/processes.py" not in text]  # our start
    assert all("my_job.py" in text for text in shown), shown
    assert [text.rpartition(", ")[2] for text in shown] == frames
    assert len(last) < 400


def test_a_model_dir_that_is_a_pattern_is_refused_at_once(job, tmp_path):
    done = job("model_fn", "input_fn", f"--model_dir={tmp_path / 'run[1]'}")
    assert done.returncode == 2
    traceback, last = told(done)
    assert not traceback
    assert "run[1]: TensorFlow takes '['" in last
    assert not (tmp_path / "run[1]").exists()


def test_a_finished_job_that_was_moved_is_finished(tmp_path):
    job, moved = tmp_path / "job", tmp_path / "moved"
    arguments = (
        "--model_fn=tests.estimator.counting:model_fn",
        "--input_fn=tests.estimator.counting:input_fn",
        "--max_steps=2",
        "--checkpoint_format=tf2",
    )
    assert run("train", *arguments, f"--model_dir={job}").returncode == 0
    state = (job / "checkpoint").read_text()
    (job / "checkpoint").write_text(state.replace('"model.ckpt', f'"{job}/model.ckpt'))
    job.rename(moved)
    done = run("train", *arguments, f"--model_dir={moved}")
    assert done.returncode == 0, done.stderr
    assert not (moved / "model.ckpt-3.index").exists()
    assert "of another place" in done.stderr


FULL = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))  # as a full disk
sys.argv = ["estimator_ckpt", *sys.argv[1:]]
runpy.run_module("estimator_ckpt", run_name="__main__")
"""


def test_a_full_disk_is_one_line(job, tmp_path):
    done = processes.run(
        [
            "-c",
            FULL,
            "train",
            "--model_fn=my_job:large",
            "--input_fn=my_job:input_fn",
            f"--model_dir={tmp_path / 'job'}",
            "--max_steps=2",
            "--checkpoint_format=tf2",
        ],
        cwd=str(tmp_path),
        env={**os.environ, "PYTHONPATH": REPOSITORY},
    )
    assert done.returncode == 2, done.stderr
    traceback, last = told(done)
    assert not traceback, done.stderr
    assert last.startswith(f"estimator-ckpt: error: {tmp_path / 'job'}: ")
    assert "the checkpoint was not saved" in last
    left = {name for name in os.listdir(tmp_path / "job") if "ckpt" in name}
    assert left == set()
