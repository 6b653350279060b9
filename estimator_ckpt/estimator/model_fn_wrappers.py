"""Wrapping a model_fn so that Estimator does not notice.

Estimator reads which arguments a model_fn takes (labels, mode, params, config) from
its signature, and ignores `__wrapped__`. So a wrapper advertises exactly the
arguments that Estimator saw in the original, and `config`, which it needs itself.

Source: `function_utils.fn_args` and `Estimator._call_model_fn` of TensorFlow 2.15.1.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.estimator import runtime
from estimator_ckpt.tf_private import graph_api

ModelFn = Callable[..., Any]
_MARK = "__estimator_ckpt_decorators__"


def wrap(
    model_fn: ModelFn,
    decorator: str,
    change: Callable[[Any, Optional[tf.estimator.RunConfig]], Any],
    *,
    settings: Any = None,
) -> ModelFn:
    """A model_fn that returns `change(spec, config)` for the spec of `model_fn`.

    Args:
      model_fn: a function, bound method, callable object, functools.partial or lambda.
      decorator: who asks, for messages.
      change: gets the spec and the RunConfig (None if called without one).
      settings: what the decorator was told, if it may wrap a model_fn but once: told
        the same a second time, it changes nothing. None if it may be stacked.

    Returns:
      A plain function with the arguments that Estimator sees in `model_fn`, and
      `config`, which is passed on only if `model_fn` takes it.

    Raises:
      TypeError: `model_fn` is not callable.
      ValueError: `decorator` has wrapped it already, with other settings.
    """
    if not callable(model_fn):
        raise TypeError(f"{decorator} decorates a model_fn, not {model_fn!r}")
    runtime.enable_estimator()
    earlier: dict[str, Any] = getattr(model_fn, _MARK, {})
    if settings is not None and decorator in earlier:
        if earlier[decorator] == settings:
            return model_fn
        raise ValueError(
            f"{_name(model_fn)} is wrapped in {decorator} already, with other "
            f"settings; wrap it once"
        )
    arguments = graph_api.fn_args(model_fn)
    signature = _advertised(model_fn, arguments)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        spec = _call(model_fn, arguments, signature, given)
        if not hasattr(spec, "_replace"):
            return spec  # no spec: Estimator says so better than we could
        return change(spec, given.get("config"))

    wrapper.__signature__ = signature  # type: ignore[attr-defined]
    wrapper.__name__ = wrapper.__qualname__ = _name(model_fn)
    wrapper.__doc__ = getattr(model_fn, "__doc__", None)
    wrapper.__module__ = getattr(model_fn, "__module__", __name__) or __name__
    setattr(wrapper, _MARK, {**earlier, decorator: settings})
    return wrapper


def with_changed_scaffold(
    spec: Any, change: Callable[[Optional[tf1.train.Scaffold]], tf1.train.Scaffold]
) -> Any:
    """A spec whose Scaffold is `change` of its own; of a TPUEstimatorSpec, when made.

    Args:
      spec: an EstimatorSpec, or a TPUEstimatorSpec, which has a scaffold_fn instead.
      change: gets the spec's Scaffold, or None if it has none.
    """
    if not hasattr(spec, "scaffold_fn"):
        return spec._replace(scaffold=change(spec.scaffold))
    made_by = spec.scaffold_fn
    return spec._replace(scaffold_fn=lambda: change(made_by() if made_by else None))


def _advertised(model_fn: ModelFn, arguments: tuple[str, ...]) -> inspect.Signature:
    """The wrapper's signature: `arguments` and `config`, then *args, ..., **kwargs."""
    original = inspect.signature(model_fn).parameters
    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=_default(original, name),
        )
        for name in arguments
    ]
    if "config" not in arguments:
        parameters.append(
            inspect.Parameter(
                "config", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None
            )
        )
    taken = {parameter.name for parameter in parameters}
    for kind in (
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.KEYWORD_ONLY,
        inspect.Parameter.VAR_KEYWORD,
    ):
        parameters += [
            parameter
            for parameter in original.values()
            if parameter.kind is kind and parameter.name not in taken
        ]
    return inspect.Signature(parameters)


def _default(original: Any, name: str) -> Any:
    parameter = original.get(name)
    return inspect.Parameter.empty if parameter is None else parameter.default


def _call(
    model_fn: ModelFn,
    arguments: tuple[str, ...],
    signature: inspect.Signature,
    given: dict[str, Any],
) -> Any:
    """Calls `model_fn` with the given arguments that are its own."""
    positional: tuple[Any, ...] = ()
    keywords = {name: given[name] for name in arguments if name in given}
    for parameter in signature.parameters.values():
        if parameter.name not in given or parameter.name in arguments:
            continue
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            positional = (*keywords.values(), *given[parameter.name])
            keywords = {}
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            keywords[parameter.name] = given[parameter.name]
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            keywords.update(given[parameter.name])
    return model_fn(*positional, **keywords)


def _name(model_fn: ModelFn) -> str:
    inner = getattr(model_fn, "func", model_fn)  # of a functools.partial
    return str(getattr(inner, "__name__", type(inner).__name__))
