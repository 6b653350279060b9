"""What a Keras optimizer does otherwise than the tf1 optimizer that it goes on from.

By how much each is off is measured in `tests/keras/optimizers/test_trajectories.py`.
"""

from __future__ import annotations

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.optimizers import algorithms
from estimator_ckpt.checkpoint.optimizers.algorithms import Algorithm
from estimator_ckpt.keras.objects.descriptions import Generation, OptimizerDescription
from estimator_ckpt.keras.optimizers.optimizer_state import State


def of(
    state: State, optimizer: OptimizerDescription, steps: int, has_embeddings: bool
) -> list[str]:
    """What will not go on exactly as it was, a sentence each.

    Args:
      state: what the source has.
      optimizer: the Keras optimizer.
      steps: how many steps it is told to have taken.
      has_embeddings: whether a layer's gradients are sparse.
    """
    found = _differences(state.algorithm, state.style, optimizer, has_embeddings)
    if state.algorithm is algorithms.BERT:
        found.append(
            f"AdamWeightDecay corrects no bias, so iterations are {steps}, where "
            f"Keras's Adam does not either; its weight decay is AdamW's"
        )
    elif state.global_step not in (None, steps) and optimizer.has_schedule:
        found.append(
            f"it took {steps} steps, and the global step is {state.global_step}: its "
            f"learning rate schedule goes on from {steps}"
        )
    return [f"{optimizer.called}: {sentence}" for sentence in found]


def of_way_back(
    algorithm: Algorithm, optimizer: OptimizerDescription, has_embeddings: bool
) -> list[str]:
    """The same where tf1 goes on from a Keras optimizer's state."""
    found = _differences(algorithm, roles.TF1, optimizer, has_embeddings)
    return [f"{optimizer.called}: {sentence}" for sentence in found]


def _differences(
    algorithm: Algorithm,
    style: str,
    optimizer: OptimizerDescription,
    has_embeddings: bool,
) -> list[str]:
    """What two optimizers do otherwise, the one before being named by its style."""
    found = _of_class(algorithm, style, optimizer, has_embeddings)
    if style == roles.TF1:
        found += _of_settings(algorithm, optimizer, has_embeddings)
    return found


def _of_class(
    algorithm: Algorithm,
    style: str,
    optimizer: OptimizerDescription,
    has_embeddings: bool,
) -> list[str]:
    """What the class does otherwise than the one before."""
    found = []
    if (
        algorithm in algorithms.DENSE_ONLY
        and style in (roles.TF1, roles.LEGACY)
        and not optimizer.is_legacy
        and has_embeddings
    ):
        found.append(
            "it treats rows of embeddings that a batch does not touch otherwise than "
            "tf1; tf.keras.optimizers.legacy is exact"
        )
    if (
        has_embeddings
        and optimizer.generation is Generation.KERAS_3
        and algorithm is not algorithms.SGD
    ):
        found.append(
            "Keras 3 does not sum the gradients of an id that occurs twice in a batch: "
            "sum them before apply_gradients"
        )
    if optimizer.called.endswith("Nadam"):
        found.append(
            "Keras's Nadam has a momentum schedule that tf1's has not: training goes "
            "on otherwise"
            if style == roles.TF1
            else "the product of its momentum schedule begins anew, and legacy.Nadam "
            "and Nadam have other schedules: training goes on otherwise"
        )
    return found


def _of_settings(
    algorithm: Algorithm, optimizer: OptimizerDescription, has_embeddings: bool
) -> list[str]:
    """What follows from the options of an optimizer."""
    found = []
    is_legacy = optimizer.is_legacy
    if (
        algorithm is algorithms.RMSPROP
        and "momentum" not in optimizer.slots
        and is_legacy
    ):
        found.append(
            "without momentum it adds epsilon outside of the root and decays untouched "
            "rows; momentum=1e-30 is exactly tf1's"
        )
    elif algorithm is algorithms.RMSPROP and has_embeddings and not is_legacy:
        found.append(
            "tf.keras.optimizers.legacy.RMSprop(momentum=1e-30) is exactly tf1's, rows "
            "of embeddings included"
        )
    if algorithm is algorithms.MOMENTUM and optimizer.has_schedule:
        found.append(
            "Keras keeps the learning rate in its momentum, so under a schedule "
            "training goes on otherwise"
        )
    if (
        algorithm is algorithms.ADAGRAD
        and is_legacy
        and optimizer.setting("epsilon") > 1e-10
    ):
        found.append(
            "it adds epsilon to the root, tf1 does not; epsilon=1e-20 is exact"
        )
    if algorithm is algorithms.FTRL and optimizer.setting("beta"):
        found.append("tf1's Ftrl has no beta; beta=0 is exact")
    if algorithm is not algorithms.BERT and optimizer.setting("weight_decay"):
        found.append(f"it decays weights, which tf1's {algorithm.name} does not")
    if is_legacy and optimizer.setting("decay"):
        found.append("tf1's optimizers have no decay; decay=0 is exact")
    return found
