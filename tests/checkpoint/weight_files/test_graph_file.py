"""Nodes of a graph, written by hand as protobuf writes them, and read from a file."""

import pytest

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint.weight_files import graph_file

FLOAT32, CONTENT = 1, bytes(range(24))


def field(number, data):
    """A field with a length."""
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def attr(key, value):
    return field(5, field(1, key) + field(2, value))


def node(name, op, *rest):
    return field(1, field(1, name) + field(2, op) + b"".join(rest))


#: float32[2, 3] as bytes: dtype 1, shape 2 (a size of each dimension), content 4.
TENSOR = (
    bytes([1 << 3, FLOAT32])
    + field(2, field(2, bytes([1 << 3, 2])) + field(2, bytes([1 << 3, 3])))
    + field(4, CONTENT)
)
GRAPH = (
    node(b"w", b"Const", attr(b"value", field(8, TENSOR)))
    + node(b"w/read", b"Identity", field(3, b"w"))
    + node(
        b"y",
        b"MatMul",
        *(field(3, b"x:0"), field(3, b"w/read"), field(3, b"^init")),
        attr(b"transpose_b", bytes([5 << 3, 1])),
        attr(b"transpose_a", bytes([5 << 3, 0])),
    )
)


def opened(tmp_path, data):
    path = tmp_path / "graph.pb"
    path.write_bytes(data)
    return files.open_file(str(path))


def test_nodes_are_read_with_their_inputs_and_flags(tmp_path):
    w, read, y = graph_file.nodes(opened(tmp_path, GRAPH))
    assert (w.name, w.op, w.inputs) == ("w", "Const", ())
    assert (read.name, read.inputs, read.constant) == ("w/read", ("w",), None)
    assert y.inputs == ("x", "w/read")  # `^init` only comes before it
    assert y.flags == {"transpose_b"}


def test_of_a_constant_the_place_of_its_bytes_is_known(tmp_path):
    file = opened(tmp_path, GRAPH)
    constant = next(iter(graph_file.nodes(file))).constant
    assert (constant.dtype, constant.shape) == (FLOAT32, (2, 3))
    assert file.read(constant.content.start, constant.content.size) == CONTENT
    assert graph_file.values(file, constant).dtype == FLOAT32


def test_the_graph_of_a_meta_file_is_its_second_field(tmp_path):
    parts = [node(b"a", b"NoOp"), node(b"b", b"NoOp")]
    meta = field(1, b"\x0a\x00") + field(2, b"".join(parts))
    found = graph_file.nodes_of_meta(opened(tmp_path, meta))
    assert [n.name for n in found] == ["a", "b"]


@pytest.mark.parametrize("cut", [1, 10, 40, len(GRAPH) - 1])
def test_a_graph_that_is_cut_off_is_an_error(tmp_path, cut):
    whole = [n.name for n in graph_file.nodes(opened(tmp_path, GRAPH))]
    with pytest.raises(ValueError, match=r"exceeds|cut off|varint"):
        assert [n.name for n in graph_file.nodes(opened(tmp_path, GRAPH[:cut]))] < whole
