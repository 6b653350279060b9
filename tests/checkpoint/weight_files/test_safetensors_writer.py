"""A `.safetensors` file is written in order and aligned, in little memory, or not."""

import itertools
import json
import os
import tracemalloc

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator_ckpt.bundle.errors import (
    CheckpointError,
    DestinationExistsError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint.weight_files import safetensors_writer
from estimator_ckpt.checkpoint.weight_files.safetensors_reader import SafetensorsReader
from estimator_ckpt.checkpoint.weight_files.safetensors_writer import TensorToWrite

VALUES = {
    "z/bytes": np.array([1, 2, 3], np.uint8),
    "a/flag": np.array(True),
    "half": np.array([1.5, 2.5, 3.5], np.float16),
    "brain": np.array([1.0, -2.0], ml_dtypes.bfloat16),
    "kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "double": np.array([[1.0]], np.float64),
    "step": np.array(7, np.int64),
    "empty": np.zeros((0, 3), np.float32),
    "complex": np.array([1 + 2j], np.complex64),
    "schön/层": np.array([1], np.int32),
}


def to_write(value):
    data_type = dtypes.of_array(value)
    return TensorToWrite(data_type, value.shape, lambda: [value.tobytes()])


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new" / "model.safetensors"
    tensors = {name: to_write(value) for name, value in VALUES.items()}
    safetensors_writer.write(path, tensors, {"format": "tf", "from": "x"})
    with SafetensorsReader(str(path)) as reader:
        assert reader.metadata == {"format": "tf", "from": "x"}
        assert set(reader.index) == set(VALUES)
        for name, value in VALUES.items():
            found = reader.read(name)
            assert (found.dtype, found.shape) == (value.dtype, value.shape)
            assert found.tobytes() == value.tobytes()


def test_tensors_are_aligned_and_in_the_library_s_order(tmp_path):
    tensors = {name: to_write(value) for name, value in VALUES.items()}
    safetensors_writer.write(tmp_path / "m.safetensors", tensors, {"format": "tf"})
    data = (tmp_path / "m.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    assert (8 + size) % 8 == 0
    header = json.loads(data[8 : 8 + size])
    del header["__metadata__"]
    assert list(header)[:3] == ["complex", "double", "step"]
    for name, fields in header.items():
        begin, _ = fields["data_offsets"]
        assert (8 + size + begin) % VALUES[name].dtype.itemsize == 0


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), st.binary()))
@settings(max_examples=50)
def test_any_names_make_the_round_trip(tmp_path_factory, given):
    path = tmp_path_factory.mktemp("f") / "m.safetensors"
    names = {n for n in given if not n.startswith("\0") and n != "__metadata__"}
    values = {name: np.frombuffer(given[name], np.uint8) for name in names}
    tensors = {name: to_write(value) for name, value in values.items()}
    safetensors_writer.write(path, tensors, {})
    with SafetensorsReader(str(path)) as reader:
        assert {n: reader.read(n).tobytes() for n in reader.index} == {
            name: value.tobytes() for name, value in values.items()
        }


def test_memory_stays_flat(tmp_path):
    chunk = bytes(1 << 20)
    tensor = TensorToWrite(
        dtypes.named("float32"), (64 << 18,), lambda: itertools.repeat(chunk, 64)
    )
    tracemalloc.start()
    safetensors_writer.write(tmp_path / "m.safetensors", {"v": tensor}, {})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert os.path.getsize(tmp_path / "m.safetensors") > 64 << 20
    assert peak < 1 << 20


@pytest.mark.parametrize(
    ("name", "tensor", "error", "reason"),
    [
        (
            "v",
            TensorToWrite(dtypes.named("float32"), (2,), lambda: [b"1234"]),
            CheckpointError,
            "4 bytes were given for 'v'",
        ),
        (
            "v",
            TensorToWrite(dtypes.named("string"), (), lambda: [b""]),
            UnsupportedCheckpointError,
            "'v' is string, which the format has not",
        ),
        ("", to_write(np.ones(1)), CheckpointError, "cannot be a tensor's name"),
        ("__metadata__", to_write(np.ones(1)), CheckpointError, "cannot be a tensor"),
        ("\udcff", to_write(np.ones(1)), CheckpointError, "no UTF-8"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(tmp_path, name, tensor, error, reason):
    with pytest.raises(error, match=reason):
        safetensors_writer.write(tmp_path / "m.safetensors", {name: tensor}, {})
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_there_is_replaced_only_if_that_is_asked_for(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    one = {"v": to_write(np.ones(1))}
    with pytest.raises(DestinationExistsError):
        safetensors_writer.write(path, one, {})
    assert path.read_bytes() == b"old"
    safetensors_writer.write(path, one, {}, overwrite=True)
    assert os.listdir(tmp_path) == ["m.safetensors"]
    with SafetensorsReader(str(path)) as reader:
        assert reader.read("v").tolist() == [1.0]
