"""Files made to harm their reader: `python -m tests.bundle.attacks DIR` writes them.

Each attack is a function that gives the bytes of an index and of its one shard. All
checksums are right, so that nothing but the lie itself is wrong. `ATTACKS` says which
error each one must raise; test_attacks.py holds it to that, in little memory and time.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Union

from estimator_ckpt.bundle import checksum, coding, errors
from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.index import Entry, Header, serialize_index
from estimator_ckpt.bundle.protobuf.varints import read_varint, write_varint

Bundle = tuple[bytes, bytes]
MAGIC = bytes.fromhex("57fb808b247547db")
HEADER = (b"", Header().serialize())
TRUE = Entry(1, (2, 3), 0, 0, 24, checksum.mask(checksum.value(bytes(24))))


@dataclasses.dataclass(frozen=True)
class Attack:
    make: Callable[[], Union[bytes, Bundle]]
    error: type[errors.CheckpointError]
    reason: str


ATTACKS: dict[str, Attack] = {}


def attack(error: type[errors.CheckpointError], reason: str):
    """Registers an attack with the error that it must raise."""

    def register(make):
        ATTACKS[make.__name__] = Attack(make, error, reason)
        return make

    return register


def bundle(name: str) -> Bundle:
    """The index and the shard of an attack."""
    made = ATTACKS[name].make()
    return made if isinstance(made, tuple) else (made, bytes(64))


# A table by hand, in which everything can be wrong.


def entry(key: bytes, value: bytes, shared: int = 0) -> bytes:
    lengths = map(write_varint, (shared, len(key) - shared, len(value)))
    return b"".join(lengths) + key[shared:] + value


def content(entries: bytes, restarts: Sequence[int] = (0,)) -> bytes:
    return entries + b"".join(
        r.to_bytes(4, "little") for r in (*restarts, len(restarts))
    )


def stored(block: bytes, compression: int = 0) -> bytes:
    block += bytes([compression])
    return block + checksum.mask(checksum.value(block)).to_bytes(4, "little")


def handle(offset: int, size: int) -> bytes:
    return write_varint(offset) + write_varint(size)


def footer(metaindex: bytes, index: bytes) -> bytes:
    return (metaindex + index).ljust(40, b"\x00") + MAGIC


def table(
    blocks: Sequence[bytes],
    keys: Sequence[bytes] = (b"\xff",),
    handles: Sequence[bytes] = (),
    compression: int = 0,
) -> bytes:
    """A table of these blocks, under these index keys, at these handles."""
    out, places = b"", []
    for block in blocks:
        places.append(handle(len(out), len(block)))
        out += stored(block, compression)
    metaindex = handle(len(out), 8)
    out += stored(content(b""))
    entries, restarts = b"", []
    for key, place in zip(keys, handles or places):
        restarts.append(len(entries))
        entries += entry(key, place)
    index = content(entries, restarts)
    place = handle(len(out), len(index))
    return out + stored(index) + footer(metaindex, place)


def of_entries(*entries: bytes, restarts: Sequence[int] = (0,)) -> bytes:
    return table([content(entry(*HEADER) + b"".join(entries), restarts)])


def of_values(**values: Entry) -> bytes:
    items = [(name.encode(), value.serialize()) for name, value in values.items()]
    return serialize_index(Header(), items)


def but(**changes) -> bytes:
    return of_values(v=TRUE._replace(**changes))


Index, Data = errors.CorruptIndexError, errors.CorruptDataError
Unsupported = errors.UnsupportedCheckpointError


# The file as a whole.


@attack(Index, "footer of a table")
def empty_file():
    return b""


@attack(Index, "footer of a table")
def no_magic_number():
    return of_values(v=TRUE)[:-1] + b"\x00"


@attack(Index, "outside of the bytes")
def nothing_but_a_footer():
    return footer(handle(0, 0), handle(0, 0))


@attack(Index, "64 bits")
def varint_overflow_in_the_footer():
    return stored(content(b"")) + (b"\xff" * 10 + b"\x01").ljust(40, b"\x00") + MAGIC


@attack(Index, "64 bits")
def varint_without_end_in_the_footer():
    return stored(content(b"")) + (b"\x80" * 9 + b"\x01") * 3 + b"\x80" * 10 + MAGIC


@attack(Index, "padded with zeros")
def padded_varint_in_the_footer():
    good = of_values(v=TRUE)
    at = len(good) - 48
    return good[:at] + b"\x80\x00" + good[at + 1 : at + 39] + good[at + 40 :]


@attack(Index, "not padded")
def something_behind_the_handles():
    good = bytearray(of_values(v=TRUE))
    good[-9] = 1
    return bytes(good)


@attack(Index, "outside of the bytes")
def huge_index_block():
    return stored(content(b"")) + footer(handle(0, 8), handle(0, 2**63))


@attack(Index, "outside of the bytes")
def huge_data_block():
    return table([content(entry(*HEADER))], handles=[handle(0, 2**62)])


@attack(Index, "outside of the bytes")
def block_behind_the_end():
    return table([content(entry(*HEADER))], handles=[handle(2**40, 8)])


@attack(Index, "outside of the bytes")
def one_block_many_times():
    block = content(b"", restarts=[0] * 250)
    keys = [b"%04d" % i for i in range(5000)]
    return table([block], keys, [handle(0, len(block))] * len(keys))


@attack(Index, "outside of the bytes")
def blocks_that_share_bytes():
    inner = stored(content(entry(b"x", b"")))
    block = content(entry(*HEADER) + entry(b"a", inner))
    at = block.index(inner)
    return table(
        [block],
        [b"b", b"y"],
        [handle(0, len(block)), handle(at, len(inner) - 5)],
    )


@attack(Index, "outside of the bytes")
def index_block_that_is_a_data_block_too():
    block = content(entry(*HEADER))
    whole = table([block])
    end = whole[-48:]
    metaindex, position = read_varint(end, 0, 40)
    _, position = read_varint(end, position, 40)
    at, position = read_varint(end, position, 40)
    size, _ = read_varint(end, position, 40)
    lying = content(entry(b"\xff", handle(at, size)))
    return (
        whole[:at]
        + stored(lying)
        + footer(handle(metaindex, 8), handle(at, len(lying)))
    )


@attack(Index, "followed by something")
def handle_with_a_tail():
    block = content(entry(*HEADER))
    return table([block], handles=[handle(0, len(block)) + b"\x00"])


@attack(Index, "has the checksum")
def wrong_block_checksum():
    good = bytearray(of_values(v=TRUE))
    good[20] ^= 1
    return bytes(good)


@attack(Index, "unknown compression 7")
def unknown_compression():
    return table([content(entry(*HEADER))], compression=7)


# Within a block.


@attack(Index, "restarts")
def more_restarts_than_bytes():
    return table([entry(*HEADER) + (2**32 - 1).to_bytes(4, "little")])


@attack(Index, "restarts")
def block_of_three_bytes():
    return table([b"\x00\x00\x00"])


@attack(Index, "no restart at its first entry")
def no_restarts():
    return table([content(entry(*HEADER), restarts=[])])


@attack(Index, "is no entry's")
def restart_out_of_range():
    return table([content(entry(*HEADER), restarts=[0, 2**31])])


@attack(Index, "is no entry's")
def restart_between_entries():
    return table([content(entry(*HEADER) + entry(b"a", b""), restarts=[0, 3])])


@attack(Index, "is no entry's")
def restarts_out_of_order():
    entries = entry(*HEADER) + entry(b"a", b"")
    return table([content(entries, restarts=[0, len(entry(*HEADER)), 0])])


@attack(Index, "is none")
def restart_that_shares():
    first, second = entry(*HEADER) + entry(b"a", b""), entry(b"ab", b"", shared=1)
    return table([content(first + second, restarts=[0, len(first)])])


@attack(Index, "exceeds its bounds")
def shares_more_than_there_is():
    return of_entries(entry(b"a", b""), b"\x02\x01\x00b")


@attack(Index, "exceeds its bounds")
def value_that_reaches_into_the_restarts():
    return of_entries(b"\x00\x01\x04a")


@attack(Index, "exceeds its bounds")
def value_of_an_exabyte():
    return of_entries(b"\x00\x01" + write_varint(2**60) + b"a")


@attack(Index, "cut off")
def entry_that_is_a_varint_without_end():
    return of_entries(b"\x80" * 8)


@attack(Index, "64 bits")
def varint_overflow_in_an_entry():
    return of_entries(b"\xff" * 9 + b"\x7f" + bytes(10))


@attack(Index, "out of order")
def keys_out_of_order():
    return of_entries(entry(b"b", b""), entry(b"a", b""))


@attack(Index, "out of order")
def duplicate_key():
    return of_entries(entry(b"a", b""), entry(b"a", b""))


@attack(Index, "out of order")
def duplicate_key_of_a_megabyte():
    long = b"\xfe" * (1 << 20)
    return of_entries(entry(long, b""), entry(long, b""))


@attack(Index, "out of order")
def two_headers():
    return of_entries(entry(*HEADER))


@attack(Index, "out of order")
def blocks_out_of_order():
    blocks = [content(entry(*HEADER) + entry(b"c", b"")), content(entry(b"b", b""))]
    return table(blocks, keys=[b"c", b"d"])


@attack(Index, "is over its index entry")
def index_key_below_its_block():
    return table([content(entry(*HEADER) + entry(b"c", b""))], keys=[b"b"])


@attack(Index, "out of order")
def index_key_not_below_the_next_block():
    blocks = [content(entry(*HEADER)), content(entry(b"b", b""))]
    return table(blocks, keys=[b"b", b"c"])


@attack(Index, "times its size")
def prefix_bomb():
    """100 KB that stand for 1,000 keys of 50 KB each."""
    long = b"k" * 50_000
    keys = [long + i.to_bytes(2, "big") for i in range(1000)]
    rest = (entry(key, b"", shared=len(long)) for key in keys)
    return of_entries(entry(long, b""), *rest)


# Snappy.


def _snappy(size: int, elements: bytes) -> bytes:
    return table([write_varint(size) + elements], compression=1)


@attack(Index, "says that it holds")
def snappy_bomb():
    return _snappy(2**40, b"\x00a")


@attack(Index, "says that it holds")
def snappy_of_four_gigabytes():
    return _snappy(2**32 - 1, b"\x00a" + b"\xfe\x01\x00" * 1000)


@attack(Index, "times its size")
def snappy_bomb_within_the_ratio():
    """Keys that share 60 KB, in a block that snappy makes 20 times smaller."""
    import cramjam

    long = b"k" * 60_000
    rest = (entry(long + bytes([i]), b"", shared=len(long)) for i in range(200))
    block = content(entry(*HEADER) + entry(long, b"") + b"".join(rest))
    return table([bytes(cramjam.snappy.compress_raw(block))], compression=1)


@attack(Index, "snappy block")
def snappy_that_copies_from_before_the_beginning():
    return _snappy(60, b"\x00a" + b"\xfe\x09\x00")


@attack(Index, "snappy block")
def snappy_that_is_shorter_than_it_says():
    return _snappy(40, b"\x00a\xfa\x01\x00")


@attack(Index, "cut off")
def snappy_without_a_size():
    return table([b""], compression=1)


# The header.


@attack(Index, "no header")
def no_header():
    return table([content(entry(b"v", TRUE.serialize()))])


@attack(Index, "header is damaged")
def header_that_is_no_message():
    return table([content(entry(b"", b"\xff\xff\xff"))])


@attack(Index, "header is damaged")
def no_shards():
    return serialize_index(Header(num_shards=0), [])


@attack(Index, "header is damaged")
def minus_one_shards():
    return serialize_index(Header(num_shards=-1), [])


@attack(Unsupported, "newer release")
def for_readers_of_the_future():
    return serialize_index(Header(min_consumer=2**31 - 1), [])


@attack(Unsupported, "V1 format")
def v1_header():
    return table([content(entry(b"", b"\x0a\x02\x12\x00"))])


# Entries.


@attack(Index, "not a BundleEntryProto")
def entry_that_is_no_message():
    return serialize_index(Header(), [(b"v", b"\x12\xff\xff\xff\xff\x7f")])


@attack(Index, "not a BundleEntryProto")
def deeply_nested_messages():
    nested = b""
    for _ in range(200):
        nested = b"\x12" + write_varint(len(nested)) + nested
    return serialize_index(Header(), [(b"v", b"\x12\x02\x12\x7f" + nested)])


@attack(Index, "at offset -1")
def negative_offset():
    return but(offset=-1)


@attack(Index, "it has -24 bytes")
def negative_size():
    return but(size=-24)


@attack(Index, "at offset 9223372036854775807")
def offset_and_size_overflow():
    return but(offset=2**63 - 1)


@attack(Index, "is none")
def negative_dimension():
    return but(shape=(-2, -3))


@attack(Index, "is no tensor")
def product_of_dimensions_overflows():
    return but(shape=(2**32, 2**32, 24))


@attack(Index, "is no tensor")
def product_of_dimensions_wraps_to_the_size():
    return but(shape=(2**62 + 6, 4), dtype=4)


@attack(Index, "is none")
def ten_thousand_dimensions():
    return but(shape=(1,) * 10_000)


@attack(Index, "shard 5 of 1")
def shard_that_is_none():
    return but(shard_id=5)


@attack(Index, "shard -1 of 1")
def negative_shard():
    return but(shard_id=-1)


@attack(Index, "is no tensor")
def no_dtype():
    return but(dtype=0)


@attack(Index, "takes 4611686018427387904 bytes")
def huge_shape_of_few_bytes():
    return but(shape=(2**60,))


@attack(Data, "cut off")
def huge_shape_of_many_bytes():
    return but(shape=(2**60,), size=2**62)


@attack(Data, "cut off")
def offset_behind_the_end():
    return but(offset=2**40)


@attack(Data, "not the none stored")
def no_checksum():
    return but(crc32c=None)


@attack(Unsupported, "40 dimensions")
def more_dimensions_than_an_array_has():
    one = checksum.mask(checksum.value(bytes(4)))
    return but(shape=(1,) * 40, size=4, crc32c=one)


@attack(Unsupported, "no array can have the shape")
def nothing_in_a_huge_shape():
    return but(shape=(0, 2**62), size=0, crc32c=checksum.mask(0))


# Strings and variants.


def _framed(data: bytes, shape: tuple[int, ...], dtype: int = 7) -> Bundle:
    crc = checksum.mask(checksum.value(data))
    return of_values(v=Entry(dtype, shape, 0, 0, len(data), crc)), data


@attack(Index, "strings take")
def more_strings_than_bytes():
    return _framed(bytes(100), (2**50,))


@attack(Data, "strings take")
def string_longer_than_its_tensor():
    return _framed(write_varint(2**40) + bytes(20), ())


@attack(Data, "strings take")
def string_lengths_that_sum_past_64_bits():
    return _framed((write_varint(2**64 - 1)) * 3 + bytes(20), (3,))


@attack(Data, "64 bits")
def string_length_of_more_than_64_bits():
    return _framed(b"\xff" * 9 + b"\x7f" + bytes(20), ())


@attack(Data, "cut off")
def string_length_without_end():
    return _framed(b"\x80" * 5, ())


@attack(Data, "lengths is wrong")
def wrong_checksum_of_lengths():
    return _framed(b"\x01" + bytes(4) + b"a", ())


@attack(Data, "element of it is cut off")
def variant_longer_than_its_tensor():
    return _framed(write_varint(2**62) + bytes(20), (), dtype=21)


@attack(Data, "cut off")
def more_variants_than_bytes():
    crc = checksum.mask(checksum.value(bytes(8)))
    return _framed(b"\x00" + crc.to_bytes(4, "little"), (2**60,), dtype=21)


@attack(Data, "followed by 20 bytes")
def no_variants_in_many_bytes():
    return _framed(bytes(20), (0,), dtype=21)


# Slices.


def _parts(shape, boxes, **changes) -> bytes:
    slices = tuple(tuple(Extent(*extent) for extent in box) for box in boxes)
    items = {b"v": Entry(4, shape, slices=slices)}
    for extents in slices:
        lengths = tuple(length for _, length in extents)
        size = max(math.prod(lengths), 0)
        known = checksum.value(bytes(min(size, 64)))
        part = Entry(4, lengths, 0, 0, size, checksum.mask(known))
        items[coding.slice_key("v", extents)] = part._replace(**changes)
    pairs = [(key, value.serialize()) for key, value in items.items()]
    return serialize_index(Header(), pairs)


@attack(Index, "exceeds the shape")
def slice_out_of_bounds():
    return _parts((4,), [[(2, 3)]])


@attack(Index, "exceeds the shape")
def slice_before_the_beginning():
    return _parts((4,), [[(-1, 2)]])


@attack(Index, "exceeds the shape")
def slice_whose_end_overflows():
    return _parts((4,), [[(2**63 - 1, 1)]])


@attack(Index, "exceeds the shape")
def full_slice_that_begins_later():
    return of_values(v=Entry(4, (4,), slices=((Extent(1, -1),),)))


@attack(Index, "does not fit the shape")
def slice_of_another_rank():
    return _parts((4,), [[(0, 4), (0, 1)]])


@attack(Index, "gaps or overlap")
def slices_with_a_gap():
    return _parts((4,), [[(0, 1)], [(2, 2)]])


@attack(Index, "gaps or overlap")
def slices_over_one_another():
    return _parts((4,), [[(0, 3)], [(1, 1)]])


@attack(Index, "there is no entry for it")
def slice_without_an_entry():
    slices = ((Extent(0, 1),), (Extent(1, 1),))
    return of_values(v=Entry(4, (2,), slices=slices))


@attack(Index, "is float32")
def slice_of_another_dtype():
    crc = checksum.mask(checksum.value(bytes(8)))
    return _parts((4,), [[(0, 2)], [(2, 2)]], dtype=1, size=8, crc32c=crc)


@attack(Index, "overlap in their shards")
def many_elements_in_sixty_bytes():
    return _parts((2000, 60), [[(i, 1), (0, 60)] for i in range(2000)])


@attack(Data, "cut off")
def slices_of_a_huge_variable():
    half = 2**61
    return _parts((2**62,), [[(0, half)], [(half, half)]], size=half, crc32c=1)


@attack(Index, "overlap")
def thousands_of_slices_in_two_dimensions():
    boxes = [[(i, 1), (j, 1), (0, 1)] for i in range(40) for j in range(40)]
    return _parts((40, 40, 2), boxes)


def main(directory: str) -> None:
    """Writes every attack as NAME.index and NAME.data-00000-of-00001."""
    target = pathlib.Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    for name in ATTACKS:
        index, data = bundle(name)
        (target / f"{name}.index").write_bytes(index)
        (target / f"{name}.data-00000-of-00001").write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1])
