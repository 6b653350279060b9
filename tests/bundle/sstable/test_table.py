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
