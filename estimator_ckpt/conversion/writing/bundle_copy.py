"""A checkpoint of another format, written again as a tensor bundle.

A conversion links data shards. V1 checkpoints and weight files have none: their tensors
are written into a bundle that is there for as long as it is converted.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Optional

from estimator_ckpt.bundle import coding, files, logs
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import index_path, serialize_index, shard_path
from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.tensor_reader import TensorReader
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.writer import ShardWriter
from estimator_ckpt.checkpoint.paths import prefixes

if TYPE_CHECKING:
    from estimator_ckpt.bundle.tensors.arrays import Array


@contextlib.contextmanager
def as_bundle(
    reader: TensorReader,
    directory: Optional[str] = None,
    progress: Optional[files.Progress] = None,
) -> Iterator[BundleReader]:
    """A checkpoint as a tensor bundle, whose shards can be linked.

    One that is a bundle is given back as it is. Of any other, a bundle is written with
    its tensors, which is there for as long as it is used.

    Args:
      reader: what reads the checkpoint.
      directory: where the bundle is to be: on the file system where its shards get
        their new names. None: where temporary files are.
      progress: called with the number of bytes just written, if any are; told by
        its method `expect`, if it has one, how many there will be.

    Raises:
      CheckpointError: the checkpoint is damaged, or writing failed.
    """
    if isinstance(reader, BundleReader):
        yield reader
        return
    import tempfile

    from estimator_ckpt.bundle.v1_format.v1_reader import V1Reader

    is_v1 = isinstance(reader, V1Reader)
    what = "of the V1 format (of before 2017)" if is_v1 else "a file of another format"
    logs.logger().warning(
        "%s is %s: its tensors are written again, which takes longer than a conversion "
        "by index",
        reader.prefix,
        what,
    )
    beside = tempfile.gettempdir() if directory is None else directory
    with files.temporary_dir(beside) as temporary:
        prefix = os.path.join(temporary, prefixes.base_name(reader.prefix))
        _write_anew(prefix, reader, progress)
        with BundleReader(prefix) as bundle:
            yield bundle


@contextlib.contextmanager
def under_plain_name(bundle: BundleReader) -> Iterator[str]:
    """Another prefix for a bundle, by links where temporary files are.

    For TensorFlow, which takes `*?[\\` in a prefix for a pattern. It is there for as
    long as it is used.
    """
    import tempfile

    source = os.path.abspath(bundle.prefix)
    num_shards = bundle.index.header.num_shards
    with files.temporary_dir(tempfile.gettempdir()) as temporary:
        prefix = os.path.join(temporary, "checkpoint")
        files.symlink(index_path(source), index_path(prefix))
        for number in bundle.index.shard_ends():
            there = shard_path(source, number, num_shards)
            files.symlink(there, shard_path(prefix, number, num_shards))
        yield prefix


def _write_anew(
    prefix: str, reader: TensorReader, progress: Optional[files.Progress]
) -> None:
    """Writes a bundle of one shard with what a reader reads, in pieces."""
    files.expect(progress, sum(reader.index[name].size for name in reader.index))
    entries = {}
    with ShardWriter(shard_path(prefix, 0, 1)) as shard:
        for name in reader.index:
            entry = reader.index[name]
            dtype = dtypes.of(entry.dtype)
            if dtype.size is None:
                entry = shard.add(reader.read(name), dtype.name)
            else:
                pieces = _counted(reader.iter_arrays(name), progress)
                entry = shard.add_chunks(dtype, entry.shape, pieces)
            entries[coding.name_to_key(name)] = entry.serialize()
            reader.unmap()
    files.put(index_path(prefix), serialize_index(Header(), entries.items()))


def _counted(
    arrays: Iterable[Array], progress: Optional[files.Progress]
) -> Iterator[memoryview]:
    """The bytes of each array; `progress` is told once they are used."""
    for array in arrays:
        yield array.view("u1").data
        if progress is not None:
            progress(array.nbytes)
