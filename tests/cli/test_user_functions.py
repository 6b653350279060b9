"""What users name on a command line: functions, and values for them."""

import os
import sysconfig

import pytest

from estimator_ckpt.cli import main, user_functions
from estimator_ckpt.cli.usage_errors import UsageError


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The name of a module of the user's, in the working directory."""
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(
        "def nothing(): return 'made'\n"
        "def something(wanted): return wanted\n"
        "def raises(): return {}['key']\n"
        "number = 3\n"
    )
    (tmp_path / f"{name}_broken.py").write_text("import a_module_that_is_nowhere\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_a_function_is_found_from_the_working_directory(mine):
    assert user_functions.function(f"{mine}:nothing", "target")() == "made"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("train", "--f=train: give it as package.module:function"),
        ("{mine}:", "give it as package.module:function"),
        ("{mine}:absent", "has no function 'absent'"),
        ("{mine}:number", "has no function 'number'"),
        ("{mine}_broken:f", "No module named 'a_module_that_is_nowhere'"),
        ("no_module_of_mine:f", "cannot import 'no_module_of_mine'"),
    ],
)
def test_what_is_none_is_said_with_its_flag(mine, path, message):
    with pytest.raises(UsageError) as caught:
        user_functions.function(path.format(mine=mine), "f")
    assert message in str(caught.value)
    assert str(caught.value).startswith("--f=")


def test_values_are_read_as_yaml():
    given = ["rate=0.1", "sizes=[3, 4]", "name=a=b", "flag=true", "none="]
    assert user_functions.params(given) == {
        "rate": 0.1,
        "sizes": [3, 4],
        "name": "a=b",
        "flag": True,
        "none": None,
    }


@pytest.mark.parametrize("given", ["rate", "=3", "rate=[1"])
def test_a_value_that_is_none_is_one_line(given):
    with pytest.raises(UsageError, match=r"^--param="):
        user_functions.params([given])


def test_a_trackable_is_what_a_function_without_arguments_returns(mine):
    assert user_functions.trackable(f"{mine}:nothing", "trackable") == "made"
    with pytest.raises(UsageError, match="without arguments"):
        user_functions.trackable(f"{mine}:something", "trackable")


def test_what_a_user_s_function_raises_has_its_place(mine, tmp_path):
    with pytest.raises(UsageError) as caught:
        user_functions.trackable(f"{mine}:raises", "trackable")
    assert f"KeyError: 'key' ({tmp_path}/{mine}.py:3)" in str(caught.value)


@pytest.mark.parametrize(
    ("function", "takes_nothing"),
    [
        (lambda: 0, True),
        (lambda a=1, *b, **c: 0, True),
        (lambda a: 0, False),
        (lambda *, a: 0, False),
    ],
)
def test_functions_that_take_nothing(function, takes_nothing):
    assert user_functions.takes_nothing(function) is takes_nothing


def test_whose_a_file_is(tmp_path):
    assert user_functions.is_own(str(tmp_path / "train.py"))
    assert not user_functions.is_own(
        os.path.join(sysconfig.get_path("stdlib"), "os.py")
    )
    assert not user_functions.is_own("/a/lib/site-packages/absl/app.py")
    assert not user_functions.is_own("<string>")
    assert not user_functions.is_own(main.__file__)
