"""What a `.meta` file says of a graph's variables."""

import pytest

from estimator_ckpt.bundle.errors import CheckpointError, CorruptIndexError
from estimator_ckpt.checkpoint.evidence import meta_graph
from tests.bundle import protobufs


@pytest.fixture
def prefix(tmp_path):
    def write(**collections):
        message = protobufs.MetaGraphDef()
        for key, names in collections.items():
            for name, whole in names:
                variable = protobufs.VariableDef(variable_name=f"{name}:0")
                if whole:
                    variable.save_slice_info_def.full_name = whole
                data = variable.SerializeToString()
                message.collection_def[key].bytes_list.value.append(data)
        (tmp_path / "c.meta").write_bytes(message.SerializeToString())
        return str(tmp_path / "c")

    return write


ALL = [("step", ""), ("w/part_0", "w"), ("w/part_1", "w"), ("mean", "")]


def test_parts_are_under_their_whole_s_name(prefix):
    found = prefix(variables=ALL, trainable_variables=ALL[1:3])
    assert meta_graph.creation_order(found) == ["step", "w", "mean"]
    assert meta_graph.trainable_variables(found) == {"w"}
    assert meta_graph.trainability(found) == {"step": False, "w": True, "mean": False}


def test_an_exported_graph_says_nothing_of_what_is_trained(prefix):
    found = prefix(variables=ALL)
    assert meta_graph.trainability(found) is None
    assert meta_graph.trainable_variables(found) == frozenset()


def test_without_a_file_nothing_is_said_or_told_what_to_do(tmp_path):
    prefix = str(tmp_path / "none")
    assert meta_graph.trainability(prefix) is None
    assert meta_graph.creation_order(prefix) == []
    with pytest.raises(CheckpointError, match=r"none\.meta: there is none.*--include"):
        meta_graph.trainable_variables(prefix)


def test_what_is_no_graph_is_one_line(tmp_path):
    (tmp_path / "c.meta").write_bytes(b"\xff\xff")
    with pytest.raises(CorruptIndexError, match=r"c\.meta: no MetaGraphDef"):
        meta_graph.creation_order(str(tmp_path / "c"))
