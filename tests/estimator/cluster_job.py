"""A member of a cluster: a training job that reads its place from TF_CONFIG.

TF_CONFIG=... python -m tests.estimator.cluster_job
    FORMAT MODEL_DIR STRATEGY STEPS [WARM_START_FROM]
"""

import os
import sys
import time

import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from tests.estimator import helpers


def partitioned_fn(features, labels, mode):
    """The dense model of the helpers, with a weight in two parts."""
    table = tf1.get_variable(
        "table",
        [6, 2],
        partitioner=tf1.fixed_size_partitioner(2),
        initializer=tf1.ones_initializer(),
    )
    spec = helpers.model_fn(features, labels, mode)
    loss = spec.loss + tf.reduce_sum(tf.nn.embedding_lookup(table, [0, 5]))
    train_op = tf1.train.MomentumOptimizer(0.01, 0.9).minimize(
        loss, tf1.train.get_global_step()
    )
    return spec._replace(loss=loss, train_op=train_op)


def main():
    tf1.logging.set_verbosity(tf1.logging.ERROR)
    format, model_dir, strategy, steps, *warm = sys.argv[1:]
    fn, config = partitioned_fn, {}
    if strategy == "multi_worker":
        fn = helpers.model_fn
        config["train_distribute"] = (
            tf.distribute.experimental.MultiWorkerMirroredStrategy()
        )
    if warm:
        fn = ec.warm_start_from(*warm, carry="all", strict=True)(fn)
    est = helpers.estimator(
        ec.with_scaffold(format)(fn),
        model_dir,
        save_checkpoints_steps=5,
        # With fewer, a checkpoint that the evaluator is about to read can be gone, as
        # it can be with the default saver: these steps take milliseconds.
        keep_checkpoint_max=3 if strategy == "multi_worker" else 6,
        **config,
    )
    if warm and est.config.task_type == "worker":
        # Estimator lets a worker begin after five seconds, whatever the chief has done:
        # on a busy machine the first checkpoint is of a later step.
        while not os.path.exists(f"{model_dir}/model.ckpt-0.index"):
            time.sleep(0.1)
    tf.estimator.train_and_evaluate(
        est,
        tf.estimator.TrainSpec(helpers.input_fn, max_steps=int(steps)),
        tf.estimator.EvalSpec(
            helpers.input_fn, steps=1, start_delay_secs=0, throttle_secs=1
        ),
    )


if __name__ == "__main__":
    main()
