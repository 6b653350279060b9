"""A source that is saved anew, as TensorFlow saves, while something reads it."""

import os
import shutil

import numpy as np

import estimator_ckpt as ec
from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import index_path, serialize_index, shard_path
from estimator_ckpt.bundle.writer import ShardWriter

#: Variables in two shards: as many bytes, whatever their values.
NAMES = (("dense/bias", "dense/kernel", "flag"), ("global_step", "out/kernel"))
SHAPES = {"dense/bias": (100,), "dense/kernel": (300, 100), "out/kernel": (300, 400)}


def values(number):
    """All variables of a save; each holds its number."""
    found = {name: np.full(shape, number, "float32") for name, shape in SHAPES.items()}
    found["global_step"] = np.array(number, "int64")
    found["flag"] = np.array(number % 2 == 0)
    return found


def prepare(prefix, number):
    """Writes the new shards beside; returns the bytes of their index."""
    beside = f"{prefix}_temp"
    os.makedirs(beside, exist_ok=True)
    entries, tensors = {}, values(number)
    for shard_id, names in enumerate(NAMES):
        with ShardWriter(f"{beside}/{shard_id}", shard_id) as shard:
            for name in names:
                entries[coding.name_to_key(name)] = shard.add(tensors[name])
    items = [(key, entry.serialize()) for key, entry in entries.items()]
    return serialize_index(Header(num_shards=len(NAMES)), items)


def rename_shards(prefix):
    """The first half of what TensorFlow does: new shards under an old index."""
    for shard_id in range(len(NAMES)):
        new = shard_path(prefix, shard_id, len(NAMES))
        os.replace(f"{prefix}_temp/{shard_id}", new)
    os.rmdir(f"{prefix}_temp")


def write_index(prefix, data):
    """The second half: the index, in place."""
    with open(index_path(prefix), "wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        file.write(data[len(data) // 2 :])


def save(prefix, number):
    """Saves under a prefix that may be there already."""
    data = prepare(prefix, number)
    rename_shards(prefix)
    write_index(prefix, data)


def delete(prefix):
    """Deletes as a Saver does: the index first."""
    os.unlink(index_path(prefix))
    for shard_id in range(len(NAMES)):
        os.unlink(shard_path(prefix, shard_id, len(NAMES)))
    shutil.rmtree(f"{prefix}_temp", ignore_errors=True)


def number_in(prefix):
    """The number of the save that a checkpoint is of, whole."""
    assert ec.verify(prefix).ok
    with ec.open_checkpoint(prefix) as checkpoint:
        number = checkpoint.global_step
        for name, value in values(number).items():
            if name in checkpoint:
                np.testing.assert_array_equal(checkpoint.read(name), value)
    return number


def size_of(prefix):
    """The bytes of a checkpoint's shards."""
    directory, base = os.path.split(prefix)
    return sum(
        os.path.getsize(os.path.join(directory, name))
        for name in os.listdir(directory)
        if name.startswith(f"{base}.data")
    )


def tree(directory):
    """Every file below a directory: its bytes, by its path there; {} if it is none."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in sorted(directory.rglob("*"))
    }
