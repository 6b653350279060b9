"""A checkpoint without shards, written again as a bundle for as long as it is used."""

import contextlib
import os

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.conversion.writing import bundle_copy
from tests.testdata_paths import V1_PREFIXES, session_values


@contextlib.contextmanager
def as_bundle(path, directory=None):
    with contextlib.ExitStack() as stack:
        checkpoint = stack.enter_context(ec.open_checkpoint(path))
        bundle = stack.enter_context(
            bundle_copy.as_bundle(checkpoint.reader, directory)
        )
        yield checkpoint, bundle


@pytest.mark.parametrize("name", V1_PREFIXES)
def test_a_v1_checkpoint_is_a_bundle_meanwhile(tmp_path, name, caplog):
    with as_bundle(V1_PREFIXES[name], str(tmp_path)) as (_, bundle):
        (there,) = os.listdir(tmp_path)
        assert bundle.prefix.startswith(f"{tmp_path}/{there}/")
        for key, value in session_values(name).items():
            np.testing.assert_array_equal(bundle.read(key), value)
    assert os.listdir(tmp_path) == []
    assert "of the V1 format" in caplog.text


def test_a_bundle_is_given_back_as_it_is(tmp_path, caplog):
    write_bundle(tmp_path / "c", {"v": np.float32(1)})
    with as_bundle(tmp_path / "c") as (checkpoint, bundle):
        assert bundle is checkpoint.reader
    assert not caplog.records


def test_nothing_is_left_where_a_conversion_fails(tmp_path):
    (name, *_) = V1_PREFIXES
    with pytest.raises(KeyError), as_bundle(V1_PREFIXES[name], str(tmp_path)):
        raise KeyError
    assert os.listdir(tmp_path) == []


class Told(list):
    """Bytes that are done, and how many there would be."""

    def __init__(self):
        super().__init__()
        self.expected = 0

    def __call__(self, size):
        self.append(size)

    def expect(self, size):
        self.expected += size


@pytest.mark.parametrize("call", [ec.convert, ec.slim])
def test_progress_has_every_byte_that_is_written_again(tmp_path, call):
    write_bundle(tmp_path / "c", {"v": np.ones(600_000), "w": np.ones(7, np.int8)})
    path = ec.convert(tmp_path / "c", tmp_path / "c.safetensors", to="safetensors")
    told, options = Told(), {"to": "tf1"} if call is ec.convert else {}
    call(path, tmp_path / "new", progress=told, **options)
    assert sum(told) == told.expected
    assert told.expected >= 2 * 600_000 * 8  # written, then linked or copied
    assert len(told) > 4
