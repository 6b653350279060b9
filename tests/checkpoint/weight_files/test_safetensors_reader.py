"""A `.safetensors` file is a source like any other, and is not believed either."""

import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CorruptIndexError,
    SourceChangedError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.checkpoint.weight_files.safetensors_reader import SafetensorsReader

VALUES = {
    "dense/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "dense/bias": np.array([1.5, -2.5, 3.5], np.float32),
    "global_step": np.array(7, np.int64),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 4), np.float16),
    "bytes": np.array([1, 2, 255], np.uint8),
}
NAMES = {"float32": "F32", "int64": "I64", "bool": "BOOL", "float16": "F16"}
NAMES |= {"uint8": "U8"}


def contents_of(values, metadata=None):
    """The header and the data of a file with these values."""
    header, data = {"__metadata__": metadata or {"format": "tf"}}, b""
    for name, value in values.items():
        end = len(data) + value.nbytes
        header[name] = {
            "dtype": NAMES[value.dtype.name],
            "shape": list(value.shape),
            "data_offsets": [len(data), end],
        }
        data += value.tobytes()
    return header, data


def written(path, header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


@pytest.fixture
def path(tmp_path):
    return written(tmp_path / "model.safetensors", *contents_of(VALUES))


def test_it_is_opened_as_a_checkpoint_by_names(path):
    with ec.open_checkpoint(path) as checkpoint:
        assert checkpoint.global_step == 7
        assert set(checkpoint) == set(VALUES)
        for name, value in VALUES.items():
            found = checkpoint.read(name)
            assert (found.dtype, found.shape) == (value.dtype, value.shape)
            assert found.tobytes() == value.tobytes()
            assert not found.flags.writeable


def test_metadata_and_slices_are_read(path):
    with SafetensorsReader(str(path)) as reader:
        assert reader.metadata == {"format": "tf"}
        part = reader.read_slice("dense/kernel", [(1, 1), (0, -1)])
        assert part.tolist() == [[3.0, 4.0, 5.0]]
        pieces = list(reader.iter_arrays("dense/kernel"))
        assert np.concatenate(pieces).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("format", ["tf1", "tf2", "dual"])
def test_it_is_converted_and_the_result_is_what_it_was(tmp_path, path, format):
    new = ec.convert(path, tmp_path / "new" / "model.ckpt", to=format)
    assert ec.verify(new).ok
    assert not ec.diff(path, new)
    assert not ec.plan(path, new).problems


def test_what_has_no_checksums_cannot_be_verified(path):
    with pytest.raises(UnsupportedCheckpointError, match="has no checksums"):
        ec.verify(path)


def test_its_commands_say_so_in_one_line(path):
    command = [sys.executable, "-m", "estimator_ckpt"]
    shown = subprocess.run([*command, "inspect", path], capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "dense/kernel" in shown.stdout
    done = subprocess.run([*command, "verify", path], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "has no checksums" in done.stderr


HEADER, DATA = contents_of({"a": np.ones(2, np.float32), "b": np.ones(3, np.float32)})


def but(**changes):
    return {**HEADER, "b": {**HEADER["b"], **changes}}


BAD = {
    "begins at byte 4": (but(data_offsets=[4, 16], shape=[3]), DATA),
    "begins at byte 9": (but(data_offsets=[9, 21]), DATA + b"\0"),
    "the tensors end at byte": (HEADER, DATA + b"\0"),
    "and the file at": (HEADER, DATA[:-1]),
    "but has 12 bytes": (but(shape=[4]), DATA),
    "has -12 bytes|but has": (but(data_offsets=[20, 8]), DATA),
    "3.0 is no size": (but(shape=[3.0]), DATA),
    "the place of 'b' are not sizes": (but(data_offsets=[8]), DATA),
    "or the place of": (but(shape=[-3]), DATA),
    "are not size[s]": (but(shape=[True]), DATA),
    "the shape or": (but(shape=3), DATA),
    "but has 12": (but(shape=[2**40, 2**40, 2**40]), DATA),
    "has not the fields": ({**HEADER, "b": [1]}, DATA),
    "has not the field[s]": ({**HEADER, "b": {"shape": [3], "dtype": "F32"}}, DATA),
    "stands there twice": (
        b'{"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}, '
        b'"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}',
        bytes(4),
    ),
    "no texts by name": ({**HEADER, "__metadata__": {"a": 1}}, DATA),
    "no texts by nam[e]": ({**HEADER, "__metadata__": "x"}, DATA),
    "utf-8": (b'{"\xff": 1}', b""),
    "surrogates": (b'{"\\ud800": {}}', b""),
    "lists within lists": (b'{"a": ' + b"[" * 100_000, b""),
    "cannot be a tensor's name": ({"": HEADER["a"]}, DATA),
    "does not begin with": (b"  {}", b""),
    "no whole": (b"{", b""),
    "a number of": (b'{"a": ' + b"9" * 1_000_000 + b"}", b""),
    "is no size": (b'{"a": 1e9}', b""),
    "is no siz[e]": (b'{"a": NaN}', b""),
}


@pytest.mark.parametrize("reason", BAD)
def test_a_header_that_lies_is_one_line(tmp_path, reason):
    path = written(tmp_path / "bad.safetensors", *BAD[reason])
    with pytest.raises(CorruptIndexError, match=reason) as caught:
        ec.open_checkpoint(path)
    assert "bad.safetensors: no whole .safetensors file" in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("size", [0, 1, 2**63, 2**64 - 1, 100_000_001, 200])
def test_a_size_of_the_header_that_cannot_be(tmp_path, size):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + b"{}      ")
    tracemalloc.start()
    with pytest.raises(CheckpointError, match=r"no whole \.safetensors"):
        ec.open_checkpoint(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 << 20
    path.write_bytes(b"\0" * 5)
    with pytest.raises(CheckpointError, match="it has 5 bytes"):
        ec.open_checkpoint(path)


def test_what_a_later_version_says_more_of_a_tensor_is_passed_over(tmp_path):
    path = written(tmp_path / "more.safetensors", but(more=1), DATA)
    with ec.open_checkpoint(path) as checkpoint:
        assert checkpoint.read("b").tolist() == [1.0, 1.0, 1.0]


def test_a_type_that_tensorflow_lacks_is_named(tmp_path):
    path = written(tmp_path / "f4.safetensors", but(dtype="F4"), DATA)
    with pytest.raises(
        UnsupportedCheckpointError, match=r"f4\.safetensors: 'b' is of the type 'F4'"
    ):
        ec.open_checkpoint(path)


def test_a_file_that_is_cut_off_while_it_is_read_is_an_error(tmp_path):
    """Mapped, it would end the process with SIGBUS."""
    header = b'{"a": {"dtype": "U8", "shape": [3145728], "data_offsets": [0, 3145728]}}'
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(3 << 20))
    with SafetensorsReader(str(path)) as reader:
        os.truncate(path, 1 << 20)
        with pytest.raises(SourceChangedError, match="it was cut off while"):
            reader.read("a")
