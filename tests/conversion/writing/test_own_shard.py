"""The shard that is written anew: each tensor once, none that exceeds the source."""

import os

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle import checksum
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import index_path, serialize_index, shard_path
from estimator_ckpt.bundle.writer import write_bundle
from tests.conversion.saving import size_of

FORMATS = ("tf1", "tf2", "dual")
FLOAT = 1


def write_entries(prefix, data, entries):
    os.makedirs(os.path.dirname(prefix), exist_ok=True)
    with open(shard_path(prefix, 0, 1), "wb") as file:
        file.write(data)
    items = [(key, entry.serialize()) for key, entry in entries.items()]
    with open(index_path(prefix), "wb") as file:
        file.write(serialize_index(Header(), items))


@pytest.mark.parametrize("number", [2, 1000])
def test_aliases_of_one_tensor_are_copied_and_averaged_once(tmp_path, number):
    """However many keys it has: 1,000 keys of 1 MB are no 1 GB."""
    data = np.arange(250_000, dtype="float32").tobytes()
    entry = Entry(
        FLOAT, (250_000,), size=len(data), crc32c=checksum.mask(checksum.value(data))
    )
    junk = bytes(2 * len(data))  # so that copying goes tensor by tensor
    prefix = str(tmp_path / "old" / "c")
    write_entries(prefix, data + junk, {b"v%04d" % n: entry for n in range(number)})
    for new in (
        ec.convert(prefix, tmp_path / "copied" / "n", to="tf1", data="copy"),
        ec.average([prefix, prefix], tmp_path / "mean" / "n"),
    ):
        assert size_of(new) == len(data)
        assert len(ec.open_checkpoint(new)) == number
        np.testing.assert_array_equal(
            ec.open_checkpoint(new).read("v0001"), np.frombuffer(data, "float32")
        )


def test_tensors_that_overlap_are_refused_where_bytes_are_copied(tmp_path):
    """A small file must not become a large one."""
    data = bytes(4 * 1000)
    entries = {
        b"v%04d" % n: Entry(
            FLOAT,
            (900,),
            offset=4 * n,
            size=3600,
            crc32c=checksum.mask(checksum.value(data[:3600])),
        )
        for n in range(100)
    }
    prefix = str(tmp_path / "old" / "c")
    write_entries(prefix, data, entries)
    with pytest.raises(CorruptIndexError, match="overlap"):
        ec.average([prefix, prefix], tmp_path / "n" / "m")
    assert not (tmp_path / "n").exists()


def test_progress_has_every_byte_that_is_copied(tmp_path):
    write_bundle(tmp_path / "c", {"v": np.zeros([3, 5]), "w/Adam": np.zeros([7])})
    done = []
    new = ec.slim(tmp_path / "c", tmp_path / "n", progress=done.append)
    assert sum(done) == 3 * 5 * 8 + 7 * 8 == size_of(new)
    done.clear()
    ec.average([new, new], tmp_path / "mean", progress=done.append)
    assert sum(done) == size_of(new)
