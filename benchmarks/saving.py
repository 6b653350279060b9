"""What a save, a restore and the graph of each saver cost: prints JSON.

Savers in turn in one process, each with a graph and a session of its own, over the
same variables: TensorFlow's default saver, ours in the three formats, the guide's
Scaffold(saver=tf.train.Checkpoint(...)), and two savers, which is how the guide would
keep both formats.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import tempfile
import time

import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec

FORMATS = ("tf1", "tf2", "dual")
KINDS = ("default", *FORMATS, "guide", "two savers")


def variables(count, size):
    """`count` float32 variables of `size` bytes together, and a global step."""
    step = tf1.train.get_or_create_global_step()
    found = {
        f"layer_{i}/kernel": tf1.get_variable(
            f"layer_{i}/kernel",
            [size // count // 4],
            initializer=tf1.random_uniform_initializer(seed=i),
        )
        for i in range(count)
    }
    return found, step


def savers(kind, made, step):
    """The finalized Scaffold's savers."""
    config = tf.estimator.RunConfig()
    if kind in FORMATS:
        scaffolds = [ec.scaffold(kind, config=config)]
    else:
        scaffolds = []
        if kind != "guide":
            saver = tf1.train.Saver(sharded=True, save_relative_paths=True)
            scaffolds.append(tf1.train.Scaffold(saver=saver))
        if kind != "default":
            checkpoint = tf.train.Checkpoint(var_list=made, step=step)
            scaffolds.append(tf1.train.Scaffold(saver=checkpoint))
    for scaffold in scaffolds:
        scaffold.finalize()
    return [scaffold.saver for scaffold in scaffolds]


class Job:
    """A graph with one kind of saver, and its session."""

    def __init__(self, kind, root, count, size):
        self.directory = pathlib.Path(root) / kind
        self.directory.mkdir()
        with tf.Graph().as_default() as graph:
            made, step = variables(count, size)
            self.savers = savers(kind, made, step)
            self.session = tf1.Session(graph=graph)
            self.session.run(tf1.global_variables_initializer())

    def save(self):
        shutil.rmtree(self.directory)
        self.directory.mkdir()
        os.sync()
        started = time.perf_counter()
        self.prefixes = [
            saver.save(
                self.session,
                str(self.directory / f"model-{i}.ckpt"),
                write_meta_graph=False,
            )
            for i, saver in enumerate(self.savers)
        ]
        return time.perf_counter() - started

    def written(self):
        return sum(path.stat().st_size for path in self.directory.iterdir())

    def restore(self):
        started = time.perf_counter()
        self.savers[0].restore(self.session, self.prefixes[0])
        return time.perf_counter() - started


def building(kind, count):
    """Seconds to build and finalize a graph of `count` variables."""
    started = time.perf_counter()
    with tf.Graph().as_default():
        made, step = variables(count, 4 * count)
        savers(kind, made, step)
        tf1.global_variables_initializer()
    return time.perf_counter() - started


def table(times):
    """Median seconds of each kind, and its ratio to the default, round by round."""
    return {
        kind: {
            "seconds": statistics.median(found),
            "ratio": statistics.median(
                mine / default for mine, default in zip(found, times["default"])
            ),
        }
        for kind, found in times.items()
    }


def rounds(count, measure):
    times = {kind: [] for kind in KINDS}
    for kind in KINDS:  # the first of each is not counted
        measure(kind)
    for _ in range(count):
        for kind in KINDS:
            times[kind].append(measure(kind))
    return table(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--directory", help="where to put the checkpoints")
    parser.add_argument("--size", type=int, default=1 << 30)
    arguments = parser.parse_args()
    tf1.logging.set_verbosity(tf1.logging.ERROR)
    root = tempfile.mkdtemp(dir=arguments.directory)
    try:
        jobs = {kind: Job(kind, root, 100, arguments.size) for kind in KINDS}
        result = {
            "save": rounds(arguments.runs, lambda kind: jobs[kind].save()),
            "restore": rounds(arguments.runs, lambda kind: jobs[kind].restore()),
            "graph": rounds(arguments.runs, lambda kind: building(kind, 1000)),
            "bytes": {kind: job.written() for kind, job in jobs.items()},
        }
    finally:
        shutil.rmtree(root)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
