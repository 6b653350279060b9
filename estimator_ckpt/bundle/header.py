"""What a bundle says of itself: the message under the empty key of its index.

A BundleHeaderProto of `tensorflow/core/protobuf/tensor_bundle.proto`.
"""

from __future__ import annotations

from typing import NamedTuple

from estimator_ckpt.bundle.errors import CorruptIndexError, UnsupportedCheckpointError
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.schema import BundleHeaderProto, VersionDef

_VERSION = 1


class Header(NamedTuple):
    """What a bundle says of itself.

    Attributes:
      num_shards: the number of data shards; part of each one's file name.
      big_endian: whether the numbers in the shards are big-endian.
      producer: the version of the format that wrote it.
      min_consumer: the least version that may read it.
      bad_consumers: versions that must not.
    """

    num_shards: int = 1
    big_endian: bool = False
    producer: int = _VERSION
    min_consumer: int = 0
    bad_consumers: tuple[int, ...] = ()

    def serialize(self) -> bytes:
        """The bytes of a BundleHeaderProto."""
        version = VersionDef(self.producer, self.min_consumer, self.bad_consumers)
        return wire.encode(
            BundleHeaderProto(self.num_shards, int(self.big_endian), version)
        )


def parse_header(raw: bytes, source: str) -> Header:
    """Parses a BundleHeaderProto; errors are those of `read_index`."""
    if raw[:1] == b"\x0a":
        # Field 1 as a message: SavedTensorSlices, where a V1 checkpoint begins.
        raise UnsupportedCheckpointError(
            f"{source}: a table of the V1 format of before 2017, not the index of a "
            f"bundle; give the checkpoint's prefix"
        )
    try:
        message = wire.decode(BundleHeaderProto, raw)
    except ValueError as error:
        raise CorruptIndexError(f"{source}: the header is damaged: {error}") from None
    if message.num_shards < 1:
        raise CorruptIndexError(
            f"{source}: the header is damaged: {message.num_shards} shards"
        )
    if message.endianness not in (0, 1):
        raise CorruptIndexError(
            f"{source}: the header is damaged: endianness {message.endianness}"
        )
    header = Header(
        num_shards=message.num_shards,
        big_endian=message.endianness == 1,
        producer=message.version.producer,
        min_consumer=message.version.min_consumer,
        bad_consumers=tuple(message.version.bad_consumers),
    )
    if header.min_consumer > _VERSION or _VERSION in header.bad_consumers:
        raise UnsupportedCheckpointError(
            f"{source}: made for readers of version {header.min_consumer} of the "
            f"format; this is version {_VERSION}. Install a newer release"
        )
    return header
