"""How the variables of a result are keyed."""

import pytest

from estimator_ckpt.checkpoint import (
    contents,
    formats,
    object_graph,
    object_keys,
)
from estimator_ckpt.conversion import dictionary_graph
from estimator_ckpt.conversion.result_keys import ResultKeys
from estimator_ckpt.conversion.targets import OptionError
from tests.conversion.named_moves import names_of

GRAPH = object_graph.parse(dictionary_graph.build(["v"]), "a test")


@pytest.mark.parametrize(
    ("result", "keys"),
    [
        (ResultKeys(formats.TF1), ("v",)),
        (ResultKeys(formats.TF2), (object_keys.variable_key("v"),)),
        (ResultKeys(formats.DUAL), (object_keys.variable_key("v"), "v")),
        (ResultKeys(formats.TF2, root="m"), (object_keys.variable_key("v", "m"),)),
        (ResultKeys(formats.TF2, GRAPH), ("old",)),
        (ResultKeys(formats.DUAL, GRAPH), ("old", "v")),
    ],
)
def test_of_a_variable(result, keys):
    assert names_of(result.of_variable(b"old", "v", is_step=False)) == keys


@pytest.mark.parametrize("root", ["", "step", "save_counter"])
def test_the_dictionary_has_no_other_child_s_name(root):
    """TensorFlow would find one of the two."""
    with pytest.raises(OptionError, match=f"root='{root}' .*'save_counter', 'step'"):
        ResultKeys(formats.TF2, root=root)


def test_without_a_step_beside_it_the_dictionary_can_be_called_so():
    keys = ResultKeys(formats.TF2, root="step", step=None)
    found = keys.of_variable(b"old", "v", is_step=False)
    assert names_of(found) == (object_keys.variable_key("v", "step"),)


def test_the_global_step_has_its_name_in_every_format():
    """Estimator reads max_steps against it."""
    step = object_keys.GLOBAL_STEP
    for format in formats.FORMATS:
        keys = ResultKeys(format).of_variable(b"", step, is_step=True)
        assert step in names_of(keys)
    keys = ResultKeys(formats.TF2).of_variable(b"", step, is_step=True)
    assert names_of(keys)[0] == object_keys.STEP_KEY


def test_of_a_step_that_begins_anew():
    step = object_keys.GLOBAL_STEP
    named = contents.of_names(["v", step])
    fresh = ResultKeys(formats.TF1).of_fresh_step(named)
    assert names_of(fresh) == (step,)
    fresh = ResultKeys(formats.TF2).of_fresh_step(named)
    assert names_of(fresh) == (object_keys.STEP_KEY, step)


def test_only_what_is_laid_out_anew_has_a_graph_of_its_own():
    assert ResultKeys(formats.DUAL).is_new_graph
    assert not ResultKeys(formats.TF1).is_new_graph
    assert not ResultKeys(formats.TF2, GRAPH).is_new_graph
