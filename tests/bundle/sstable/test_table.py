"""The sorted string table: byte for byte TensorFlow's, and nothing else is believed."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.sstable import table, table_writer
from tests.bundle import compressed
from tests.testdata_paths import PREFIXES

ITEMS = [(b"", b"header"), (b"a", b"1"), (b"ab", b""), (b"b\xff", b"x" * 300)]


@pytest.mark.parametrize("name", PREFIXES)
def test_what_tensorflow_1_wrote_is_written_the_same(name):
    data = PREFIXES[name].with_name(PREFIXES[name].name + ".index").read_bytes()
    assert table_writer.write_table(table.read_table(data, name).items()) == data


@pytest.mark.parametrize("name", ["digits/model.ckpt-300", "slim/model.ckpt-3"])
def test_a_compressed_index_is_read_by_us_and_by_tensorflow(tmp_path, name):
    import tensorflow as tf

    prefix = PREFIXES[name]
    compressed.main(str(prefix), str(tmp_path / "c"))
    data = (tmp_path / "c.index").read_bytes()
    whole = prefix.with_name(f"{prefix.name}.index").read_bytes()
    assert table.read_table(data, "c") == table.read_table(whole, "c")
    theirs = tf.train.load_checkpoint(str(tmp_path / "c"))
    with BundleReader(tmp_path / "c") as reader:
        assert theirs.get_variable_to_shape_map() == {
            name: list(entry.shape) for name, entry in reader.index.items()
        }
        for name in reader.index:
            expected = theirs.get_tensor(name)
            assert reader.read(name).tolist() == np.asarray(expected).tolist()


def test_the_library_for_compressed_indexes_is_loaded_only_when_one_is_met(tmp_path):
    compressed.main(str(PREFIXES["digits/model.ckpt-300"]), str(tmp_path / "c"))
    program = (
        "import sys\n"
        "from estimator_ckpt.bundle.index import read_index\n"
        f"read_index({str(PREFIXES['digits/model.ckpt-300'])!r} + '.index')\n"
        "assert 'cramjam' not in sys.modules\n"
        f"read_index({str(tmp_path / 'c.index')!r})\n"
        "assert 'cramjam' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def _save(prefix, names, tensors):
    import tensorflow as tf

    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=tensors,
    )
    return prefix.with_name(prefix.name + ".index").read_bytes()


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([f"layer_{i}/kernel" for i in range(12000)], id="plain"),
        # Where blocks meet: keys that differ by one, by more, by a prefix, at ff.
        pytest.param([f"{i:05d}{'x' * 40}" for i in range(6000)], id="last-digit"),
        pytest.param(["k" * i for i in range(1, 3200)], id="prefixes"),
        pytest.param(
            [chr(65 + i // 1000) + chr(i % 1000 + 256) * 30 for i in range(5000)],
            id="far-apart",
        ),
    ],
)
def test_an_index_of_many_blocks_is_written_as_tensorflow_writes_it(tmp_path, names):
    import tensorflow as tf

    data = _save(tmp_path / "c", names, [tf.zeros([])] * len(names))
    assert len(data) > 256 << 10
    records = table.read_table(data, "index")
    assert list(records)[1:] == sorted(name.encode() for name in names)
    assert table_writer.write_table(records.items()) == data


@pytest.mark.parametrize("size", [200 << 10, 400 << 10, 600 << 10])
def test_a_value_larger_than_a_block_is_placed_as_tensorflow_places_it(tmp_path, size):
    import tensorflow as tf

    # A long name makes a long key; of 512 KiB and more it gets a block of its own.
    names = ["a", "b" * size, "c" * size, "d"]
    data = _save(tmp_path / "c", names, [tf.zeros([])] * len(names))
    assert table_writer.write_table(table.read_table(data, "index").items()) == data


def test_tensorflow_reads_an_empty_table(tmp_path):
    import tensorflow as tf

    from estimator_ckpt.bundle.index import Header, serialize_index

    prefix = tmp_path / "empty"
    prefix.with_name("empty.index").write_bytes(serialize_index(Header(), []))
    assert tf.train.list_variables(str(prefix)) == []


@settings(max_examples=200)
@given(st.dictionaries(st.binary(max_size=12), st.binary(max_size=200), max_size=60))
def test_any_items_come_back(items):
    data = table_writer.write_table(sorted(items.items()))
    found = table.read_table(data, "index")
    assert list(found.items()) == sorted(items.items())


def test_every_flipped_bit_is_found():
    data = table_writer.write_table(ITEMS)
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptIndexError):
            table.read_table(bytes(damaged), "index")


def test_every_truncation_is_found():
    data = table_writer.write_table(ITEMS)
    for size in range(len(data)):
        with pytest.raises(CorruptIndexError):
            table.read_table(data[:size], "index")
        with pytest.raises(CorruptIndexError):
            table.read_table(data[len(data) - size :], "index")


def test_an_error_says_which_file_and_what_to_do():
    with pytest.raises(CorruptIndexError) as caught:
        table.read_table(b"no table", "dir/model.ckpt-7.index")
    assert str(caught.value).startswith("dir/model.ckpt-7.index: ")
    assert "Restore the file" in str(caught.value)


def test_reading_takes_memory_in_proportion_to_the_file():
    names = sorted(f"model/layer_{i}/attention/kernel".encode() for i in range(20000))
    data = table_writer.write_table([(name, b"v" * 30) for name in names])
    tracemalloc.start()
    table.read_table(data, "index")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * len(data)
