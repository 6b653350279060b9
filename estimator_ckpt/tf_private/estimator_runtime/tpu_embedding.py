"""In place of tensorflow.python.tpu.tpu_embedding: the settings, not the embeddings.

TPUEstimator's embedding_config_spec is made of them. With use_tpu=False it never builds
an embedding on a TPU: the feature columns then work as others do, and the settings are
only carried around. Each class takes the arguments that it takes in TensorFlow 2.15.

Checked against the signatures of TensorFlow 2.15.1, for 2.16.2, 2.18.1, 2.20.0 and
2.21.0.
"""

from __future__ import annotations

import inspect
from collections import namedtuple
from typing import Any

from estimator_ckpt.tf_private.estimator_runtime.no_tpu import EMBEDDING, INSTEAD
from estimator_ckpt.tf_private.estimator_runtime.refusals import (
    refused_class,
    refused_function,
)

TRAINING = 1  # as in TPUEmbeddingConfiguration, TensorFlow's message
INFERENCE = 2

_ACCUMULATION = {"use_gradient_accumulation": True}
_WEIGHTS = {
    "clip_weight_min": None,
    "clip_weight_max": None,
    "weight_decay_factor": None,
    "multiply_weight_decay_factor_by_learning_rate": None,
}
_CLIPPING = {"clip_gradient_min": None, "clip_gradient_max": None}
_COMMON = {**_ACCUMULATION, **_WEIGHTS, **_CLIPPING}
_REGULARIZATION = {
    "l1_regularization_strength": 0.0,
    "l2_regularization_strength": 0.0,
}
_REQUIRED = inspect.Parameter.empty


class _OptimizationParameters:
    """The settings of an optimizer, as attributes.

    Subclasses are made by `_parameters`.
    """

    _signature: inspect.Signature
    _positive: tuple[str, ...] = ()
    _not_negative: tuple[str, ...] = tuple(_REGULARIZATION)
    _fractions: tuple[str, ...] = ("beta1", "beta2")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = self._signature.bind(*args, **kwargs)
        given.apply_defaults()
        vars(self).update({**_COMMON, **given.arguments})
        self._check()

    def _check(self) -> None:
        """Raises ValueError for settings that TensorFlow 2.15 does not take."""
        name, values = type(self).__name__, vars(self)
        clips = any(values[bound] is not None for bound in _CLIPPING)
        if clips and not values["use_gradient_accumulation"]:
            raise ValueError(
                f"{name}: clip_gradient_min and clip_gradient_max need "
                f"use_gradient_accumulation=True"
            )
        for setting, value in values.items():
            if (
                (setting in self._positive and value <= 0)
                or (setting in self._not_negative and value < 0)
                or (setting in self._fractions and not 0 <= value < 1)
            ):
                raise ValueError(f"{name}: {setting}={value} is out of range")


def _parameters(
    name: str, settings: dict[str, Any], **class_attributes: Any
) -> type[_OptimizationParameters]:
    """A class of settings: `settings` by name, in order, with their defaults."""
    either_way = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature(
        [
            inspect.Parameter(setting, either_way, default=default)
            for setting, default in settings.items()
        ]
    )
    return type(
        name,
        (_OptimizationParameters,),
        {
            "__doc__": f"The settings of {name.replace('Parameters', '')} for TPU "
            f"embeddings; what only TPUs read.",
            "__module__": __name__,
            "__signature__": signature,
            "_signature": signature,
            **class_attributes,
        },
    )


_RATE = {"learning_rate": _REQUIRED}
_MOMENTUM = {"momentum": _REQUIRED, "use_nesterov": False}
_BETAS = {"beta1": 0.9, "beta2": 0.999}

