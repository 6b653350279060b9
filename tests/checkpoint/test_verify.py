"""verify: damage anywhere that matters is found, and named."""

import random
import shutil

import pytest

import estimator_ckpt as ec
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


def test_progress_counts_every_byte():
    done = []
    found = ec.verify(TESTDATA / "digits", progress=done.append)
    assert sum(done) == found.num_bytes
