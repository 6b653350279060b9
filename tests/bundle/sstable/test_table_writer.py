"""Tables are written with TensorFlow's bytes: where blocks end, which keys separate."""

import pytest

from estimator_ckpt.bundle.sstable import table, table_writer


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


@pytest.mark.parametrize(
    ("low", "high", "between"),
    [
        (b"abc1", b"abd", b"abc1"),  # c + 1 is d: no shorter key is between
        (b"abc1", b"abf", b"abd"),
        (b"a", b"ab", b"a"),  # one is a prefix of the other
        (b"a\xff1", b"a\xff3", b"a\xff2"),
    ],
)
def test_the_key_between_two_blocks_is_the_shortest(low, high, between):
    found = table_writer._separator(low, high)
    assert found == between
    assert low <= found < high


@pytest.mark.parametrize(
    ("key", "after"), [(b"abc", b"b"), (b"\xff\xffa", b"\xff\xffb"), (b"\xff", b"\xff")]
)
def test_the_key_after_all_is_short(key, after):
    assert table_writer._successor(key) == after
