"""Names that say by themselves what a variable is for: the last evidence there is.

What optimizers call what they keep stands in `optimizers`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

#: What layers call the weights that they train.
WEIGHTS = frozenset(
    (
        *("kernel", "bias", "weights", "biases", "gamma", "beta", "embeddings"),
        *("recurrent_kernel", "depthwise_kernel", "pointwise_kernel"),
        *("depthwise_weights", "pointwise_weights", "word_embeddings"),
        *("embedding_weights", "output_weights", "output_bias", "w", "b"),
    )
)
#: What they call state that nothing trains. `biased` and `local_step` are what TF1's
#: moving averages keep of their own start.
STATISTICS = frozenset(
    (
        *("moving_mean", "moving_variance", "moving_stddev", "moving_var"),
        *("renorm_mean", "renorm_stddev", "renorm_mean_weight", "renorm_stddev_weight"),
        *("running_mean", "running_var", "biased", "local_step"),
    )
)
#: What can stand under a variable, in its shape, and is no slot all the same.
NO_SLOTS = WEIGHTS | STATISTICS | {"mask", "threshold", "min", "max", "scale", "u", "g"}

#: What averages are called: by TensorFlow, and in BigGAN, SWA and Keras.
_AVERAGE = re.compile(
    r"ExponentialMovingAverage(?:_\d+)?|(?:.*[_-])?(?:ema|swa|polyak|average|averaged"
    r"|avg|shadow)(?:[_-][a-z]?[\d.]+)?",
    re.IGNORECASE,
)
#: What scopes are called that hold averages of variables outside of them.
AVERAGE_SCOPES = frozenset({"ema", "EMA", "average", "averages", "shadow", "swa"})

#: What is a metric's where all of these stand together.
METRICS = (
    ("total", "count"),
    ("true_positives", "false_positives"),
    ("true_positives", "false_negatives"),
    ("total_cm",),
)
#: All that metrics call their variables.
METRIC_WORDS = frozenset(
    (
        *("total", "count", "total_cm", "total_confusion_matrix", "sum", "squared_sum"),
        *("true_positives", "true_negatives", "false_positives", "false_negatives"),
        *("num_samples", "residual", "intermediate", "weights_intermediate"),
    )
)
#: What is a loss scale's where all of these stand together: of TensorFlow 1.15 and
#: Keras 2, of Keras 3, and of tf.contrib.mixed_precision.
LOSS_SCALES = (
    ("current_loss_scale", "good_steps"),
    ("dynamic_scale", "step_counter"),
    ("loss_scale", "good_steps", "bad_steps"),
    ("loss_scale",),
)
LOSS_SCALE_WORDS = frozenset(word for words in LOSS_SCALES for word in words)


def is_average(name: str) -> bool:
    """Whether this is what a moving average is called."""
    return _AVERAGE.fullmatch(name) is not None


def is_complete(
    last: str,
    prefix: str,
    groups: tuple[tuple[str, ...], ...],
    names: Collection[str],
) -> bool:
    """Whether a name's last part is one of a group, all of which stand beside it."""
    return any(
        last in group and all(f"{prefix}{word}" in names for word in group)
        for group in groups
    )
