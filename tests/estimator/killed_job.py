"""A training job that is killed again and again: run by test_kill.py as a process.

    killed_job.py operations MODEL_DIR FORMAT   resumes, and dies before its n-th change
                                                of the file system, for every n
    killed_job.py random MODEL_DIR KILLS SEED   resumes, and dies at random moments
    killed_job.py read MODEL_DIR KILLS SEED     the same, beside a polling reader that
                                                takes its time between the index and
                                                the shards

TensorFlow is imported once; every job is a fork. After each death the model dir is
looked at as a reader would find it. Prints the number of deaths.
"""

import os
import random
import shutil
import signal
import sys
import time

import tensorflow as tf
from tensorflow.compat import v1 as tf1
from tensorflow.python.lib.io import file_io

import estimator_ckpt as ec
from estimator_ckpt.bundle.local_files import system_calls
from estimator_ckpt.checkpoint.paths import state_file as states

FORMATS = ("tf1", "tf2", "dual")


def model_fn(features, labels, mode):
    """`counter` counts the steps; `large` makes a save take a while."""
    step = tf1.train.get_or_create_global_step()
    counter = tf1.get_variable("counter", [], tf.int64, tf1.zeros_initializer())
    large = tf1.get_variable("large", [1 << 18], initializer=tf1.zeros_initializer())
    with tf.control_dependencies([counter.assign_add(1), large.assign_add(large + 1)]):
        train_op = step.assign_add(1)
    return tf.estimator.EstimatorSpec(mode, loss=tf.constant(1.0), train_op=train_op)


def train(model_dir, format, steps):
    config = tf.estimator.RunConfig(
        model_dir, save_checkpoints_steps=1, keep_checkpoint_max=3
    )
    est = tf.estimator.Estimator(ec.with_scaffold(format)(model_fn), config=config)
    est.train(lambda: tf.data.Dataset.from_tensors((0, 0)).repeat(), steps=steps)


def check(model_dir):
    """The latest step; what the state file names must be whole, in its format."""
    if not os.path.exists(os.path.join(model_dir, "checkpoint")):
        return 0
    named = states.read(model_dir).all
    steps = []
    for path in named:
        prefix = os.path.join(model_dir, path)
        found = ec.verify(prefix)
        assert found.ok, (prefix, found)
        with ec.open_checkpoint(prefix) as checkpoint:
            steps.append(checkpoint.global_step)
            assert checkpoint.read("counter") == checkpoint.global_step
    assert steps == sorted(steps)
    return steps[-1]


def forked(job):
    """Runs `job` in a fork; returns its process id."""
    child = os.fork()
    if child:
        return child
    try:
        job()
    except BaseException as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def die_at(count):
    """Makes this process kill itself before its `count`-th change of a file."""
    left = [count]

    def counted(function):
        def change(*args, **kwargs):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return change

    system_calls.change = counted(system_calls.change)
    tf.io.gfile.rmtree = counted(tf.io.gfile.rmtree)
    file_io.rename = counted(file_io.rename)  # of the state file, by TensorFlow
    file_io.delete_file = counted(file_io.delete_file)  # retention


def operations(model_dir, format):
    waiting = forked(lambda: train(model_dir, "tf1", 2))
    assert os.waitpid(waiting, 0)[1] == 0
    before = check(model_dir)
    deaths = 0
    while True:
        copy = f"{model_dir}-{deaths}"
        shutil.copytree(model_dir, copy)

        def job(count=deaths + 1, copy=copy):
            die_at(count)
            train(copy, format, 1)

        _, status = os.waitpid(forked(job), 0)
        assert check(copy) >= before
        # And the job goes on, whatever was left.
        assert os.waitpid(forked(lambda c=copy: train(c, format, 1)), 0)[1] == 0
        assert check(copy) >= before + 1
        left = [name for name in os.listdir(copy) if name.startswith(".")]
        assert not left, left
        shutil.rmtree(copy)
        if status == 0:
            return deaths
        assert os.WIFSIGNALED(status), status
        deaths += 1


def at_random(model_dir, kills, seed):
    moments = random.Random(seed)
    first = latest = check(model_dir)
    for kill in range(kills):
        format = FORMATS[kill % 3]
        child = forked(lambda f=format: train(model_dir, f, 1_000_000))
        # Every other job dies after it has saved, however busy the machine is.
        if kill % 2 == 0:
            wait_for_a_save(model_dir, latest)
        time.sleep(moments.uniform(0, 1))
        done, status = os.waitpid(child, os.WNOHANG)
        assert not done, f"the job ended by itself: {status}"
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        step = check(model_dir)
        assert step >= latest, (step, latest)
        latest = step
    assert latest - first >= kills // 2, f"{first} to {latest} in {kills} runs"
    return kills


def wait_for_a_save(model_dir, step, seconds=60):
    """Waits until the state file names a checkpoint after `step`."""
    for _ in range(seconds * 50):
        latest = tf.train.latest_checkpoint(model_dir)
        if latest and int(latest.rpartition("-")[2]) > step:
            return
        time.sleep(0.02)
    raise AssertionError(f"no step after {step} in {seconds} seconds")


def read_slowly(model_dir, report, seed):
    """Reads the latest checkpoint again and again, as an evaluator might.

    Between the index and the shards it takes its time. That retention deletes a
    checkpoint meanwhile is no error; anything else is.
    """
    moments = random.Random(seed)
    reads, errors = 0, []
    while True:
        prefix = tf.train.latest_checkpoint(model_dir)
        try:
            reader = tf.train.load_checkpoint(prefix)
            keys = reader.get_variable_to_shape_map()
            time.sleep(moments.uniform(0, 0.4))
            found = {key: reader.get_tensor(key) for key in keys}
            step = int(prefix.rpartition("-")[2])
            assert {int(v) for k, v in found.items() if "counter" in k} >= {step}
            reads += 1
        except Exception as error:
            state = tf.train.get_checkpoint_state(model_dir)
            if prefix in state.all_model_checkpoint_paths:
                errors.append(f"{prefix}: {error}".splitlines()[0])
        with open(f"{report}.new", "w") as file:
            file.write("\n".join([str(reads), *errors]))
        os.rename(f"{report}.new", report)


def beside_a_reader(model_dir, kills, seed):
    at_random(model_dir, 4, seed)
    report = f"{model_dir}-report"
    child = forked(lambda: read_slowly(model_dir, report, seed))
    for more in range(10):  # a busy machine gives the reader less time beside a kill
        at_random(model_dir, kills, seed + 1 + more)
        with open(report) as file:
            reads, *errors = file.read().splitlines()
        if int(reads) > kills * 3 // 2:
            break
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not errors, errors
    return int(reads)


if __name__ == "__main__":
    tf1.logging.set_verbosity(tf1.logging.ERROR)
    what, directory, *rest = sys.argv[1:]
    if what == "operations":
        print(operations(directory, *rest))
    elif what == "read":
        print(beside_a_reader(directory, *map(int, rest)))
    else:
        print(at_random(directory, *map(int, rest)))
