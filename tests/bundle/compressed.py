"""An index as Google's own tools write them: its blocks compressed with snappy.

python -m tests.bundle.compressed PREFIX NEW_PREFIX
"""

from __future__ import annotations

import glob
import itertools
import pathlib
import shutil
import sys

import cramjam

from estimator_ckpt.bundle.sstable import table
from tests.bundle import attacks

_ENTRIES_PER_BLOCK = 20


def compressed(index: bytes) -> bytes:
    """The same index with compressed blocks, data and index blocks alike."""
    records = iter(table.read_table(index, "index").items())
    out, handles = b"", []
    while items := list(itertools.islice(records, _ENTRIES_PER_BLOCK)):
        block = _compressed_block(items)
        handles.append((items[-1][0], attacks.handle(len(out), len(block))))
        out += attacks.stored(block, compression=1)
    footer = b""
    for block in (_compressed_block([]), _compressed_block(handles)):
        footer += attacks.handle(len(out), len(block))
        out += attacks.stored(block, compression=1)
    return out + attacks.footer(footer, b"")


def _compressed_block(items: list[tuple[bytes, bytes]]) -> bytes:
    entries, restarts = b"", [] if items else [0]
    for key, value in items:
        restarts.append(len(entries))
        entries += attacks.entry(key, value)
    content = attacks.content(entries, restarts)
    return bytes(cramjam.snappy.compress_raw(content))


def main(prefix: str, new_prefix: str) -> None:
    for shard in glob.glob(f"{glob.escape(prefix)}.data-*"):
        shutil.copy(shard, f"{new_prefix}{shard[len(prefix) :]}")
    index = pathlib.Path(f"{prefix}.index").read_bytes()
    pathlib.Path(f"{new_prefix}.index").write_bytes(compressed(index))


if __name__ == "__main__":
    main(*sys.argv[1:])
