"""In place of tensorflow.python.distribute.estimator_training.

Estimator hands a job that has a distribution strategy over to TensorFlow's distribute
coordinator, which TensorFlow still has; this module was what connected them. Of its two
modes one is needed: "independent worker", where each process of a cluster runs the job
and finds its place in TF_CONFIG, as two workers with MultiWorkerMirroredStrategy do.
The other one, where a single client drives remote servers, is refused.

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0.
"""

from __future__ import annotations

import copy
from typing import Any, NoReturn

import tensorflow as tf
from tensorflow.python.distribute import distribute_coordinator
from tensorflow.python.distribute.distribute_coordinator_context import (
    get_current_worker_context,
)

from estimator_ckpt.tf_private.estimator_runtime.refusals import refuse

_Mode = distribute_coordinator.CoordinatorMode


def init_run_config(config: Any, tf_config: dict[str, Any]) -> None:
    """Gives a RunConfig that has a strategy its place in the cluster.

    Args:
      config: the RunConfig, changed in place.
      tf_config: the content of TF_CONFIG; {} where there is none.

    Raises:
      ValueError: strategies, or clusters, are given in two places.
    """
    asked = config._experimental_distribute
    _take_strategy(config, asked, "train_distribute")
    _take_strategy(config, asked, "eval_distribute")
    cluster = tf.train.ClusterSpec(tf_config.get("cluster", {}))
    config._distribute_coordinator_mode = None
    config._init_distributed_setting_from_environment_var({})  # a local job, so far

    is_remote = bool(asked and asked.remote_cluster and config._train_distribute)
    if is_remote:
        if cluster:
            raise ValueError(
                "The cluster is given twice, in TF_CONFIG and as "
                "experimental_distribute.remote_cluster: leave one out"
            )
        config._distribute_coordinator_mode = _Mode.STANDALONE_CLIENT
        config._cluster_spec = asked.remote_cluster
    elif cluster and "master" not in cluster.jobs and config._train_distribute:
        # The coordinator reads the task from TF_CONFIG itself, for each process.
        config._distribute_coordinator_mode = _Mode.INDEPENDENT_WORKER
        config._cluster_spec = cluster
    else:
        config._init_distributed_setting_from_environment_var(tf_config)
        config._maybe_overwrite_session_config_for_distributed_training()
    tf.compat.v1.logging.info(
        "Distribute coordinator: %s",
        config._distribute_coordinator_mode or "not used",
    )


def _take_strategy(config: Any, asked: Any, name: str) -> None:
    strategy = getattr(asked, name, None)
    if not strategy:
        return
    if getattr(config, f"_{name}"):
        raise ValueError(
            f"RunConfig has a strategy twice, as {name} and as "
            f"experimental_distribute.{name}: leave one out"
        )
    setattr(config, f"_{name}", strategy)


def should_run_distribute_coordinator(config: Any) -> bool:
    """Whether train_and_evaluate is the coordinator's, and not this process's."""
    mode = getattr(config, "_distribute_coordinator_mode", None)
    if mode is None:
        return False
    if mode not in (_Mode.INDEPENDENT_WORKER, _Mode.STANDALONE_CLIENT):
        tf.compat.v1.logging.warning("Unknown coordinator mode %r: not used", mode)
        return False
    if not config.cluster_spec:
        tf.compat.v1.logging.warning("No cluster: training in this process alone")
        return False
    return True


