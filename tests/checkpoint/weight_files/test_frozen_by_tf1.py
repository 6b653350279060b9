"""Frozen graphs that TensorFlow 1.15.5 wrote: by freeze_graph and in a session."""

import os
import pathlib

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.checkpoint.evidence import graph_uses
from estimator_ckpt.checkpoint.evidence.graph_uses import GraphUse
from tests.cli.command_line import call

HERE = pathlib.Path(__file__).parent / "frozen_by_tf1"
#: Each graph, the values of its variables, and what of them it does not have.
GRAPHS = {
    "reference": ("reference", set()),
    "resource": ("resource", set()),
    "freeze_graph": ("reference", set()),
    "optimized": ("reference", {"net/count"}),  # without identities: no integers
}


@pytest.mark.parametrize("name", GRAPHS)
def test_every_variable_is_there_with_its_value_and_nothing_else(name):
    of, missing = GRAPHS[name]
    values = dict(np.load(HERE / f"{of}.npz"))
    with ec.open_checkpoint(HERE / f"{name}.pb") as checkpoint:
        assert set(checkpoint) == set(values) - missing
        for variable in checkpoint:
            found = checkpoint.read(variable)
            dtype = "bfloat16" if variable == "net/brain" else values[variable].dtype
            assert found.dtype == dtype, variable
            expected = values[variable].astype(found.dtype)
            assert found.shape == expected.shape
            assert found.tobytes() == expected.tobytes(), variable


@pytest.mark.parametrize("name", ["reference", "resource", "freeze_graph"])
def test_the_graph_says_what_its_weights_are_for(name):
    with ec.open_checkpoint(HERE / f"{name}.pb") as checkpoint:
        uses = graph_uses.of_checkpoint(checkpoint)
    assert uses["net/dense/kernel"] == {GraphUse.MULTIPLIED}
    assert uses["net/conv/kernel"] == {GraphUse.CONVOLVED}
    assert uses["net/up/kernel"] == {GraphUse.DECONVOLVED}
    assert uses["net/separable/depthwise_kernel"] == {GraphUse.DEPTHWISE}
    assert uses["net/separable/pointwise_kernel"] == {GraphUse.CONVOLVED}
    assert uses["net/table"] == {GraphUse.LOOKED_UP, GraphUse.TRANSPOSED}


def test_it_goes_into_pytorch_s_layout_and_back(tmp_path):
    path = ec.convert(
        HERE / "freeze_graph.pb",
        tmp_path / "m.safetensors",
        to="safetensors",
        layout="torch",
        layouts=[{"as_is": "net/half"}],
    )
    values = dict(np.load(HERE / "reference.npz"))
    with ec.open_checkpoint(path) as checkpoint:
        np.testing.assert_array_equal(
            checkpoint.read("net.up.weight"),
            values["net/up/kernel"].transpose(3, 2, 0, 1),
        )
        np.testing.assert_array_equal(
            checkpoint.read("net.table.weight"), values["net/table"]
        )
    back = ec.convert(path, tmp_path / "back", to="tf1", layout="torch")
    assert not ec.diff(HERE / "freeze_graph.pb", back)


BAD = {
    "text.pb": "it is a graph as text",
    "saved_model.pb": "saved_model.pb of a SavedModel; give the directory",
    "image.pb": "no binary GraphDef",
    "empty.pb": "it has no nodes",
    "cut.pb": "a field exceeds its message",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_frozen_graph_is_one_line(tmp_path, name):
    whole = (HERE / "reference.pb").read_bytes()
    content = {
        "text.pb": (HERE / "text.pb").read_bytes(),
        "saved_model.pb": b"\x08\x01\x12\x00",
        "image.pb": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "empty.pb": b"",
        "cut.pb": whole[:-100],
    }
    # A SavedModel's graph under another name, as people copy it.
    path = tmp_path / ("copied.pb" if name == "saved_model.pb" else name)
    path.write_bytes(content[name])
    for command in ("inspect", "convert"):
        new = [tmp_path / "new" / "m", "--to=tf1"] if command == "convert" else []
        done = call(command, path, *new)
        assert done.returncode == 2
        assert BAD[name] in done.stderr
        assert done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == [path.name]
