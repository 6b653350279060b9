"""Damages bundles at random: a CheckpointError or the right answer, nothing else.

    python -m tests.fuzz.bundle --seconds=60 --seed=7

Two damages take turns. Bytes of the index or of a shard are changed, cut out,
doubled or cut off: then whatever can still be read must be what it was. Or parts of an
index are changed and its checksums made right again, so that the damage reaches the
code behind them: then anything may be read, but only a CheckpointError may be raised.

A case may take `_SECONDS` and, with all others, `_MEMORY`. A case that fails is kept in
a directory that is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from typing import Any, NamedTuple

import numpy as np

from estimator_ckpt.bundle import checksum, errors
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.index import index_path, shard_path
from estimator_ckpt.bundle.protobuf.varints import read_varint, write_varint
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.sstable import table, table_writer
from estimator_ckpt.bundle.sstable.table_blocks import FOOTER_SIZE
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.writer import Partitioned, write_bundle
from tests.bundle.compressed import compressed

_SECONDS = 5.0
_MEMORY = 256 << 20

_INTERESTING = tuple(
    number.to_bytes(8, "little")[:size]
    for number in (0, 1, 0x7F, 0x80, 0xFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
    for size in (1, 2, 4, 8)
) + tuple(write_varint(number) for number in (2**31, 2**32, 2**62, 2**64 - 1))


class Seed(NamedTuple):
    """A whole bundle: its files by suffix, and its values by name."""

    files: dict[str, bytes]
    values: dict[str, Any]


class Case(NamedTuple):
    """A damaged bundle, and whether its checksums are still those of the whole one."""

    files: dict[str, bytes]
    forged: bool


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--cases", type=int, default=sys.maxsize)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    seeds = make_seeds()
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    limit = used * resource.getpagesize() + _MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, _too_long)

    outcomes = {"refused": 0, "read": 0}
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        prefix = os.path.join(directory, "c")
        for number in range(options.cases):
            if time.monotonic() - start > options.seconds:
                break
            rng = random.Random(f"{options.seed}/{number}")
            seed = rng.choice(seeds)
            case = damage(seed, rng)
            try:
                outcomes[run(prefix, case, seed)] += 1
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                traceback.print_exc()
                print(f"case {number} of seed {options.seed}: {_keep(case)}")
                return 1
    print(f"seed {options.seed}: {sum(outcomes.values())} cases, {outcomes}")
    return 0


def run(prefix: str, case: Case, seed: Seed) -> str:
    """Reads all of a damaged bundle; AssertionError if it is not what it was."""
    for suffix, data in case.files.items():
        with open(prefix + suffix, "wb") as file:
            file.write(data)
    outcome = "read"
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        reader = BundleReader(prefix)
        for key in reader.index.records:
            outcome = _attempt(reader.verify, key) or outcome
        if not case.forged:
            assert set(reader.index) == set(seed.values)
        for name in reader.index:
            for check in (True, False) if case.forged else (True,):
                outcome = _attempt(_read, reader, name, check, seed, case) or outcome
    except errors.CheckpointError as error:
        _check_message(error)
        outcome = "refused"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for suffix in case.files:
            os.remove(prefix + suffix)
    return outcome


def damage(seed: Seed, rng: random.Random) -> Case:
    files = dict(seed.files)
    if rng.random() < 0.5:
        suffix = rng.choice(sorted(files))
        files[suffix] = _mutate(files[suffix], rng, seed)
        return Case(files, forged=False)
    files[".index"] = _forge(files[".index"], rng, seed)
    if rng.random() < 0.2:
        suffix = rng.choice(sorted(files))
        files[suffix] = _mutate(files[suffix], rng, seed)
    return Case(files, forged=True)


def make_seeds() -> list[Seed]:
    """Small bundles of every sort: ours, partitioned, sharded, TensorFlow 1's."""
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 99, (6, 4))
    strings = np.array([b"", b"one", b"\x00" * 200], object)
    values = {
        "numbers": rng.random((3, 5)).astype(np.float32),
        "scalar": np.int64(7),
        "empty": np.zeros((0, 3), np.uint16),
        "flags": np.array([True, False]),
        "names": strings,
        "name": np.array(b"text", object),
        "no names": strings[:0],
        "cut": whole,
        "cut twice": whole[:4],
        "cut names": strings,
    }
    rows = {(Extent(i, 2), Extent(0, 4)): whole[i : i + 2] for i in (0, 2, 4)}
    tiles = {
        (Extent(i, 2), Extent(j, 2)): whole[i : i + 2, j : j + 2]
        for i in (0, 2)
        for j in (0, 2)
    }
    pieces = {(Extent(0, 1),): strings[:1], (Extent(1, 2),): strings[1:]}
    parts = {
        "cut": Partitioned((6, 4), rows),
        "cut twice": Partitioned((4, 4), tiles),
        "cut names": Partitioned((3,), pieces),
    }
    many = {f"layer_{i}/kernel": np.float32(i) for i in range(300)}
    seeds = []
    with tempfile.TemporaryDirectory() as directory:
        for number, (tensors, expected) in enumerate(
            [({**values, **parts}, values), (many, many), ({}, {})]
        ):
            prefix = os.path.join(directory, f"c{number}")
            write_bundle(prefix, tensors)
            seeds.append(_seed(prefix, expected))
    snapped = compressed(seeds[0].files[".index"])
    seeds.append(Seed({**seeds[0].files, ".index": snapped}, values))
    testdata = pathlib.Path(__file__).parent.parent / "testdata"
    for path in sorted(testdata.glob("**/*.index")):
        prefix = str(path)[: -len(".index")]
        with BundleReader(prefix) as reader:
            # A variant cannot be read, damaged or not.
            values = {
                name: None if entry.dtype == dtypes.VARIANT else reader.read(name)
                for name, entry in reader.index.items()
            }
            seeds.append(_seed(prefix, values))
    return seeds


