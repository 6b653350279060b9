"""Blocks, handles and footers are held to their bounds."""

import struct

import pytest

from estimator_ckpt.bundle import checksum
from estimator_ckpt.bundle.sstable import table_blocks
from estimator_ckpt.bundle.sstable.table_blocks import MAGIC, Budget, read_entries


def block(*entries, restarts=(0,)):
    """A block of (shared, rest of the key, value)."""
    out = b""
    for shared, rest, value in entries:
        out += bytes([shared, len(rest), len(value)]) + rest + value
    return out + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def entries(content, floor=None):
    found = {}
    last = read_entries(content, Budget(1000), found, floor)
    return found, last


def test_keys_share_their_beginnings():
    content = block((0, b"abc", b"1"), (2, b"d", b"2"), (0, b"b", b""))
    assert entries(content) == ({b"abc": b"1", b"abd": b"2", b"b": b""}, b"b")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (block((0, b"b", b""), (0, b"a", b"")), "out of order"),
        (block((0, b"a", b""), (0, b"a", b"")), "out of order"),
        (block((0, b"a", b""), (2, b"b", b"")), "exceeds its bounds"),
        (
            block((0, b"a", b""), (1, b"b", b""), restarts=(0, 4)),
            "4 of a block is none",
        ),
        (block((0, b"a", b""), restarts=(0, 2)), "the restart 2 of a block is no"),
        (block((0, b"a", b""), restarts=()), "no restart at its first entry"),
        (b"\x00\x05\x00a" + struct.pack("<2I", 0, 1), "exceeds its bounds"),
        (struct.pack("<I", 9), "a block of 4 bytes has 9 restarts"),
        (b"\0\0", "a block of 2 bytes"),
    ],
)
def test_a_block_that_cannot_be_true(content, why):
    with pytest.raises(ValueError, match=why):
        entries(content)


def test_keys_go_on_above_those_of_the_block_before():
    with pytest.raises(ValueError, match="out of order"):
        entries(block((0, b"a", b"")), floor=b"a")


def stored(content, compression=0):
    data = content + bytes([compression])
    return data + struct.pack("<I", checksum.mask(checksum.value(data)))


def test_a_block_is_held_against_its_checksum():
    data = stored(b"content")
    assert table_blocks.read_block(data, (0, 7), Budget(9)) == b"content"
    with pytest.raises(ValueError, match="the block at byte 0 has the checksum"):
        table_blocks.read_block(b"C" + data[1:], (0, 7), Budget(9))
    with pytest.raises(ValueError, match="unknown compression 9"):
        table_blocks.read_block(stored(b"content", 9), (0, 7), Budget(9))


def test_a_snappy_block_cannot_claim_what_no_snappy_block_holds():
    data = stored(b"\x80\x94\xeb\xdc\x03\x00", 1)
    with pytest.raises(ValueError, match="6 bytes says that it holds 1000000000"):
        table_blocks.read_block(data, (0, 6), Budget(9))


def test_what_expands_is_counted():
    budget = Budget(2)
    budget.spend(128)
    with pytest.raises(ValueError, match="more than 64 times its size"):
        budget.spend(1)


def test_a_footer_has_two_handles_and_zeros():
    handles = bytes([1, 2, 3, 4])
    footer = handles.ljust(40, b"\0") + MAGIC
    assert table_blocks.read_footer(footer) == ((1, 2), (3, 4))
    with pytest.raises(ValueError, match="not padded with zeros"):
        table_blocks.read_footer(handles.ljust(40, b"\1") + MAGIC)
    with pytest.raises(ValueError, match="footer of a table"):
        table_blocks.read_footer(handles.ljust(48, b"\0"))


@pytest.mark.parametrize("handle", [(0, 10), (5, 91), (96, 0), (5, 2**60)])
def test_a_handle_outside_of_the_file_is_refused(handle):
    assert table_blocks.check_handle((5, 90), 5, 100) == 100
    with pytest.raises(ValueError, match="outside of the bytes 5 to 100"):
        table_blocks.check_handle(handle, 5, 100)
