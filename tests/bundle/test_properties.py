"""Any checkpoint: written by us, read by us and by TensorFlow, and the other way."""

import tempfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.index import index_path, shard_path
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.sstable.table import read_table
from estimator_ckpt.bundle.sstable.table_writer import write_table
from estimator_ckpt.bundle.writer import Partitioned, write_bundle
from tests.bundle import strategies
from tests.bundle.helpers import assert_same, restore, save

CHECKPOINTS = st.dictionaries(
    strategies.NAMES, strategies.arrays() | strategies.partitions(), max_size=5
)
# TensorFlow takes milliseconds per tensor; we do not.
MANY = settings(max_examples=150, deadline=None)
FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def _split(checkpoint):
    """What to write, and what has to be read."""
    tensors = {n: v[1] if isinstance(v, tuple) else v for n, v in checkpoint.items()}
    values = {n: v[0] if isinstance(v, tuple) else v for n, v in checkpoint.items()}
    return tensors, values


def _spec(shape, extents):
    """TensorFlow's text for a slice: `3 5 0,2:-`."""
    parts = ["-" if length == -1 else f"{start},{length}" for start, length in extents]
    return f"{' '.join(map(str, shape))} {':'.join(parts)}"


@MANY
@given(CHECKPOINTS)
def test_what_we_write_we_read(checkpoint):
    tensors, values = _split(checkpoint)
    with tempfile.TemporaryDirectory() as directory:
        write_bundle(f"{directory}/c", tensors)
        reader = BundleReader(f"{directory}/c")
        assert set(reader.index) == set(values)
        for name, value in values.items():
            assert_same(reader.read(name), value)
        for key in reader.index.records:
            reader.verify(key)
        data = files.read(index_path(f"{directory}/c"))
        assert write_table(read_table(data, "").items()) == data


@MANY
@given(st.data())
def test_any_region_of_a_partitioned_variable_is_that_of_the_whole(data):
    whole, partitioned = data.draw(strategies.partitions())
    region = data.draw(strategies.regions(whole.shape))
    with tempfile.TemporaryDirectory() as directory:
        write_bundle(f"{directory}/c", {"v": partitioned})
        found = BundleReader(f"{directory}/c").read_slice("v", region)
        assert_same(found, whole[tuple(slice(s, s + n) for s, n in region)])


@FEW
@given(CHECKPOINTS)
def test_what_we_write_tensorflow_reads(checkpoint):
    tensors, values = _split(checkpoint)
    with tempfile.TemporaryDirectory() as directory:
        write_bundle(f"{directory}/c", tensors)
        index = BundleReader(f"{directory}/c").index
        for name, value in values.items():
            dtype = index[name].dtype_name
            if not index[name].is_partitioned:
                assert_same(restore(f"{directory}/c", name, dtype), value)
                continue
            if dtype not in strategies.NOT_JOINED + strategies.NOT_JOINED_EITHER:
                assert_same(restore(f"{directory}/c", name, dtype), value)
            for extents, part in tensors[name].parts.items():
                spec = _spec(value.shape, extents)
                assert_same(restore(f"{directory}/c", name, dtype, spec), part)


@FEW
@given(CHECKPOINTS.filter(bool))
def test_what_tensorflow_writes_we_read_and_write_alike(checkpoint):
    tensors, values = _split(checkpoint)
    pairs, specs = [], []
    for name in sorted(tensors, key=str.encode):
        value = tensors[name]
        if isinstance(value, Partitioned):
            pairs += [(name, part) for part in value.parts.values()]
            specs += [_spec(value.shape, extents) for extents in value.parts]
        else:
            pairs.append((name, value))
            specs.append("")
    with tempfile.TemporaryDirectory() as directory:
        save(f"{directory}/theirs", pairs, specs)
        reader = BundleReader(f"{directory}/theirs")
        assert set(reader.index) == set(values)
        for name, value in values.items():
            assert_same(reader.read(name), value)
        for key in reader.index.records:
            reader.verify(key)
        write_bundle(f"{directory}/ours", tensors)
        ours, theirs = f"{directory}/ours", f"{directory}/theirs"
        assert files.read(index_path(ours)) == files.read(index_path(theirs))
        assert files.read(shard_path(ours, 0, 1)) == files.read(
            shard_path(theirs, 0, 1)
        )


@pytest.mark.parametrize("name", ["caf\udce9", "\udcff/\udcfe"])
def test_tensorflow_reads_names_that_are_no_utf8(tmp_path, name):
    write_bundle(tmp_path / "c", {name: [1.0, 2.0]})
    assert list(BundleReader(tmp_path / "c").index) == [name]
    raw = name.encode("utf-8", "surrogateescape")
    assert restore(tmp_path / "c", raw, "float64").tolist() == [1.0, 2.0]
