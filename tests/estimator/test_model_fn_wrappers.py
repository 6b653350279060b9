"""Wrapped model_fns: Estimator sees the arguments it saw before, and config."""

import functools

import pytest
import tensorflow as tf
from tensorflow.python.util import function_utils

from estimator_ckpt.estimator import model_fn_wrappers as model_fns


class Spec(tuple):
    """Stands for a spec: what has `_replace` is changed, anything else is not."""

    __slots__ = ()

    def _replace(self):
        raise AssertionError("never called")


def spec(*values):
    return Spec(values)


def identity(fn):
    return model_fns.wrap(fn, "test", lambda spec, config: (spec, config))


def plain(features, labels, mode, params):
    return spec(features, labels, mode, params)


class Model:
    def method(self, features, labels, mode):
        return spec(features, labels, mode)

    def __call__(self, features, labels, mode, config):
        return spec(features, labels, mode, config)


def with_default(features, labels, mode, params=None, config=None):
    return spec(features, labels, mode, params, config)


def with_rest(features, mode, *rest, key=1, **kwargs):
    return spec(features, mode, rest, key, kwargs)


def with_extra(features, labels, mode, extra, params):
    return spec(features, labels, mode, extra, params)


@pytest.mark.parametrize(
    ("fn", "seen"),
    [
        (plain, ("features", "labels", "mode", "params", "config")),
        (Model().method, ("features", "labels", "mode", "config")),
        (Model(), ("features", "labels", "mode", "config")),
        (with_default, ("features", "labels", "mode", "params", "config")),
        (lambda features, mode: spec(features, mode), ("features", "mode", "config")),
        (with_rest, ("features", "mode", "config")),
        (
            functools.partial(with_extra, extra=3),
            ("features", "labels", "mode", "params", "config"),
        ),
        (
            functools.partial(with_default, config="bound"),
            ("features", "labels", "mode", "params", "config"),
        ),
        (functools.partial(Model().method, mode="m"), ("features", "labels", "config")),
    ],
)
def test_estimator_sees_the_same_arguments_and_config(fn, seen):
    assert function_utils.fn_args(identity(fn)) == seen
    assert not hasattr(identity(fn), "__wrapped__")


def test_arguments_reach_the_model_fn_by_keyword_and_by_position():
    assert identity(plain)(1, 2, mode=3, params=4) == ((1, 2, 3, 4), None)
    assert identity(Model().method)(features=1, labels=2, mode=3, config="c") == (
        (1, 2, 3),
        "c",
    )
    assert identity(Model())(1, 2, 3, "c") == ((1, 2, 3, "c"), "c")
    partial = functools.partial(with_extra, extra=3)
    assert identity(partial)(1, 2, mode=4, params=5) == ((1, 2, 4, 3, 5), None)


def test_a_bound_config_stays_bound_and_the_decorator_still_gets_estimators():
    fn = functools.partial(with_default, config="bound")
    assert identity(fn)(1, 2, 3, config="given") == ((1, 2, 3, None, "bound"), "given")


def test_rest_arguments_pass_through():
    wrapped = identity(with_rest)
    assert wrapped(1, 2, None, 3, key=5, other=6) == (
        (1, 2, (3,), 5, {"other": 6}),
        None,
    )


def test_what_is_no_spec_is_left_to_estimator_to_refuse():
    assert identity(lambda features: "no spec")(1) == "no spec"


def test_name_and_docstring_are_kept():
    assert identity(plain).__name__ == "plain"
    assert identity(functools.partial(plain, params=1)).__name__ == "plain"
    assert identity(Model()).__name__ == "Model"


def test_a_decorator_that_may_wrap_once_does_nothing_the_second_time():
    def once(model_fn, settings):
        return model_fns.wrap(
            model_fn, "once", lambda spec, config: spec, settings=settings
        )

    wrapped = once(plain, "as before")
    assert once(wrapped, "as before") is wrapped
    between = identity(wrapped)
    assert once(between, "as before") is between
    with pytest.raises(ValueError, match="plain is wrapped in once already, with oth"):
        once(between, "otherwise")


def test_one_that_says_nothing_may_be_stacked():
    assert identity(identity(plain)) is not plain


def test_what_is_not_callable_is_an_error():
    with pytest.raises(TypeError, match="decorates a model_fn"):
        identity(3)


def test_estimator_rejects_missing_params_as_before():
    def without_params(features, labels, mode):
        raise AssertionError("never called")

    with pytest.raises(ValueError, match="does not include params argument"):
        tf.estimator.Estimator(identity(without_params), params={"a": 1})
