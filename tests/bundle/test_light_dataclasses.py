"""Light dataclasses are what those of `dataclasses` are, and do not import it."""

import copy
import dataclasses
import functools
import inspect
import pathlib
import pickle
from collections.abc import Mapping
from typing import Any, Optional

import pytest

import estimator_ckpt
from estimator_ckpt.bundle import light_dataclasses

PACKAGE = pathlib.Path(estimator_ckpt.__path__[0])


def classes(made):
    """The same classes, made by one module or by the other."""

    @made.dataclass(frozen=True)
    class Point:
        """A point."""

        x: int
        y: int = 2
        tags: Mapping = made.field(default_factory=dict)

        @functools.cached_property
        def far(self):
            return self.x + self.y

        def __post_init__(self):
            if self.x < 0:
                raise ValueError("below")

    @made.dataclass(frozen=True)
    class Named(Point):
        """A point with a name."""

        y: int = 3
        name: Optional[str] = None

        def __repr__(self):
            return f"<{self.name}>"

    @made.dataclass(frozen=True, eq=False)
    class Itself:
        """Equal to itself alone."""

        value: Any

    return Point, Named, Itself


OURS, THEIRS = classes(light_dataclasses), classes(dataclasses)
Point, Named, Itself = OURS
# So that they can be found by their names.
for found in OURS:
    found.__qualname__ = found.__name__


@pytest.mark.parametrize(
    ("which", "args", "kwargs"),
    [
        (0, (1,), {}),
        (0, (1, 5), {"tags": {"a": 1}}),
        (0, (), {"x": 1, "y": 7}),
        (1, (1,), {"name": "n"}),
        (1, (1, 2, {}, "n"), {}),
        (2, ("v",), {}),
    ],
)
def test_made_as_those_of_dataclasses(which, args, kwargs):
    ours, theirs = OURS[which](*args, **kwargs), THEIRS[which](*args, **kwargs)
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert repr(ours) == repr(theirs).replace("classes.<locals>.", "")
    same = OURS[which](*args, **kwargs)
    assert (ours == same) == (theirs == THEIRS[which](*args, **kwargs))
    assert ours == ours


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((1, 2, {}, 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((), {"y": 1})],
)
def test_what_does_not_fit_is_a_type_error(args, kwargs):
    for cls in (OURS[0], THEIRS[0]):
        with pytest.raises(TypeError):
            cls(*args, **kwargs)


def test_values_are_checked_where_the_class_checks_them():
    with pytest.raises(ValueError, match="below"):
        Point(-1)
    with pytest.raises(ValueError, match="below"):
        light_dataclasses.replace(Point(1), x=-1)


def test_an_object_is_frozen():
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="assign to field 'x'"):
        point.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="delete field 'x'"):
        del point.x
    assert point == Point(1)


def test_equal_are_those_of_one_class_with_equal_values():
    assert Point(1) != Named(1, 2)
    assert Point(1, tags=()) == Point(1, 2, ())
    assert hash(Point(1, tags=())) == hash(Point(1, 2, ()))
    assert Point(1).far == 3
    assert Point(1) == light_dataclasses.replace(Point(4), x=1)
    assert Itself(1) != Itself(1)


@pytest.mark.parametrize("replace", [light_dataclasses.replace, dataclasses.replace])
def test_other_values_of_some_fields(replace):
    point = Named(1, name="a")
    assert point.far == 4
    other = replace(point, x=5)
    assert (other.x, other.y, other.name, other.far) == (5, 3, "a", 8)
    assert type(other) is Named
    with pytest.raises(TypeError):
        replace(point, z=1)


def test_each_object_has_its_own_value_of_a_factory():
    assert Point(1).tags is not Point(1).tags


@pytest.mark.parametrize("which", range(3))
def test_dataclasses_and_inspect_find_what_they_look_for(which):
    ours, theirs = OURS[which], THEIRS[which]
    assert dataclasses.is_dataclass(ours)
    assert [(f.name, f.type, f.default) for f in dataclasses.fields(ours)] == [
        (f.name, f.type, f.default) for f in dataclasses.fields(theirs)
    ]
    assert ours.__dataclass_params__.frozen
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))


def test_dataclasses_derives_from_it():
    @dataclasses.dataclass(frozen=True)
    class More(Named):
        more: int = 0

    made = More(1, more=4)
    assert (made.x, made.y, made.more) == (1, 3, 4)
    assert dataclasses.replace(made, x=2) == More(2, more=4)


def test_it_can_be_copied_and_pickled():
    made = Point(1, 5, {"a": (1, 2)})
    assert copy.copy(made) == copy.deepcopy(made) == made
    assert pickle.loads(pickle.dumps(made)) == made


def test_only_frozen_ones_are_made():
    with pytest.raises(TypeError, match="frozen"):
        light_dataclasses.dataclass(frozen=False)


def test_no_module_makes_any_other():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "\nimport dataclasses" not in text, path
        assert "\nfrom dataclasses" not in text, path
