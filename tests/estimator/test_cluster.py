"""Real clusters on the loopback interface: each member is a process of its own."""

import json
import os
import socket

import numpy as np
import pytest
import tensorflow as tf

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import object_keys
from tests import processes
from tests.conftest import REPOSITORY
from tests.estimator import helpers

MOSTLY = helpers.MOSTLY


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def run_cluster(tasks, arguments, waits_for):
    """Starts a process for each task, and waits for those of `waits_for`."""
    ports = dict(zip(tasks, free_ports(len(tasks))))
    cluster = {}
    for (task_type, _), port in ports.items():
        if task_type != "evaluator":
            cluster.setdefault(task_type, []).append(f"127.0.0.1:{port}")
    members = {}
    try:
        for task_type, index in tasks:
            environment = {
                **os.environ,
                "TF_CONFIG": json.dumps(
                    {"cluster": cluster, "task": {"type": task_type, "index": index}}
                ),
            }
            members[task_type, index] = processes.Process(
                ["-m", "tests.estimator.cluster_job", *arguments],
                cwd=REPOSITORY,
                env=environment,
            )
        for task in waits_for:
            done = members[task].finished(timeout=240)
            assert done.returncode == 0, (task, done.stderr[-3000:])
    finally:
        for member in members.values():
            member.kill()


@pytest.mark.parametrize("format", MOSTLY)
def test_chief_worker_parameter_server_and_evaluator(tmp_path, format):
    tasks = [("ps", 0), ("chief", 0), ("worker", 0), ("evaluator", 0)]
    for steps in ("20", "40"):  # the second time resumes
        run_cluster(
            tasks,
            [format, str(tmp_path), "parameter_server", steps],
            [("chief", 0), ("worker", 0), ("evaluator", 0)],
        )
    values = helpers.values(tmp_path)
    key = object_keys.STEP_KEY if format != "tf1" else "global_step"
    assert values[key] >= 40
    state = tf.train.get_checkpoint_state(str(tmp_path))
    kept = [os.path.basename(path) for path in state.all_model_checkpoint_paths]
    assert len(kept) == 6
    assert {p.stem for p in tmp_path.glob("*.index")} == set(kept)
    assert not any("part_" in key for key in values)
    assert list((tmp_path / "eval").glob("events*"))
    if format != "tf1":
        table = tf.Variable(tf.zeros([6, 2]))
        tf.train.Checkpoint(var_list={"table": table}).restore(
            helpers.latest(tmp_path)
        ).assert_existing_objects_matched()
        assert table.numpy().any()


@pytest.mark.parametrize("format", MOSTLY)
def test_two_workers_under_multi_worker_mirrored_strategy(tmp_path, format):
    tasks = [("worker", 0), ("worker", 1)]
    for steps in ("6", "12"):
        run_cluster(tasks, [format, str(tmp_path), "multi_worker", steps], tasks)
    values = helpers.values(tmp_path)
    key = object_keys.STEP_KEY if format != "tf1" else "global_step"
    assert values[key] == 12
    # As with the default saver; of these, worker 1 deletes files as chief does.
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert [os.path.basename(p) for p in state.all_model_checkpoint_paths] == [
        "model.ckpt-6",
        "model.ckpt-11",
        "model.ckpt-12",
    ]


@pytest.mark.parametrize("format", MOSTLY[:2])
def test_a_cluster_with_a_parameter_server_warm_starts(tmp_path, format):
    tasks = [("ps", 0), ("chief", 0), ("worker", 0)]
    members = [("chief", 0), ("worker", 0)]
    old, new = str(tmp_path / "old"), str(tmp_path / "new")
    run_cluster(tasks, [format, old, "parameter_server", "10"], members)
    run_cluster(tasks, [format, new, "parameter_server", "10", old], members)
    source, first = ec.open_checkpoint(old), ec.open_checkpoint(f"{new}/model.ckpt-0")
    with source, first:
        assert first.global_step == 0
        assert set(first) == set(source)
        for name in set(source) - {"global_step"}:
            np.testing.assert_array_equal(first.read(name), source.read(name))
