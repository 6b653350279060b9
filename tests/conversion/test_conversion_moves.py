"""What a conversion takes, and under which names, as key moves."""

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint import formats, object_keys
from estimator_ckpt.conversion import conversion_moves
from estimator_ckpt.conversion.chosen_names import Naming
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.filters import Filter
from tests.conversion.named_moves import new_names
from tests.testdata_paths import ROLES


def moves(prefix, to, **naming):
    with ec.open_checkpoint(prefix) as checkpoint:
        return conversion_moves.of_checkpoint(
            checkpoint, formats.parse(to), Naming(**naming)
        )


@pytest.fixture
def objects(tmp_path):
    """An object-based checkpoint of two variables and a step."""
    values = {"a": np.float32(1), "b": np.float32(2), "global_step": np.int64(3)}
    write_bundle(tmp_path / "names", values)
    return ec.convert(tmp_path / "names", tmp_path / "objects", to="tf2", root="model")


def test_an_object_based_source_keeps_its_keys_and_its_graph(objects):
    found = moves(objects, "tf2")
    assert found.added.graph is None
    assert not found.added.needs_counter
    key = object_keys.variable_key("a", "model")
    assert new_names(found)[key] == (key,)
    assert new_names(moves(objects, "dual"))[key] == (key, "a")


@pytest.mark.parametrize(
    "asked", [{"root": "var_list"}, {"assignment_map": AssignmentMap.of({"b": "c"})}]
)
def test_anything_asked_of_names_lays_it_out_anew(objects, asked):
    found = moves(objects, "tf2", **asked)
    assert found.added.graph is not None
    assert found.added.needs_counter
    key = object_keys.variable_key("a", "model")
    assert new_names(found)[key] == (object_keys.variable_key("a"),)


def test_a_step_that_is_not_there_is_said(tmp_path):
    write_bundle(tmp_path / "m", {"a": np.float32(1), "my_step": np.int64(3)})
    found = moves(tmp_path / "m", "tf2", step="my_step")
    assert object_keys.STEP_KEY in new_names(found)["my_step"]
    assert found.unused == ()
    found = moves(tmp_path / "m", "tf2", step="nope")
    assert new_names(found)["my_step"] == (object_keys.variable_key("my_step"),)
    (sentence,) = found.unused
    assert sentence.startswith(f"step='nope' is no variable of {tmp_path / 'm'}: ")
    assert moves(tmp_path / "m", "tf2").unused == ()  # the default asks for nothing


def test_filters_leave_out_and_say_what_matched_nothing(objects):
    found = moves(objects, "tf1", chosen=Filter(["a", "none"], None))
    assert [key for key, new in new_names(found).items() if "a" in new]
    assert all(new in ((), ("a",)) for new in new_names(found).values())
    (sentence,) = found.unused
    assert "the pattern 'none' matches no variable" in sentence
    with pytest.raises(ec.CheckpointError, match="leave none of its 3 variables"):
        moves(objects, "tf1", chosen=Filter("none", None))


def test_what_is_no_variable_of_tensorflow_1_is_left_out_and_said():
    prefix = ROLES["2.15.1/saved_model_new"] / "model.ckpt"
    with ec.open_checkpoint(prefix, names="path") as checkpoint:
        found = conversion_moves.of_checkpoint(checkpoint, formats.TF1, Naming())
    assert any("metrics and strings of objects" in said for said in found.unused)


def test_two_keys_of_one_variable_must_hold_the_same(tmp_path):
    write_bundle(tmp_path / "names", {"v": np.float32(1)})
    dual = ec.convert(tmp_path / "names", tmp_path / "dual", to="dual")
    with ec.open_checkpoint(dual) as checkpoint:
        records = dict(checkpoint.index.records)
        values = {key.decode(): checkpoint.index.entry(key) for key in records}
        graph = checkpoint.reader.read(object_keys.OBJECT_GRAPH_KEY)
    other = {
        name: np.float32(2 if name == "v" else 1)
        for name in values
        if name not in (object_keys.OBJECT_GRAPH_KEY, object_keys.SAVE_COUNTER_KEY)
    }
    other[object_keys.OBJECT_GRAPH_KEY] = graph
    other[object_keys.SAVE_COUNTER_KEY] = np.int64(1)
    write_bundle(tmp_path / "other", other)
    with pytest.raises(
        ec.CheckpointError, match="are both the variable 'v' but differ"
    ):
        moves(tmp_path / "other", "tf1")
