"""Files without checksums: whole tensors, parts and bytes follow from the pieces."""

import numpy as np
import pytest

from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CorruptIndexError, UnsupportedCheckpointError
from estimator_ckpt.bundle.tensors import slices
from estimator_ckpt.checkpoint.weight_files.unchecked_reader import UncheckedReader

VALUE = np.arange(24, dtype=np.float32).reshape(4, 6)


class Raw(UncheckedReader):
    """A file that is one float32[4, 6] and nothing else."""

    NOT_ONE = "no raw file"
    NO_CHECKSUMS = "a raw file has no checksums"

    def _entries(self):
        if self._file.size != VALUE.nbytes:
            raise ValueError(f"{self._file.size} bytes")
        return {"w": Entry(1, VALUE.shape, size=VALUE.nbytes)}

    def _pieces(self, name, entry, counts):
        return self._stored(0, entry, counts)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "w.raw"
    path.write_bytes(VALUE.tobytes())
    return str(path)


@pytest.mark.parametrize("piece", [8, 40, 1 << 20])
def test_pieces_make_the_tensor_its_parts_and_its_bytes(path, monkeypatch, piece):
    monkeypatch.setattr(slices, "PIECE", piece)
    with Raw(path) as reader:
        found = list(reader.iter_arrays("w"))
        assert max(array.nbytes for array in found) <= piece
        np.testing.assert_array_equal(np.concatenate(found), VALUE.reshape(-1))
        np.testing.assert_array_equal(reader.read("w"), VALUE)
        part = reader.read_slice("w", [(1, 2), (0, -1)])
        np.testing.assert_array_equal(part, VALUE[1:3])
        assert b"".join(map(bytes, reader.iter_chunks(b"w"))) == VALUE.tobytes()
        reader.verify_whole("w")


def test_what_is_read_cannot_be_changed(path):
    with Raw(path) as reader:
        value = reader.read("w")
    with pytest.raises(ValueError, match="read-only"):
        value[0] = 1


def test_it_says_that_there_is_nothing_to_verify_with(path):
    with (
        Raw(path) as reader,
        pytest.raises(
            UnsupportedCheckpointError, match=r"w\.raw: a raw file has no checksums"
        ),
    ):
        reader.verify(b"w")


def test_a_file_that_is_none_is_closed_and_named(path, monkeypatch):
    closed = []
    monkeypatch.setattr(Raw, "close", lambda self: closed.append(self._file))
    with open(path, "ab") as file:
        file.write(b"x")
    with pytest.raises(CorruptIndexError, match=r"w\.raw: no raw file: 97 bytes"):
        Raw(path)
    (file,) = closed
    file.close()