def _seed(prefix: str, values: dict[str, Any]) -> Seed:
    shards = BundleReader(prefix).index.header.num_shards
    paths = [
        index_path(prefix),
        *(shard_path(prefix, i, shards) for i in range(shards)),
    ]
    files = {path[len(prefix) :]: pathlib.Path(path).read_bytes() for path in paths}
    return Seed(files, values)


def _attempt(call: Any, *arguments: Any) -> str:
    try:
        call(*arguments)
    except errors.CheckpointError as error:
        _check_message(error)
        return "refused"
    return ""


def _read(reader: BundleReader, name: str, check: bool, seed: Seed, case: Case) -> None:
    found = reader.read(name, check)
    pieces = [np.zeros(0, found.dtype), *reader.iter_arrays(name, check)]
    _assert_same(np.concatenate(pieces), found.reshape(-1))
    if not case.forged:
        _assert_same(found, np.asarray(seed.values[name]))


def _assert_same(found: Any, expected: Any) -> None:
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if found.dtype == object:
        assert found.reshape(-1).tolist() == expected.reshape(-1).tolist()
    else:
        assert found.tobytes() == expected.tobytes()  # A NaN does not equal itself.


def _check_message(error: errors.CheckpointError) -> None:
    assert "\n" not in str(error)
    assert len(str(error)) < 10_000


def _too_long(*_: object) -> None:
    raise TimeoutError(f"a case took more than {_SECONDS} seconds")


def _keep(case: Case) -> str:
    directory = tempfile.mkdtemp(prefix="fuzz-bundle-")
    for suffix, data in case.files.items():
        pathlib.Path(directory, f"case{suffix}").write_bytes(data)
    return directory


# Damage.


def _mutate(data: bytes, rng: random.Random, seed: Seed) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        data = rng.choice(_MUTATIONS)(data, rng, seed)
    return data


def _place(data: bytes, rng: random.Random) -> int:
    return rng.randrange(len(data)) if data else 0


def _flip(data: bytes, rng: random.Random, _: Seed) -> bytes:
    if not data:
        return b"\x00"
    at = _place(data, rng)
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _cut_off(data: bytes, rng: random.Random, _: Seed) -> bytes:
    at = _place(data, rng)
    return data[:at] if rng.random() < 0.7 else data[at:]


def _cut_out(data: bytes, rng: random.Random, _: Seed) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + rng.choice((1, 2, 4, 8, 64)) :]


def _double(data: bytes, rng: random.Random, _: Seed) -> bytes:
    at, size = _place(data, rng), rng.choice((1, 4, 16, 300))
    return data[:at] + data[at : at + size] * 2 + data[at + size :]


def _overwrite(data: bytes, rng: random.Random, _: Seed) -> bytes:
    at, new = _place(data, rng), rng.choice(_INTERESTING)
    return data[:at] + new + data[at + len(new) :]


def _insert(data: bytes, rng: random.Random, _: Seed) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.choice(_INTERESTING) + data[at:]


def _splice(data: bytes, rng: random.Random, seed: Seed) -> bytes:
    other = rng.choice(sorted(seed.files.values()))
    at, start = _place(data, rng), _place(other, rng)
    size = rng.choice((4, 16, 64))
    return data[:at] + other[start : start + size] + data[at + size :]


_MUTATIONS = (_flip, _flip, _cut_off, _cut_out, _double, _overwrite, _insert, _splice)


def _forge(index: bytes, rng: random.Random, seed: Seed) -> bytes:
    """Changes an index and makes its checksums right again."""
    if rng.random() < 0.6:
        records = dict(table.read_table(index, "seed"))
        for _ in range(rng.choice((1, 1, 3))):
            key = rng.choice(list(records))
            value = records.pop(key)
            if rng.random() < 0.3:
                key = _mutate(key, rng, seed)
            else:
                value = _mutate(value, rng, seed)
            records[key] = value
        return table_writer.write_table(sorted(records.items()))
    blocks = _blocks(index)
    offset, size = rng.choice(blocks)
    block = _mutate(index[offset : offset + size], rng, seed)[:size].ljust(
        size, b"\x00"
    )
    if rng.random() < 0.1:
        block = block[:-1] + rng.choice((b"\x00", b"\x01"))
    stored = checksum.mask(checksum.value(block)).to_bytes(4, "little")
    return index[:offset] + block + stored + index[offset + size + 4 :]


def _blocks(index: bytes) -> list[tuple[int, int]]:
    """Offset and size of the blocks of a whole index, compression byte included."""
    end = len(index) - FOOTER_SIZE
    numbers, position = [], end
    for _ in range(4):
        number, position = read_varint(index, position, len(index))
        numbers.append(number)
    return [
        (0, numbers[0] - 4),
        (numbers[0], numbers[1] + 1),
        (numbers[2], numbers[3] + 1),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
