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
import tempfile
import time

import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec

FORMATS = ("tf1", "tf2", "dual")
WAYS = ("default", *FORMATS, "guide", "two savers")


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


def savers(way, made, step):
    """The savers of one way; finalizes the graph."""
    first = []
    if way in FORMATS:
        scaffold = ec.scaffold(way, config=tf.estimator.RunConfig())
    elif way == "default":
        saver = tf1.train.Saver(sharded=True, save_relative_paths=True)
        scaffold = tf1.train.Scaffold(saver=saver)
    else:
        if way == "two savers":
            first = [tf1.train.Saver(sharded=True, save_relative_paths=True)]
        checkpoint = tf.train.Checkpoint(var_list=made, step=step)
        scaffold = tf1.train.Scaffold(saver=checkpoint)
    scaffold.finalize()
    return [*first, scaffold.saver]


class Job:
    """A graph with one way to save, and its session."""

    def __init__(self, way, root, count, size):
        self.directory = pathlib.Path(root) / way
        self.directory.mkdir()
        with tf.Graph().as_default() as graph:
            made, step = variables(count, size)
            initializer = tf1.global_variables_initializer()
            self.savers = savers(way, made, step)
            self.session = tf1.Session(graph=graph)
            self.session.run(initializer)

    def save(self):
        shutil.rmtree(self.directory)
        self.directory.mkdir()
        os.sync()
        started = time.perf_counter()
        with self.session.graph.as_default():
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
        with self.session.graph.as_default():
            self.savers[0].restore(self.session, self.prefixes[0])
        return time.perf_counter() - started


def warm_starting(way, prefix, count, size):
    """Seconds to build a graph and initialize it from a checkpoint."""
    started = time.perf_counter()
    with tf.Graph().as_default() as graph:
        variables(count, size)
        scaffold = tf1.train.Scaffold()
        if way == "default":
            tf1.train.warm_start(prefix, vars_to_warm_start=["layer_.*"])
        else:
            decorated = ec.warm_start_from(prefix)(
                lambda features: tf.estimator.EstimatorSpec(
                    "train", loss=tf.constant(0.0), train_op=tf.no_op()
                )
            )
            spec = decorated(None)
            for hook in spec.training_hooks:
                hook.begin()
            scaffold = spec.scaffold
        scaffold.finalize()
        with tf1.Session(graph=graph) as session:
            session.run(scaffold.init_op)
            if scaffold.init_fn:
                scaffold.init_fn(session)
    return time.perf_counter() - started


def building(way, count):
    """Seconds to build and finalize a graph of `count` variables."""
    started = time.perf_counter()
    with tf.Graph().as_default():
        made, step = variables(count, 4 * count)
        savers(way, made, step)
    return time.perf_counter() - started


def table(times):
    """The least seconds of each way, and its ratio to the default's.

    The least, not the median: a save of 1 GB takes once or twice as long as it can,
    whichever saver it is, as the kernel finds memory for the file or has to make room.
    """
    least = {way: min(found) for way, found in times.items()}
    return {
        way: {"seconds": seconds, "ratio": seconds / least["default"]}
        for way, seconds in least.items()
    }


def rounds(count, measure, ways=WAYS):
    times = {way: [] for way in ways}
    for way in ways:  # the first of each is not counted
        measure(way)
    for _ in range(count):
        for way in ways:
            times[way].append(measure(way))
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
        jobs = {way: Job(way, root, 100, arguments.size) for way in WAYS}
        result = {
            "save": rounds(arguments.runs, lambda way: jobs[way].save()),
            "restore": rounds(arguments.runs, lambda way: jobs[way].restore()),
            "graph": rounds(3, lambda way: building(way, 1000)),
            "warm start": rounds(
                arguments.runs,
                lambda way: warm_starting(
                    way, jobs["default"].prefixes[0], 100, arguments.size
                ),
                ("default", "warm_start_from"),
            ),
            "bytes": {way: job.written() for way, job in jobs.items()},
        }
    finally:
        shutil.rmtree(root)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
