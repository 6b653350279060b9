"""Which of a source's variables each variable of an object is."""

import dataclasses

import numpy as np

from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.conversion import dictionary_graph
from estimator_ckpt.keras import matching_names
from tests.keras import described
from tests.keras.described import BIAS, KERNEL


def matches(path, written, model=None, assignment_map=None, **options):
    with described.source(path, written, assignment_map) as source:
        source = dataclasses.replace(source, **options)
        return matching_names.matches(model or described.model(), source)


def test_a_variable_is_the_one_of_its_name(tmp_path):
    found = matches(tmp_path / "c", {**described.values(), "other": np.ones(2)})
    assert found == {KERNEL: KERNEL, BIAS: BIAS}


def test_a_map_gives_the_names(tmp_path):
    old = {f"old/{name}": value for name, value in described.values().items()}
    found = matches(tmp_path / "c", old, assignment_map={"old/net/": "net/"})
    assert found == {name: f"old/{name}" for name in (KERNEL, BIAS)}


def test_the_full_name_counts_where_the_name_is_not_there(tmp_path):
    model = described.model()
    full = {held.key: f"model/{name}" for name, held in model.variables.items()}
    model = dataclasses.replace(model, full_names=full)
    written = {f"model/{name}": v for name, v in described.values().items()}
    assert matches(tmp_path / "c", written, model)[KERNEL] == f"model/{KERNEL}"


def test_paths_count_where_the_source_is_called_by_them(tmp_path):
    model = described.model()
    path = object_keys.path_of(model.variables[KERNEL].key)
    written = {path: described.values()[KERNEL]}
    assert matches(tmp_path / "c", written, model) == {}
    found = matches(tmp_path / "d", written, model, names_by=NamesBy.PATH)
    assert found == {KERNEL: path}


def test_the_kernel_of_a_depthwise_convolution(tmp_path):
    written = {"net/depthwise_kernel": described.values()[KERNEL]}
    assert matches(tmp_path / "c", written) == {KERNEL: "net/depthwise_kernel"}


def test_a_recurrent_layer_of_tensorflow_1_has_no_cell_in_its_names():
    names = [f"net/lstm_cell_1/{w}" for w in ("kernel", "recurrent_kernel", "bias")]
    variables = [matching_names.Named(name, name, None, True) for name in names]
    known = {name.replace("lstm_cell_1/", ""): "old" for name in names}
    found = matching_names.by_name(variables, known, is_of_objects=False)
    assert found == dict.fromkeys(names, "old")
    dense = matching_names.Named("net/dense/kernel", "net/dense/kernel", None, True)
    assert not matching_names.by_name([dense], known, is_of_objects=False)


def test_a_model_of_another_name_is_found_in_objects_only(tmp_path):
    """Keras 3 puts the model's name before the names in its checkpoints."""
    written = {f"mine/{name}": v for name, v in described.values().items()}
    assert matches(tmp_path / "c", written) == {}
    names = sorted(written)
    objects = {object_keys.variable_key(name): written[name] for name in names}
    objects[object_keys.OBJECT_GRAPH_KEY] = np.array(
        dictionary_graph.build(names), object
    )
    found = matches(tmp_path / "d", objects)
    assert found == {KERNEL: f"mine/{KERNEL}", BIAS: f"mine/{BIAS}"}
