"""Train and evaluate an Estimator, named by flags.

The model_fn and the input_fns are given as package.module:function; modules are found
as Python finds them from the working directory. TF_CONFIG is read for clusters.
"""

from __future__ import annotations

import functools
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any

from absl import flags

from estimator_ckpt.cli import flags as job_flags
from estimator_ckpt.cli import job_errors, output, user_functions
from estimator_ckpt.cli.usage_errors import UsageError
from estimator_ckpt.estimator import runtime

FLAGS = flags.FLAGS


@functools.cache
def define_flags() -> None:
    """Defines the training job's flags, once: a process may ask for --help twice."""
    flags.DEFINE_string("model_fn", None, "The model_fn, as package.module:function.")
    flags.DEFINE_string(
        "input_fn", None, "The training input_fn, as package.module:function."
    )
    flags.DEFINE_string(
        "eval_input_fn",
        None,
        "The evaluation input_fn, as package.module:function. Without it the job only "
        "trains.",
    )
    flags.DEFINE_multi_string(
        "param",
        [],
        "A hyperparameter for the model_fn's params, as name=value; value is read as "
        "YAML",
    )
    flags.DEFINE_bool(
        "dry_run", False, "Show what --warm_start_from would do, and stop."
    )
    flags.DEFINE_integer(
        "max_steps", None, "Train up to this global step.", lower_bound=1
    )
    flags.DEFINE_integer(
        "eval_steps",
        None,
        "Batches to evaluate on; without it all that eval_input_fn gives.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "eval_throttle_secs",
        0,
        "Seconds to wait at least between two evaluations.",
        lower_bound=0,
    )

    job_flags.define_flags()
    for defined_in in (job_flags.__name__, __name__):
        for flag in FLAGS.get_flags_for_module(defined_in):
            # --help shows the flags of the program that was started, and no others.
            FLAGS.register_key_flag_for_module(sys.argv[0], flag)


#: Of --help; old_job is a model dir.
EXAMPLES = (
    "train --flagfile=configs/guide.flags --model_dir=job",
    "train --model_fn=model_fns.digits:model_fn "
    "--input_fn=model_fns.digits:train_input_fn --model_dir=digits --max_steps=310 "
    "--checkpoint_format=dual --warm_start_from=old_job --dry_run",
)


def add_arguments(parser: ArgumentParser) -> None:
    """Everything is an absl flag, so that flagfiles work."""
    parser.usage = (
        "estimator-ckpt train --model_fn=MODULE:FUNCTION --input_fn=MODULE:FUNCTION "
        "--model_dir=DIR --max_steps=N [--flagfile=FILE] [FLAGS...]"
    )


def run(arguments: Namespace) -> int:
    """Trains and evaluates as the flags say."""
    needed = ("model_fn", "input_fn", "model_dir", "max_steps")
    for name in needed[:3] if FLAGS.dry_run else needed:
        if FLAGS[name].value in (None, ""):
            raise UsageError(f"--{name} is needed: {FLAGS[name].help}")
    runtime.check()
    runtime.prepare()
    params = user_functions.params(FLAGS.param)
    loaded = user_functions.for_estimator if FLAGS.dry_run else user_functions.function
    functions = {
        name: loaded(str(FLAGS[name].value), name)
        for name in ("model_fn", "input_fn", "eval_input_fn")
        if FLAGS[name].value is not None
    }
    if FLAGS.dry_run:
        return _show_warm_start(functions, params)
    with job_errors.reporting(FLAGS.model_dir):
        _train(functions, params)
    return 0


def _show_warm_start(
    functions: dict[str, Callable[..., Any]], params: dict[str, Any]
) -> int:
    """Prints what the warm start would do; 1 if something is missing or differs."""
    from estimator_ckpt.cli.commands import plan_command
    from estimator_ckpt.estimator.restoring import resuming
    from estimator_ckpt.planning.any_target import planned
    from estimator_ckpt.planning.plan_sides import GraphInputs

    if not FLAGS.warm_start_from:
        raise UsageError("--dry_run shows a warm start: give --warm_start_from")
    existing = resuming.what_is_there(FLAGS.model_dir)
    if existing is not None:
        output.say(f"Not warm-starting: {existing} is there already")
        return 0
    config = job_flags.run_config()
    plan = planned(
        FLAGS.warm_start_from,
        functions["model_fn"],
        job_flags.warm_start_choice(),
        graph_inputs=GraphInputs(functions["input_fn"], params, config=config),
    )
    code = plan_command.show(plan)
    return 1 if FLAGS.warm_start_strict and plan.unused else code


def _train(functions: dict[str, Callable[..., Any]], params: dict[str, Any]) -> None:
    from absl import logging

    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO)
    import tensorflow as tf

    from estimator_ckpt.estimator.restoring import job_dirs, resuming

    tf.get_logger().handlers.clear()  # else each of its lines is shown twice
    job_dirs.require_plain(FLAGS.model_dir)
    try:
        tf.io.gfile.makedirs(FLAGS.model_dir)
    except tf.errors.OpError as error:
        raise UsageError(f"--model_dir={FLAGS.model_dir}: {error.message}") from None

    config = job_flags.run_config()
    if FLAGS.checkpoint_format and config.is_chief:
        # Estimator compares --max_steps with what is there before it calls a model_fn.
        resuming.prepare(config.model_dir, falls_back=FLAGS.on_damaged == "fall_back")
    estimator = tf.estimator.Estimator(
        job_flags.decorate(functions["model_fn"]),
        config=config,
        params=params or None,
    )
    if "eval_input_fn" not in functions:
        estimator.train(functions["input_fn"], max_steps=FLAGS.max_steps)
        return
    tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(functions["input_fn"], max_steps=FLAGS.max_steps),
        tf.estimator.EvalSpec(
            functions["eval_input_fn"],
            steps=FLAGS.eval_steps,
            start_delay_secs=0,
            throttle_secs=FLAGS.eval_throttle_secs,
        ),
    )
