"""How many steps an optimizer took, as a checkpoint tells it.

By its step counter; for tf1's optimizers by their beta powers (power = beta ** steps,
so steps = log(power) / log(beta)), else by the global step.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Optional

from estimator_ckpt.checkpoint.optimizers import algorithms, optimizer_steps
from estimator_ckpt.checkpoint.optimizers.algorithms import Algorithm
from estimator_ckpt.keras.object_sources import Source
from estimator_ckpt.keras.objects.descriptions import OptimizerDescription
from estimator_ckpt.keras.optimizers import saved_optimizers
from estimator_ckpt.keras.optimizers.state_errors import OptimizerStateError


def of_keras(
    source: Source,
    optimizer: OptimizerDescription,
    labels: Collection[Optional[str]],
) -> Optional[int]:
    """The value of the step counter of a Keras optimizer in a checkpoint."""
    values = saved_optimizers.counters(source, labels)
    if len(set(values.values())) > 1:
        listed = ", ".join(f"{name!r} {steps}" for name, steps in values.items())
        raise OptimizerStateError(
            f"{source.prefix} has several step counters, of different steps "
            f"({listed}): say how many steps {_said(optimizer)}"
        )
    return next(iter(values.values()), None)


def of_tf1(
    source: Source,
    optimizer: OptimizerDescription,
    algorithm: Algorithm,
    labels: Collection[Optional[str]],
) -> Optional[int]:
    """How many steps a tf1 optimizer took."""
    global_step = source.checkpoint.global_step
    if algorithm is algorithms.BERT:
        if optimizer.has_schedule:
            raise OptimizerStateError(
                f"{optimizer.called}: AdamWeightDecay corrects no bias. Keras's Adam "
                f"does not either once its iterations count "
                f"{optimizer_steps.UNCORRECTED:,} more, but a learning rate schedule "
                f"must then subtract these: say what they are to be (iterations=, "
                f"--iterations)"
            )
        return optimizer_steps.UNCORRECTED + (global_step or 0)
    if not algorithm.powers:
        return global_step
    powers: dict[str, float] = {}
    for power, by_name in saved_optimizers.beta_powers(source, labels).items():
        values = set(by_name.values())
        if len(values) > 1:
            raise OptimizerStateError(
                f"{source.prefix} has beta powers of several optimizers, of "
                f"different steps ({_steps_of(power, values, optimizer)}): say how "
                f"many steps {_said(optimizer)}"
            )
        powers[power] = values.pop()
    try:
        return optimizer_steps.steps_taken(powers, optimizer.betas, global_step)
    except ValueError as error:
        raise OptimizerStateError(
            f"{source.prefix}: {error}: give {optimizer.called} the betas that it "
            f"had, or say how many steps {_said(optimizer)}"
        ) from None


def _steps_of(
    power: str, values: Collection[float], optimizer: OptimizerDescription
) -> str:
    """The steps after which a beta power has each of some values, for a message."""
    found = []
    for value in sorted(values, reverse=True):
        try:
            steps = optimizer_steps.steps_taken({power: value}, optimizer.betas, None)
            found.append("too many to tell" if steps is None else str(steps))
        except ValueError:
            found.append(f"{power} {value:.6g}")
    return ", ".join(found)


def _said(optimizer: OptimizerDescription) -> str:
    """Which optimizer it is whose steps are to be said, and how."""
    return f"{optimizer.called} ({optimizer.path!r}) took (iterations=, --iterations)"
