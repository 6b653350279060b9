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
    facts = (algorithm, optimizer, has_embeddings)
    return [
        sentence.format(algorithm=algorithm.name)
        for applies, sentence in _SETTINGS
        if applies(*facts)
    ]


def _is_rmsprop_without_momentum(
    algorithm: Algorithm, optimizer: OptimizerDescription, has_embeddings: bool
) -> bool:
    has_momentum = "momentum" in optimizer.slots
    return algorithm is algorithms.RMSPROP and optimizer.is_legacy and not has_momentum


def _is_rmsprop_of_rows(
    algorithm: Algorithm, optimizer: OptimizerDescription, has_embeddings: bool
) -> bool:
    is_new = not optimizer.is_legacy
    return algorithm is algorithms.RMSPROP and is_new and has_embeddings


def _is_momentum_under_a_schedule(
    algorithm: Algorithm, optimizer: OptimizerDescription, has_embeddings: bool
) -> bool:
    return algorithm is algorithms.MOMENTUM and optimizer.has_schedule


def _is_adagrad_with_epsilon(
    algorithm: Algorithm, optimizer: OptimizerDescription, has_embeddings: bool
) -> bool:
    if algorithm is not algorithms.ADAGRAD or not optimizer.is_legacy:
        return False
    return optimizer.setting("epsilon") > 1e-10


def _is_ftrl_with_beta(
    algorithm: Algorithm, optimizer: OptimizerDescription, has_embeddings: bool
) -> bool:
    return algorithm is algorithms.FTRL and bool(optimizer.setting("beta"))


def _decays_weights(
    algorithm: Algorithm, optimizer: OptimizerDescription, has_embeddings: bool
) -> bool:
    does = bool(optimizer.setting("weight_decay"))
    return does and algorithm is not algorithms.BERT


def _decays_its_rate(
    algorithm: Algorithm, optimizer: OptimizerDescription, has_embeddings: bool
) -> bool:
    return optimizer.is_legacy and bool(optimizer.setting("decay"))


#: What options make an optimizer do otherwise than tf1's: when, and what to say.
_SETTINGS = (
    (
        _is_rmsprop_without_momentum,
        "without momentum it adds epsilon outside of the root and decays untouched "
        "rows; momentum=1e-30 is exactly tf1's",
    ),
    (
        _is_rmsprop_of_rows,
        "tf.keras.optimizers.legacy.RMSprop(momentum=1e-30) is exactly tf1's, rows of "
        "embeddings included",
    ),
    (
        _is_momentum_under_a_schedule,
        "Keras keeps the learning rate in its momentum, so under a schedule training "
        "goes on otherwise",
    ),
    (
        _is_adagrad_with_epsilon,
        "it adds epsilon to the root, tf1 does not; epsilon=1e-20 is exact",
    ),
    (_is_ftrl_with_beta, "tf1's Ftrl has no beta; beta=0 is exact"),
    (_decays_weights, "it decays weights, which tf1's {algorithm} does not"),
    (_decays_its_rate, "tf1's optimizers have no decay; decay=0 is exact"),
)
