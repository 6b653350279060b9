"""The checkpoints that are measured: shapes of real models, written by our writer."""

import os

import numpy as np

from estimator_ckpt.bundle import checksum
from estimator_ckpt.bundle.coding import name_to_key
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import serialize_index, shard_path
from estimator_ckpt.bundle.protobuf.varints import write_varint
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.writer import ShardWriter

_CHUNK = 16 << 20


def bert_base():
    """BERT-base with Adam's slots: 1.3 GB of float32 in 600 variables."""
    shapes = {
        "bert/embeddings/word_embeddings": [30522, 768],
        "bert/embeddings/position_embeddings": [512, 768],
        "bert/embeddings/token_type_embeddings": [2, 768],
        "bert/embeddings/LayerNorm/beta": [768],
        "bert/embeddings/LayerNorm/gamma": [768],
        "bert/pooler/dense/kernel": [768, 768],
        "bert/pooler/dense/bias": [768],
    }
    for layer in range(12):
        at = f"bert/encoder/layer_{layer}"
        for name in ("query", "key", "value"):
            shapes[f"{at}/attention/self/{name}/kernel"] = [768, 768]
            shapes[f"{at}/attention/self/{name}/bias"] = [768]
        shapes[f"{at}/attention/output/dense/kernel"] = [768, 768]
        shapes[f"{at}/attention/output/dense/bias"] = [768]
        shapes[f"{at}/intermediate/dense/kernel"] = [768, 3072]
        shapes[f"{at}/intermediate/dense/bias"] = [3072]
        shapes[f"{at}/output/dense/kernel"] = [3072, 768]
        shapes[f"{at}/output/dense/bias"] = [768]
        for norm in ("attention/output", "output"):
            shapes[f"{at}/{norm}/LayerNorm/beta"] = [768]
            shapes[f"{at}/{norm}/LayerNorm/gamma"] = [768]
    slots = {
        f"{v}/{s}": shape for v, shape in shapes.items() for s in ("adam_m", "adam_v")
    }
    return {**shapes, **slots}


def small_variables():
    """10,000 variables of 16 numbers each."""
    return {f"scope_{i // 100}/layer_{i % 100}/kernel": [4, 4] for i in range(10_000)}


def mixture_of_experts():
    """100,000 variables of 16 numbers each: 33,333 kernels with Adam's slots."""
    kernels = [
        f"layer_{i // 2000}/expert_{i // 4 % 500}/dense_{i % 4}/kernel"
        for i in range(33_333)
    ]
    slots = [f"{kernel}/{slot}" for kernel in kernels for slot in ("adam_m", "adam_v")]
    return {name: [4, 4] for name in (*kernels, *slots)}


def embedding():
    """One embedding of 2 GB."""
    return {"embedding/weights": [4_000_000, 128]}


SHAPES = {
    "BERT-base with Adam": (bert_base, 1),
    "10,000 small variables": (small_variables, 1),
    "one 2 GB embedding": (embedding, 1),
    "PS-style, 8 shards": (bert_base, 8),
}


def write(prefix, shapes, num_shards):
    """Writes a checkpoint of these float32 shapes, and an int64 global_step.

    Args:
      prefix: its prefix.
      shapes: shapes by name.
      num_shards: shards, which the variables are dealt to in turn.
    """
    os.makedirs(os.path.dirname(prefix), exist_ok=True)
    noise = np.random.RandomState(0).standard_normal(_CHUNK // 4).astype("float32")
    noise = noise.view("u1").data
    entries = {}
    for number in range(num_shards):
        with ShardWriter(shard_path(prefix, number, num_shards), number) as shard:
            for name, shape in list(shapes.items())[number::num_shards]:
                size = int(np.prod(shape)) * 4
                chunks = (
                    noise[: min(_CHUNK, size - at)] for at in range(0, size, _CHUNK)
                )
                data_type = dtypes.named("float32")
                entries[name] = shard.add_chunks(data_type, shape, chunks)
            if number == 0:
                entries["global_step"] = shard.add(np.int64(7))
    items = ((name_to_key(name), entry.serialize()) for name, entry in entries.items())
    with open(f"{prefix}.index", "wb") as file:
        file.write(serialize_index(Header(num_shards=num_shards), items))


def write_with_holes(prefix, shapes, first):
    """Writes a checkpoint whose shard is a file with holes: it takes no disk.

    Args:
      prefix: its prefix.
      shapes: shapes by name, of float32 variables of one size.
      first: the first byte of each variable; all others are zero.
    """
    os.makedirs(os.path.dirname(prefix), exist_ok=True)
    zeros = bytes(_CHUNK)
    entries, offset, sums = {}, 0, {}
    with open(shard_path(prefix, 0, 1), "wb") as file:
        for name, shape in shapes.items():
            size = int(np.prod(shape)) * 4
            if size not in sums:
                crc = checksum.extend(0, first)
                for at in range(1, size, _CHUNK):
                    crc = checksum.extend(crc, zeros[: min(_CHUNK, size - at)])
                sums[size] = checksum.mask(crc)
            file.seek(offset)
            file.write(first)
            entries[name] = Entry(1, tuple(shape), 0, offset, size, sums[size])
            offset += size
        file.truncate(offset)
    items = ((name_to_key(name), entry.serialize()) for name, entry in entries.items())
    with open(f"{prefix}.index", "wb") as file:
        file.write(serialize_index(Header(), items))


def _field(number, value):
    """A field of a protobuf message: a number, or bytes."""
    if isinstance(value, int):
        return write_varint(number << 3) + write_varint(value)
    return write_varint(number << 3 | 2) + write_varint(len(value)) + value


def write_frozen(path, shapes):
    """Writes a frozen graph of these float32 shapes, as TensorFlow 1 freezes one."""
    with open(path, "wb") as file:
        for name, shape in shapes.items():
            sizes = b"".join(_field(2, _field(1, size)) for size in shape)
            content = bytes(int(np.prod(shape)) * 4)
            tensor = _field(1, 1) + _field(2, sizes) + _field(4, content)
            attribute = _field(1, b"value") + _field(2, _field(8, tensor))
            text = name.encode()
            node = _field(1, text) + _field(2, b"Const") + _field(5, attribute)
            file.write(_field(1, node))
            read = _field(1, text + b"/read") + _field(2, b"Identity")
            file.write(_field(1, read + _field(3, text)))
