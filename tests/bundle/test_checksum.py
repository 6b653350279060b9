"""CRC32C and its mask."""

from hypothesis import given
from hypothesis import strategies as st

from estimator_ckpt.bundle import checksum


def test_it_is_castagnolis_crc():
    assert checksum.value(b"123456789") == 0xE3069283  # the catalogue's check value


def test_without_the_bare_extension_the_package_will_do(monkeypatch):
    import crc32c

    monkeypatch.setattr(
        checksum.importlib.machinery.PathFinder, "find_spec", lambda *_: None
    )
    assert checksum._library() is crc32c


def test_the_mask_rotates_by_15_bits_and_adds():
    assert checksum.mask(0) == 0xA282EAD8
    assert checksum.mask(1 << 15) == 0xA282EAD9


@given(st.integers(0, 2**32 - 1))
def test_the_mask_is_invertible(crc):
    rotated = (checksum.mask(crc) - 0xA282EAD8) & 0xFFFFFFFF
    assert ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF == crc
    assert 0 <= checksum.mask(crc) < 2**32


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_chunks_give_what_the_whole_gives(chunks):
    whole = b"".join(chunks)
    assert checksum.of_chunks(map(memoryview, chunks)) == checksum.value(whole)