def train_and_evaluate(
    estimator: Any, train_spec: Any, eval_spec: Any, executor_cls: Any
) -> None:
    """Runs this process's task of a cluster: train, evaluate, or serve variables.

    Args:
      estimator: the Estimator; a copy of it is what runs.
      train_spec: a TrainSpec.
      eval_spec: an EvalSpec.
      executor_cls: Estimator's class that evaluates continuously.

    Raises:
      ValueError: the RunConfig belongs to no coordinator.
      NotInRuntimeError: the cluster is a remote one.
    """
    config = estimator.config
    mode = getattr(config, "_distribute_coordinator_mode", None)
    if not mode:
        raise ValueError("The Estimator's RunConfig has no distribute coordinator mode")
    if mode == _Mode.STANDALONE_CLIENT:
        _refuse_remote_cluster()

    def train(strategy: Any) -> None:
        member = _member(estimator, "train", strategy)
        member.train(
            train_spec.input_fn,
            hooks=list(train_spec.hooks),
            max_steps=train_spec.max_steps,
        )

    def evaluate(strategy: Any) -> None:
        member = _member(estimator, "eval", strategy)
        executor_cls(member, train_spec, eval_spec)._start_continuous_evaluation()

    distribute_coordinator.run_distribute_coordinator(
        train,
        config.train_distribute,
        evaluate,
        config.eval_distribute,
        mode=mode,
        session_config=config.session_config,
    )


def estimator_train(estimator: Any, train_distributed_fn: Any, hooks: Any) -> NoReturn:
    """Refuses Estimator.train in a cluster, as TensorFlow 2.15 does."""
    _refuse_single_call(estimator, "train")


def estimator_evaluate(
    estimator: Any, evaluate_distributed_fn: Any, hooks: Any
) -> NoReturn:
    """Refuses Estimator.evaluate in a cluster, as TensorFlow 2.15 does."""
    _refuse_single_call(estimator, "evaluate")


def _refuse_single_call(estimator: Any, method: str) -> NoReturn:
    if estimator.config._distribute_coordinator_mode == _Mode.STANDALONE_CLIENT:
        _refuse_remote_cluster()
    raise ValueError(
        f"Estimator.{method} does not run in a cluster with a distribution strategy: "
        f"call tf.estimator.train_and_evaluate in each of its processes"
    )


def _refuse_remote_cluster() -> NoReturn:
    refuse(
        "experimental_distribute.remote_cluster (one client for remote servers)",
        "start the job once per task of the cluster, each with its TF_CONFIG",
    )


def _member(estimator: Any, role: str, strategy: Any) -> Any:
    """A copy of an Estimator, as the task that the coordinator runs in this thread.

    Args:
      estimator: the Estimator that the user made.
      role: "train" or "eval", whose strategy is set.
      strategy: the strategy, configured for the task.
    """
    member = copy.deepcopy(estimator)
    setattr(member._config, f"_{role}_distribute", strategy)
    setattr(member, f"_{role}_distribution", strategy)
    _place(member._config, get_current_worker_context())
    # Otherwise its train() would ask the coordinator once more.
    member._config._distribute_coordinator_mode = None
    tf.compat.v1.logging.info("RunConfig of this task: %s", vars(member._config))
    return member


def _place(config: Any, context: Any) -> None:
    """Writes a task's place in the cluster into its RunConfig."""
    tasks = context.cluster_spec.as_dict() if context.cluster_spec else {}
    is_evaluator = context.task_type == "evaluator"
    config._service = None
    config._task_type = context.task_type
    config._task_id = context.task_id
    config._master = config._evaluation_master = context.master_target
    config._is_chief = context.is_chief
    # An evaluator stands outside: it knows none of the others.
    seen = {} if is_evaluator else tasks
    config._cluster_spec = tf.train.ClusterSpec(seen)
    config._num_ps_replicas = len(seen.get("ps", ()))
    config._num_worker_replicas = sum(len(seen.get(x, ())) for x in ("chief", "worker"))
    config._global_id_in_cluster = _global_id(seen, context)
    if not tasks:
        config._num_worker_replicas = 1
        config._global_id_in_cluster = 0
    elif is_evaluator:
        config._global_id_in_cluster = None


def _global_id(tasks: dict[str, Any], context: Any) -> int:
    """A task's number: the chief first, parameter servers last, in order between."""
    if not context.task_type:
        return 0
    order = sorted(tasks, key=lambda job: (job != "chief", job == "ps", job))
    before = (
        order[: order.index(context.task_type)] if context.task_type in order else ()
    )
    return sum(len(tasks[job]) for job in before) + context.task_id
