"""What of a source goes into a new bundle."""

import numpy as np
import pytest

from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.writer import Partitioned, write_bundle
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.conversion.key_moves import KeyMoves
from estimator_ckpt.conversion.writing import drafts, new_bundle
from tests.conversion.named_moves import moves_of

OBJECT = object_keys.variable_key("p")


@pytest.fixture
def index(tmp_path):
    """A variable, and one of halves in two slices, which TensorFlow cannot join."""
    halves = Partitioned(
        (3,), {(Extent(0, 1),): np.float16([1]), (Extent(1, 2),): np.float16([2, 3])}
    )
    write_bundle(tmp_path / "c", {"v": np.float32([1, 2]), "p": halves})
    with BundleReader(tmp_path / "c") as reader:
        yield reader.index


def test_keys_that_stay_and_new_ones(index):
    new = drafts.draft(index, KeyMoves(moves_of({"v": ("v", "w"), "p": ()})))
    assert list(new.kept) == list(new.carried) == [b"v"]
    assert list(drafts.new_keys(b"v", new.kept[b"v"])) == [b"v", b"w"]
    assert (new.size, index.ends(new.carried)) == (8, {0: index["v"].offset + 8})
    assert not new.has_new_tensors


def test_slices_go_with_their_variable(index):
    new = drafts.draft(index, KeyMoves(moves_of({"v": (), "p": ("q",)})))
    keys = [key for old in new.kept for key in drafts.new_keys(old, new.kept[old])]
    assert b"q" in keys
    assert len(keys) == 3
    assert all(key == b"q" or (b"q" in key and key[0] == 0) for key in keys)
    assert new.size == 6


def test_what_tensorflow_cannot_join_is_written_whole_under_its_object_key(index):
    new = drafts.draft(index, KeyMoves(moves_of({"v": (), "p": (OBJECT, "p")})))
    assert new.whole == {b"p": [OBJECT.encode()]}
    assert {name for names in new.kept.values() for name in names} == {b"p"}
    assert len(list(new.carried)) == len(new.kept) == 3
    assert new.has_new_tensors


def test_two_keys_of_one_tensor_take_its_bytes_once(index):
    new = drafts.draft(index, KeyMoves(moves_of({"v": ("a", "b", "c"), "p": ()})))
    assert new.size == 8
    assert len(new.places) == 1


def test_what_is_written_whole_is_needed_but_its_shard_is_not_used(tmp_path, index):
    apart = drafts.draft(index, KeyMoves(moves_of({"v": (), "p": (OBJECT,)})))
    moved = drafts.draft(index, KeyMoves(moves_of({"v": ("w",), "p": ()})))
    with BundleReader(tmp_path / "c") as reader:
        with new_bundle.prepared(reader, apart) as ready:
            assert (list(ready.source.shards), ready.used_shards) == ([0], [])
        with new_bundle.prepared(reader, moved) as ready:
            assert (list(ready.source.shards), ready.used_shards) == ([0], [0])
