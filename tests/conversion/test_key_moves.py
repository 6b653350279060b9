"""Key moves, as data: which keys variables get, and what becomes of the rest."""

import pytest

from estimator_ckpt.bundle.coding import name_to_key
from estimator_ckpt.checkpoint import (
    contents,
    formats,
    object_graph,
    object_keys,
)
from estimator_ckpt.checkpoint.stored_graph import StoredGraph
from estimator_ckpt.conversion import dictionary_graph, key_moves
from estimator_ckpt.conversion.result_keys import ResultKeys
from tests.conversion.named_moves import names_of, new_names

W, STEP = "layer/w", "global_step"
OBJECT_W = object_keys.variable_key(W)


def of(pairs, result, *, restarts=False, keys=(W, STEP)):
    named = contents.of_names(dict.fromkeys(keys))
    found = map(name_to_key, keys)
    return key_moves.of_variables(named, found, pairs, result, restarts=restarts)


SAME = [(W, W), (STEP, STEP)]


@pytest.mark.parametrize(
    ("format", "w", "step"),
    [
        (formats.TF1, (W,), (STEP,)),
        # Estimator reads the step's name, in every format.
        (formats.TF2, (OBJECT_W,), (object_keys.STEP_KEY, STEP)),
        (formats.DUAL, (OBJECT_W, W), (object_keys.STEP_KEY, STEP)),
    ],
    ids=str,
)
def test_a_variable_has_the_keys_of_the_format(format, w, step):
    moves = of(SAME, ResultKeys(format))
    assert new_names(moves) == {W: w, STEP: step}
    assert moves.added.needs_counter == format.has_object_keys
    assert (moves.added.graph is not None) == format.has_object_keys
    assert moves.keeps_names


def test_without_a_step_it_is_a_variable_as_the_others():
    moves = of(SAME, ResultKeys(formats.TF2, step=None))
    assert new_names(moves)[STEP] == (object_keys.variable_key(STEP), STEP)


def test_root_is_the_dictionarys_name():
    moves = of(SAME, ResultKeys(formats.TF2, root="vars"))
    assert new_names(moves)[W] == (object_keys.variable_key(W, "vars"),)


def test_one_variable_may_get_two_names_and_another_none():
    moves = of([(W, "a"), (W, "b")], ResultKeys(formats.TF1))
    assert new_names(moves) == {W: ("a", "b"), STEP: ()}
    assert not moves.keeps_names


@pytest.mark.parametrize(
    ("format", "fresh"),
    [
        (formats.TF1, (STEP,)),
        (formats.TF2, (object_keys.STEP_KEY, STEP)),
        (formats.DUAL, (object_keys.STEP_KEY, STEP)),
    ],
    ids=str,
)
def test_a_restart_has_a_step_of_its_own(format, fresh):
    moves = of(SAME, ResultKeys(format), restarts=True)
    assert names_of(moves.added.fresh_step) == fresh
    assert new_names(moves)[STEP] == ()


def graph_of(*names):
    serialized = dictionary_graph.build(names, step=STEP)
    return StoredGraph(lambda: serialized, "test")


def of_objects(pairs, result, keys):
    meaning = contents.of_objects(keys, graph_of(W, "v").saved_nodes)
    return key_moves.of_variables(meaning, map(name_to_key, keys), pairs, result)


KEYS = (
    *(object_keys.OBJECT_GRAPH_KEY, object_keys.SAVE_COUNTER_KEY, object_keys.STEP_KEY),
    *(OBJECT_W, object_keys.variable_key("v")),
)


def test_a_kept_graph_and_its_keys_move_as_they_are():
    result = ResultKeys(formats.TF2, graph_of(W, "v"))
    moves = of_objects([(W, W), ("v", "v"), (STEP, STEP)], result, KEYS)
    firsts = {old: new[0] for old, new in new_names(moves).items()}
    assert firsts == dict(zip(KEYS, KEYS))
    assert moves.added.graph is None
    assert not moves.added.needs_counter


def test_a_kept_graph_is_pruned_of_what_is_left_out():
    result = ResultKeys(formats.TF2, graph_of(W, "v"))
    moves = of_objects([(W, W), (STEP, STEP)], result, KEYS)
    assert new_names(moves)[object_keys.variable_key("v")] == ()
    left = object_graph.saved_nodes(object_graph.parse(moves.added.graph, "test"))
    assert {node.key for node in left} == {
        *(object_keys.SAVE_COUNTER_KEY, object_keys.STEP_KEY, OBJECT_W)
    }


def test_changes_name_every_key_and_what_is_new():
    moves = of([(W, "a")], ResultKeys(formats.TF2))
    assert moves.changes() == [
        (STEP, None),
        (W, object_keys.variable_key("a")),
        (None, object_keys.OBJECT_GRAPH_KEY),
        (None, object_keys.SAVE_COUNTER_KEY),
    ]
