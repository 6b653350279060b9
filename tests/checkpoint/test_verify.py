"""verify: damage anywhere that matters is found, and named."""

import pathlib
import random
import re
import shutil
import threading

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import serialize_index, shard_path
from estimator_ckpt.bundle.writer import ShardWriter
from tests import sources
from tests.testdata_paths import PREFIXES, TESTDATA


@pytest.mark.parametrize("name", PREFIXES)
def test_real_checkpoints_are_whole(name):
    found = ec.verify(PREFIXES[name])
    assert found.ok
    assert found.num_tensors > 0


@pytest.fixture
def copy(tmp_path):
    for path in (TESTDATA / "embedding-sharded").glob("model.ckpt-20.[id]*"):
        shutil.copy(path, tmp_path)
    return tmp_path / "model.ckpt-20"


def test_each_of_1000_flipped_bits_is_found(copy):
    """In shards without gaps, as TensorFlow writes them, every byte is covered."""
    chance = random.Random(5)
    paths = sorted(copy.parent.iterdir())
    whole = {path: path.read_bytes() for path in paths}
    places = [(path, at) for path in paths for at in range(len(whole[path]))]
    for path, at in chance.choices(places, k=1000):
        data = bytearray(whole[path])
        data[at] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        assert not ec.verify(copy).ok, (path.name, at)
        path.write_bytes(whole[path])
    assert ec.verify(copy).ok


def test_a_damaged_tensor_is_named_with_its_shard_and_offset(copy):
    checkpoint = ec.open_checkpoint(copy)
    info = checkpoint["logits/kernel"]
    shard = f"{copy}.data-{info.shard:05d}-of-{checkpoint.num_shards:05d}"
    with open(shard, "r+b") as file:
        file.seek(info.offset + 2)
        file.write(b"\xff\xff")
    (problem,) = ec.verify(copy).problems
    assert (problem.key, problem.shard, problem.offset) == (
        "logits/kernel",
        shard,
        info.offset,
    )
    assert "logits/kernel" in problem.message


def test_missing_and_short_shards_are_found(copy):
    shards = sorted(copy.parent.glob("*.data-*"))
    size = shards[0].stat().st_size
    shards[1].unlink()
    with open(shards[0], "r+b") as file:
        file.truncate(size - 1)
    messages = " ".join(p.message for p in ec.verify(copy).problems)
    assert "the shard is missing" in messages
    assert "the shard is cut off" in messages


def test_a_damaged_index_is_a_problem_and_no_error(copy):
    index = copy.parent / "model.ckpt-20.index"
    data = bytearray(index.read_bytes())
    data[30] ^= 1
    index.write_bytes(data)
    (problem,) = ec.verify(copy).problems
    assert problem.key is None
    assert problem.shard == str(index)


def test_a_v1_checkpoint_that_cannot_be_opened_is_named_itself(tmp_path):
    source = sources.v1_with_a_shard_gone(tmp_path / "job")
    (problem,) = ec.verify(source).problems
    assert problem.key is None
    assert problem.shard == str(source / "model.ckpt-7-?????-of-00002")


def test_progress_counts_every_byte():
    done = []
    found = ec.verify(TESTDATA / "digits", progress=done.append)
    assert sum(done) == found.num_bytes


def _with_parts(prefix, shape, parts):
    """A checkpoint that says that a variable of this shape has these parts."""
    entries = {}
    with ShardWriter(shard_path(prefix, 0, 1)) as shard:
        for extents in parts:
            lengths = [extent.length for extent in extents]
            entries[coding.slice_key("v", extents)] = shard.add(np.ones(lengths))
    whole = Entry(dtype=2, shape=shape, slices=tuple(parts))
    entries[b"v"] = whole
    items = [(key, entry.serialize()) for key, entry in entries.items()]
    index = serialize_index(Header(), items)
    pathlib.Path(f"{prefix}.index").write_bytes(index)


ROWS = [(Extent(i, 2), Extent(0, 3)) for i in (0, 2, 4)]
TILES = [(Extent(i, 2), Extent(j, 2)) for i in (0, 2) for j in (0, 2)]


@pytest.mark.parametrize(
    ("shape", "parts", "ok"),
    [
        ((6, 3), ROWS, True),
        ((4, 4), TILES, True),
        ((6, 3), ROWS[:2], False),  # a gap at the end
        ((6, 3), ROWS[1:], False),
        ((8, 3), [*ROWS, (Extent(7, 1), Extent(0, 3))], False),  # between two
        ((6, 3), [*ROWS, (Extent(5, 1), Extent(0, 3))], False),  # one over another
        ((6, 3), [*ROWS, ROWS[0]], False),  # listed twice
        ((4, 4), [*TILES[:3], (Extent(1, 2), Extent(1, 2))], False),  # both
        ((7, 3), ROWS, False),
    ],
)
def test_the_parts_of_a_variable_must_make_a_whole(tmp_path, shape, parts, ok):
    _with_parts(tmp_path / "c", shape, parts)
    found = ec.verify(tmp_path / "c")
    assert found.ok == ok
    if not ok:
        (problem,) = found.problems
        assert problem.key == "v"
        assert re.search("leave gaps or overlap|lists a slice twice", problem.message)


def test_without_threads_it_checks_all_the_same(copy, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done = []
    found = ec.verify(copy, progress=done.append)
    assert found.ok
    assert sum(done) == found.num_bytes > 0
