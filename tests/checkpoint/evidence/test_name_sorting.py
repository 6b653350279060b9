"""What each name says alone, and what it stands under."""

import random

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import name_sorting
from tests.checkpoint.evidence.scenes import W, scene, scene_and_names


def test_names_are_sorted_by_what_they_may_be():
    _, names = scene_and_names(
        {
            "w": W,
            "w/Adam_1": W,
            "Adam/m/w": W,
            "Adam/iter": ("int64", ()),
            "Adam/decay": (),
            "opt/beta1_power_2": (),
            "training/Variable_3": W,
        }
    )
    assert names.suffixes[("", "Adam")] == [("w/Adam_1", "w")]
    assert names.infixes == {("Adam", "m"): [("Adam/m/w", "w")]}
    assert names.counters == {"Adam": ["Adam/iter"]}
    assert names.settings == {"Adam": ["Adam/decay"]}
    assert names.powers == {("opt", 2): ["opt/beta1_power_2"]}
    assert names.numbered == {"training": ["training/Variable_3"]}
    assert names.decisions == {}


@pytest.mark.parametrize(
    ("variables", "name", "role"),
    [
        ({"bn/moving_mean": W}, "bn/moving_mean", roles.MODEL),
        ({"vocabulary": ("string", W)}, "vocabulary", roles.MODEL),
        ({"metric/total": (), "metric/count": ()}, "metric/total", roles.METRIC),
        ({"loss_scale": ()}, "loss_scale", roles.LOSS_SCALE),
        ({"w": W, "w_slot_v": (3,)}, "w_slot_v", roles.SLOT),  # Mesh-TensorFlow
        ({"metric/total": ()}, "metric/total", None),  # not all of them
        ({"w/iter": ("float32", ())}, "w/iter", None),
    ],
)
def test_what_a_name_says_alone(variables, name, role):
    _, names = scene_and_names(variables)
    said = names.decisions.get(name)
    assert (said and said.role) == role


def test_what_a_collection_trains_is_not_open_unless_a_user_says_so():
    variables, trainable = {"w": W, "v": W}, {"w": True, "v": False}
    assert scene_and_names(variables, trainable=trainable)[1].open == ["v"]
    _, names = scene_and_names(variables, trainable=trainable, forced={"w"})
    assert names.open == ["w", "v"]


def test_a_slot_of_a_sliced_variable_stands_under_the_whole():
    _, names = scene_and_names({"dnn/w": W, "dnn/w/t_0/Adagrad": W})
    assert names.suffixes == {("", "Adagrad"): [("dnn/w/t_0/Adagrad", "dnn/w")]}


#: Steps of names that are variables', slots' and scopes' alike.
STEPS = ("w", "a", "b", "m", "t_0", "part_1", "Adam", "Adam_1", "dense", "", "v")


def stands_under(name, variables):
    """The variable that a name stands under, as it is defined, without short cuts."""
    steps = name.split("/")
    scope, last = steps[:-1], steps[-1]
    of_slices = scope[:-1] if scope[-1] in ("t_0", "part_1") else []
    for body in (scope, of_slices):
        for start in range(len(body)):
            owner = "/".join(body[start:])
            if owner in variables:
                return owner, "/".join(body[:start]), name_sorting.base_of(last)
    for stop in range(len(scope) - 1, 0, -1):
        owner = "/".join(scope[:stop])
        if owner in variables:
            return owner, "", name_sorting.base_of("/".join(steps[stop:]))
    return None


def behind_slot(name, variables):
    """The variable that a name ends in, behind what Keras calls a slot."""
    steps = name.split("/")
    for at in range(1, len(steps)):
        owner = "/".join(steps[at:])
        if steps[at - 1] in ("m", "v") and owner in variables:
            return owner, "/".join(steps[: at - 1]), steps[at - 1]
    return None


def found_by_name(families):
    return {
        name: (owner, *family)
        for family, members in families.items()
        for name, owner in members
    }


@pytest.mark.parametrize("seed", range(60))
def test_variables_that_names_stand_under_are_found_as_they_are_defined(seed):
    rng = random.Random(seed)
    some = rng.sample(STEPS, rng.randint(3, len(STEPS)))
    variables = {"/".join(rng.choices(some, k=rng.randint(1, 5))): W for _ in range(40)}
    variables.pop("", None)
    _, names = scene_and_names(variables)
    scoped = [name for name in variables if name.rpartition("/")[0]]
    for families, definition in (
        (names.suffixes, stands_under),
        (names.infixes, behind_slot),
    ):
        expected = {name: definition(name, variables) for name in scoped}
        expected = {name: found for name, found in expected.items() if found}
        assert found_by_name(families) == expected


def test_scopes_of_optimizers_are_told_by_counters_settings_or_names():
    _, names = scene_and_names(
        {"train/learning_rate": (), "x/iter": ("int64", ()), "x/epsilon": ()}
    )
    assert names.keeps_settings("train")
    assert names.keeps_settings("x")
    assert not names.keeps_settings("y")
    assert names.is_optimizer_scope("training/Adam_1")
    assert not names.is_optimizer_scope("dense")


def test_shapes_that_are_not_known_are_the_same():
    found = scene({"a": W, "b": (1,), "c": ("float32", None)})
    assert found.is_same("a", "c")
    assert not found.is_same("a", "b")


def test_parts_of_names():
    assert name_sorting.last_of("a/b/Adam_1") == "Adam_1"
    assert name_sorting.base_of("Adam_1") == "Adam"
    assert name_sorting.base_of("Adam_x") == "Adam_x"
    assert [name_sorting.number_of(n) for n in ("Adam", "Adam_12")] == [0, 12]
    assert name_sorting.class_of("training/rm_sprop_2") == "rmsprop"
