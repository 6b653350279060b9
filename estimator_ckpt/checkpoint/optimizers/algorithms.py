"""What the optimizers of TensorFlow 1 keep: each algorithm's slots and beta powers.

Source: the optimizers of TensorFlow 1.15.5 (`tensorflow/python/training/*.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Optional


class Algorithm:
    """An algorithm of tf1's optimizers: what it keeps for each variable, and once.

    Attributes:
      name: what to call it.
      slots: the tf1 names of its slot variables, by what they are; `Adam_1` stands for
        `<variable>/Adam_1`.
      powers: its beta powers, in tf1.
    """

    def __init__(
        self, name: str, slots: Mapping[str, str], powers: tuple[str, ...] = ()
    ) -> None:
        """An algorithm as the attributes say."""
        self.name = name
        self.slots = slots
        self.powers = powers


ADAM = Algorithm("Adam", {"m": "Adam", "v": "Adam_1"}, ("beta1_power", "beta2_power"))
BERT = Algorithm("AdamWeightDecay", {"m": "adam_m", "v": "adam_v"})
ADAMAX = Algorithm("AdaMax", {"m": "AdaMax", "u": "AdaMax_1"}, ("beta1_power",))
MOMENTUM = Algorithm("Momentum", {"accumulator": "Momentum"})
RMSPROP = Algorithm("RMSProp", {"rms": "RMSProp", "momentum": "RMSProp_1"})
CENTERED = Algorithm(
    "centered RMSProp", {"rms": "RMSProp", "mg": "RMSProp_1", "momentum": "RMSProp_2"}
)
ADAGRAD = Algorithm("Adagrad", {"accumulator": "Adagrad"})
ADADELTA = Algorithm("Adadelta", {"accumulator": "Adadelta", "update": "Adadelta_1"})
FTRL = Algorithm("Ftrl", {"accumulator": "Ftrl", "linear": "Ftrl_1"})
SGD = Algorithm("GradientDescent", {})

_ALGORITHMS = (ADAM, BERT, ADAMAX, MOMENTUM, CENTERED, RMSPROP, ADAGRAD, ADADELTA, FTRL)

#: What other optimizers of TensorFlow 1 call their slots, less the number of the second
#: and later ones (`AdamW_1`): those of `tf.contrib.opt`, Tensor2Tensor, BERT's
#: successors, and TensorFlow 1's AdagradDA.
_OTHER_TF1_SLOTS = (
    *("AdagradDA", "gradient_accumulator", "gradient_squared_accumulator"),
    *("ProximalAdagrad", "AdamW", "Nadam", "LazyAdam", "Adafactor", "Shampoo", "GGT"),
    *("AddSignOptimizer", "PowerSignOptimizer", "LARSOptimizer", "LAMBOptimizer"),
    *("lamb_m", "lamb_v", "Yogi", "RAdam", "AMSGrad", "RMSPropOptimizer"),
)

#: Algorithms whose newer Keras optimizers treat rows that no gradient touched otherwise
#: than tf1, which leaves them alone.
DENSE_ONLY = frozenset({MOMENTUM, RMSPROP, CENTERED, ADADELTA, FTRL, ADAMAX})

#: Names of tf1 slots, less their numbers.
TF1_SLOTS = frozenset(
    {
        re.sub(r"_\d+$", "", name)
        for algorithm in _ALGORITHMS
        for name in algorithm.slots.values()
        if algorithm is not BERT
    }
    | set(BERT.slots.values())
    | set(_OTHER_TF1_SLOTS)
)
#: Optimizers of tf1 that keep no beta powers, by the names of their slots.
WITHOUT_POWERS = frozenset(
    re.sub(r"_\d+$", "", name)
    for algorithm in _ALGORITHMS
    if not algorithm.powers
    for name in algorithm.slots.values()
)


def _usual(suffixes: Collection[str]) -> Optional[Algorithm]:
    """The tf1 optimizer that leaves slots of these names, None if unknown."""
    for algorithm in _ALGORITHMS:
        if set(algorithm.slots.values()) == set(suffixes):
            return algorithm
    return None


def algorithms_of(slots: Collection[str], powers: Collection[str]) -> list[Algorithm]:
    """The tf1 optimizers that can have left slots of these names for each variable.

    A usual name says which. Of a name that the user gave (`d_adam`, `d_adam_1`), all
    that keep as many slots and the same powers.

    Args:
      slots: `Adam` and `Adam_1`.
      powers: the names of the beta powers beside them: `beta1_power`.
    """
    usual = _usual(slots)
    if usual is not None:
        return [usual]
    bases = {re.sub(r"_\d+$", "", name) for name in slots}
    if len(bases) > 1 or (bases <= TF1_SLOTS and not powers):
        return []
    return [
        algorithm
        for algorithm in _ALGORITHMS
        if algorithm is not BERT
        and len(algorithm.slots) == len(slots)
        and set(algorithm.powers) == set(powers)
    ]