AdagradParameters = _parameters(
    "AdagradParameters",
    {**_RATE, "initial_accumulator": 0.1, **_COMMON},
    _positive=("initial_accumulator",),
)
AdagradMomentumParameters = _parameters(
    "AdagradMomentumParameters",
    {**_RATE, **_MOMENTUM, "exponent": 2, "beta2": 1, "epsilon": 1e-10, **_COMMON},
    _positive=("epsilon", "exponent"),
    _fractions=(),
)
ProximalAdagradParameters = _parameters(
    "ProximalAdagradParameters",
    {**_RATE, "initial_accumulator": 0.1, **_REGULARIZATION, **_COMMON},
    _positive=("initial_accumulator",),
)
AdamParameters = _parameters(
    "AdamParameters",
    {
        **_RATE,
        **_BETAS,
        "epsilon": 1e-08,
        "lazy_adam": True,
        "sum_inside_sqrt": True,
        **_COMMON,
    },
    _positive=("epsilon",),
)
FtrlParameters = _parameters(
    "FtrlParameters",
    {
        **_RATE,
        "learning_rate_power": -0.5,
        "initial_accumulator_value": 0.1,
        **_REGULARIZATION,
        **_ACCUMULATION,
        **_WEIGHTS,
        "multiply_linear_by_learning_rate": False,
        "beta": 0,
        "allow_zero_accumulator": False,
        **_CLIPPING,
    },
    _not_negative=("initial_accumulator_value", *_REGULARIZATION),
    initial_linear_value=0.0,
)
ProximalYogiParameters = _parameters(
    "ProximalYogiParameters",
    {
        "learning_rate": 0.01,
        **_BETAS,
        "epsilon": 0.001,
        **_REGULARIZATION,
        "initial_accumulator_value": 1e-06,
        **_COMMON,
    },
    _positive=("epsilon",),
)
MomentumParameters = _parameters(
    "MomentumParameters", {**_RATE, **_MOMENTUM, **_COMMON}
)
RMSPropParameters = _parameters(
    "RMSPropParameters",
    {
        **_RATE,
        "rho": _REQUIRED,
        "momentum": _REQUIRED,
        "epsilon": _REQUIRED,
        **_COMMON,
    },
)
StochasticGradientDescentParameters = _parameters(
    "StochasticGradientDescentParameters", {**_RATE, **_COMMON}
)
FrequencyEstimatorParameters = _parameters(
    "FrequencyEstimatorParameters",
    dict.fromkeys(
        ("tau", "max_delta", "outlier_threshold", "weight_exponent"), _REQUIRED
    ),
)

AdagradSlotVariableNames = namedtuple("AdagradSlotVariableNames", ["accumulator"])
AdamSlotVariableNames = namedtuple("AdamSlotVariableNames", ["m", "v"])
FtrlSlotVariableNames = namedtuple("FtrlSlotVariableNames", ["accumulator", "linear"])
MomentumSlotVariableNames = namedtuple("MomentumSlotVariableNames", ["momenta"])
RMSPropSlotVariableNames = namedtuple("RMSPropSlotVariableNames", ["ms", "mom"])
ProximalAdagradSlotVariableNames = namedtuple(
    "ProximalAdagradSlotVariableNames", ["accumulator"]
)


class TableConfig(
    namedtuple(
        "TableConfig",
        [
            "vocabulary_size",
            "dimension",
            "initializer",
            "combiner",
            "hot_id_replication",
            "learning_rate",
            "learning_rate_fn",
            "optimization_parameters",
        ],
        defaults=(None, "mean", False, None, None, None),
    )
):
    """An embedding table: its size, and how its rows are combined."""


class FeatureConfig(
    namedtuple(
        "FeatureConfig",
        ["table_id", "max_sequence_length", "weight_key"],
        defaults=(0, None),
    )
):
    """A feature that is looked up in a table."""


TPUEmbedding = refused_class("TPUEmbedding", EMBEDDING, INSTEAD)
EnqueueData = refused_class("EnqueueData", EMBEDDING, INSTEAD)
RaggedEnqueueData = refused_class("RaggedEnqueueData", EMBEDDING, INSTEAD)
get_enqueue_datas_list_from_sparse_tensors_list = refused_function(
    "get_enqueue_datas_list_from_sparse_tensors_list", EMBEDDING, INSTEAD
)
get_enqueue_datas_list_from_ragged_tensors_list = refused_function(
    "get_enqueue_datas_list_from_ragged_tensors_list", EMBEDDING, INSTEAD
)
