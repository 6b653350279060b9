"""Variables, Scaffolds and model_fns: what TensorFlow and Estimator keep of them.

Checked against TensorFlow 2.15.1 and tensorflow-estimator 2.15.0;
`tests/tf_private/test_graph_api.py` fails, naming the function, when one changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1
from tensorflow.python.ops import resource_variable_ops as _resource_variable_ops
from tensorflow.python.util import function_utils as _function_utils

try:
    from tensorflow.python.ops.ref_variable import RefVariable as _RefVariable
except ImportError:  # TensorFlow 2.12
    from tensorflow.python.ops.variables import RefVariable as _RefVariable


def fn_args(function: Callable[..., Any]) -> tuple[str, ...]:
    """The argument names that Estimator sees in `function`."""
    return tuple(_function_utils.fn_args(function))


def whole_of(variable: Any) -> Optional[tuple[str, tuple[int, ...]]]:
    """Name and shape of the partitioned variable that `variable` is a part of.

    None for a variable that is no part of another.
    """
    info = getattr(variable, "_save_slice_info", None)
    return (info.full_name, tuple(info.full_shape)) if info else None


def has_initializer(variable: Any) -> bool:
    """Whether a variable has an initializer that `set_initializer` can replace.

    Not one that stands for replicas or parts.
    """
    types = (_resource_variable_ops.ResourceVariable, _RefVariable)
    return type(variable) in types and whole_of(variable) is None


def set_initializer(variable: Any, op: tf.Operation) -> None:
    """Makes `op` the initializer of a variable, as init_from_checkpoint does."""
    variable._initializer_op = op


def checkpoint_initializers() -> frozenset[str]:
    """The names of the ops that init_from_checkpoint made in the default graph."""
    return frozenset(
        operation.name
        for operation in tf1.get_default_graph().get_operations()
        if operation.type == "RestoreV2" and "checkpoint_initializer" in operation.name
    )


def user_init_fn(scaffold: tf1.train.Scaffold) -> Optional[Callable[..., None]]:
    """The `init_fn(scaffold, session)` that a Scaffold was made with, or None."""
    return scaffold._user_init_fn


def with_fields(
    scaffold: tf1.train.Scaffold,
    *,
    saver: Any = None,
    init_fn: Optional[Callable[..., None]] = None,
) -> tf1.train.Scaffold:
    """A copy of a Scaffold with another saver or init_fn, all else kept.

    A Scaffold of a class of the user's own stays of that class: only the two fields
    are set in a shallow copy of it.
    """
    if type(scaffold) is tf1.train.Scaffold:
        return tf1.train.Scaffold(
            copy_from_scaffold=scaffold, saver=saver, init_fn=init_fn
        )
    import copy

    clone = copy.copy(scaffold)
    if saver is not None:
        clone._saver = saver
    if init_fn is not None:
        clone._user_init_fn = init_fn
        clone._init_fn = lambda session: init_fn(clone, session)
    return clone
