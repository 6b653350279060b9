"""What each name says alone, and what it stands under."""

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
