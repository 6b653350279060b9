"""A wrong type of an argument is one line that names it, from every public function."""

from __future__ import annotations

import inspect
import pathlib
import pickle
import re
from typing import Optional

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle import argument_types, files
from estimator_ckpt.bundle.argument_types import ArgumentError
from tests.testdata_paths import PREFIXES

DIGITS = PREFIXES["digits/model.ckpt-300"]
#: No function of ours; and one without parameters.
OTHERS = {"__version__", "CheckpointError", "flags", "enable_estimator"}
#: What has several forms; whoever reads it says what is wrong.
CHECKED_WHERE_READ = {
    *("Any", "NamesLike", "naming.NamesLike", "FormatLike", "Result"),
    *("Layouts", "layer_rules.Layouts", "Iterations", "Mapping[str, Any]"),
    "Sequence[Optional[int]]",
    *("Union[str, model_fns.ModelFn]", "CheckpointFactory"),
    *("tf1.train.Scaffold", "tf.estimator.RunConfig"),
}
PUBLIC = sorted(set(ec.__all__) - OTHERS)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_says_which_argument_is_none(name):
    function = getattr(ec, name)
    parameters = inspect.signature(function).parameters
    required = {
        key: str(DIGITS)
        for key, parameter in parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    for key, parameter in parameters.items():
        declared = re.sub(r"Optional\[(.*)\]$", r"\1", parameter.annotation)
        if declared in CHECKED_WHERE_READ:
            continue
        given = {**required, key: object()}
        with pytest.raises(
            ArgumentError, match=rf"{name}\({key}=<object .*; give "
        ) as e:
            function(**given)
        assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"path": 5},
            "open_checkpoint(path=5): it is of the type int; give a path, as a",
        ),
        ({"path": b"x"}, "open_checkpoint(path=b'x'): it is of the type bytes; give a"),
        ({"path": None}, "(path=None): it is of the type NoneType; give a path, as"),
        (
            {"model_state": 1},
            "(model_state=1): it is of the type int; give a regex as a",
        ),
        (
            {"model_state": ["a", 1]},
            "(model_state=['a', 1]): it is of the type list; gi",
        ),
        (
            {"model_state": {"a": 1}},
            "(model_state={'a': 1}): it is of the type dict; gi",
        ),
        ({"model_state": re.compile(b"a")}, "it is of the type Pattern; give a regex"),
    ],
)
def test_it_says_what_was_given_and_what_to_give(given, message):
    with pytest.raises(TypeError, match=re.escape(message)) as caught:
        ec.open_checkpoint(**{"path": DIGITS, **given})
    assert isinstance(caught.value, ec.CheckpointError)


def test_nothing_is_written_before_it(tmp_path):
    with pytest.raises(ArgumentError, match=r"overwrite='no'\): .* give True or False"):
        ec.convert(DIGITS, tmp_path / "new", to="tf2", overwrite="no")
    with pytest.raises(ArgumentError, match=r"give a function of a number of bytes or"):
        ec.convert(DIGITS, tmp_path / "new", to="tf2", progress=True)
    with pytest.raises(
        ArgumentError, match=r"average\(last=2.5\): .* whole number or N"
    ):
        ec.average(DIGITS, tmp_path / "new", last=2.5)
    with pytest.raises(
        ArgumentError, match=r"average\(sources=\[1\]\): .* list of path"
    ):
        ec.average([1], tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_what_is_as_good_is_taken(tmp_path):
    ec.convert(
        pathlib.Path(DIGITS),
        str(tmp_path / "new"),
        to="tf2",
        include=(pattern for pattern in ["dense", re.compile("global")]),
        optimizer_state=(),
        overwrite=np.bool_(True),
        step=None,
    )
    ec.average(
        pathlib.Path(DIGITS).parent, tmp_path / "mean", last=np.int64(2), overwrite=0
    )


@argument_types.checked
def scaled(path: files.PathLike, factor: Optional[int] = 2, *, other=1):
    """Documented."""
    return path, factor, other


def test_a_checked_function_is_what_it_was():
    assert scaled("a", other=3) == ("a", 2, 3)
    assert scaled.__doc__ == "Documented."
    assert list(inspect.signature(scaled).parameters) == ["path", "factor", "other"]
    assert pickle.loads(pickle.dumps(scaled)) is scaled
    with pytest.raises(TypeError, match=r"missing 1 required positional .*'path'"):
        scaled(factor=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'facto'"):
        scaled("a", facto=1)


def test_what_is_shown_of_a_value_is_short():
    with pytest.raises(ArgumentError) as caught:
        scaled(["x" * 10_000] * 10_000)
    assert len(str(caught.value)) < 400
