"""The framing of strings and variants, written by hand and read back."""

import struct

import pytest

from estimator_ckpt.bundle import checksum, files
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.tensors import framing

STRINGS = [b"abc", b"", b"x" * 300]


@pytest.fixture
def shard(tmp_path):
    def write(content):
        path = tmp_path / "shard"
        path.write_bytes(content)
        return files.open_file(str(path))

    return write


def framed(strings):
    written, counted = zip(*framing.frame_strings(strings))
    return b"".join(written), checksum.value(b"".join(counted))


def test_strings_stand_behind_their_lengths_and_a_checksum():
    written, _ = framed(STRINGS)
    lengths = struct.pack("<3I", 3, 0, 300)  # what the checksum takes for the varints
    crc = checksum.mask(checksum.value(lengths))
    assert written == b"\x03\x00\xac\x02" + struct.pack("<I", crc) + b"".join(STRINGS)


def test_what_is_written_is_read(shard):
    written, crc = framed(STRINGS)
    entry = Entry(7, (3,), size=len(written))
    found = framing.Strings(shard(written), entry, swapped=False)
    assert [n for block in found.lengths() for n in block] == [3, 0, 300]
    assert found.checksum() == crc


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda w: b"\x04" + w[1:], "its 3 strings take 304 bytes, but 303 are"),
        (
            lambda w: b"\x02\x01" + w[2:],
            "checksum of the strings' lengths",
        ),
        (lambda w: w[:-1], "302 are there"),
        (lambda w: b"\x80" * len(w), "too long|longer than 64 bits"),
    ],
)
def test_damage_is_a_value_error(shard, change, why):
    written = change(framed(STRINGS)[0])
    found = framing.Strings(shard(written), Entry(7, (3,), size=len(written)), False)
    with pytest.raises(ValueError, match=why):
        list(found.lengths())


def variant(*elements):
    out, crc = b"", 0
    for element in elements:
        crc = checksum.extend(crc, struct.pack("<Q", len(element)) + element)
        stored = struct.pack("<I", checksum.mask(crc))
        crc = checksum.extend(crc, stored)
        out += bytes([len(element)]) + element + stored
    return out, crc


def test_variants_have_a_checksum_behind_each_element(shard):
    content, crc = variant(b"one", b"two")
    entry = Entry(21, (2,), size=len(content))
    assert framing.variant_checksum(shard(content), entry) == crc


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda c: c[:1] + b"x" + c[2:], "the checksum of an element is wrong"),
        (lambda c: c[:-1], "an element of it is cut off"),
        (lambda c: c + b"x", "followed by 1 bytes"),
    ],
)
def test_a_damaged_variant_is_a_value_error(shard, damage, why):
    content = damage(variant(b"one", b"two")[0])
    with pytest.raises(ValueError, match=why):
        framing.variant_checksum(shard(content), Entry(21, (2,), size=len(content)))
