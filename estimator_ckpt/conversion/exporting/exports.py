"""A checkpoint as a `.safetensors` file, in TensorFlow's layout or in PyTorch's.

What goes in is decided from the index and the graph; then the values are streamed from
one file to the other, in little memory, each tensor held against its checksum. The file
is there whole or not at all.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any, Optional

from estimator_ckpt.bundle import coding, files
from estimator_ckpt.bundle.errors import SourceChangedError
from estimator_ckpt.checkpoint import opening
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.paths import v1_files
from estimator_ckpt.checkpoint.weight_files import safetensors_writer
from estimator_ckpt.checkpoint.weight_files.safetensors_writer import TensorToWrite
from estimator_ckpt.conversion.exporting import (
    export_plans,
    file_metadata,
    tensor_streams,
)
from estimator_ckpt.conversion.exporting.export_requests import ExportRequest
from estimator_ckpt.conversion.exporting.exported_tensors import Export, Exported
from estimator_ckpt.conversion.exporting.tensor_streams import Rounding
from estimator_ckpt.conversion.writing import claims, snapshot


def plan(source: files.PathLike, wanted: ExportRequest) -> Export:
    """What `run` would do. Errors are those of `convert`."""

    def attempt() -> Export:
        with _opened(source, wanted) as checkpoint:
            export = export_plans.planned(checkpoint, wanted, Rounding(wanted.dtype))
            with _held(checkpoint, export):
                return export

    return snapshot.settled([source], attempt)


def run(source: files.PathLike, wanted: ExportRequest) -> Export:
    """Writes the file; says what is in it. Errors are those of `convert`."""

    def attempt() -> tuple[Export, list[str]]:
        rounding = Rounding(wanted.dtype)
        with _opened(source, wanted) as checkpoint:
            export = export_plans.planned(checkpoint, wanted, rounding)
            with _held(checkpoint, export) as require_unchanged:
                _write(checkpoint, export, wanted, rounding, require_unchanged)
        return export, rounding.sentences()

    export, lost = snapshot.settled([source], attempt)
    return dataclasses.replace(export, remarks=(*export.remarks, *lost))


def _opened(source: files.PathLike, wanted: ExportRequest) -> Checkpoint:
    return opening.opened(
        source,
        names=wanted.naming.names_by,
        root=wanted.naming.root,
        overruling=wanted.naming.overruling,
    )


@contextlib.contextmanager
def _held(checkpoint: Checkpoint, export: Export) -> Iterator[Callable[[], None]]:
    """Holds a source; gives what raises SourceChangedError if it was written to."""
    if checkpoint.is_bundle:
        names = {n for tensor in export.tensors.values() for n in tensor.variables}
        if checkpoint.contents.global_step is not None:
            names.add(checkpoint.contents.global_step)  # the metadata has it
        keys = {checkpoint.contents.keys[name] for name in names}
        index = checkpoint.index
        needed = [
            key
            for key in index.records
            if coding.parse_key(key)[0] in keys  # of a slice, its variable's name
        ]
        with snapshot.taken(checkpoint.bundle, needed) as held:
            yield held.require_unchanged
        return
    paths = v1_files.shards(checkpoint.prefix)
    before = list(map(_status, paths))

    def require_unchanged() -> None:
        for path, then in zip(paths, before):
            now = _status(path)
            if then is None or now is None or not snapshot.is_same(then, now):
                raise SourceChangedError(
                    f"{path}: was written to while it was read; try again when nobody "
                    f"writes there"
                )

    yield require_unchanged


def _status(path: str) -> Optional[os.stat_result]:
    try:
        return os.stat(path)
    except OSError:
        return None


def _write(
    checkpoint: Checkpoint,
    export: Export,
    wanted: ExportRequest,
    rounding: Rounding,
    require_unchanged: Callable[[], None],
) -> None:
    metadata = file_metadata.written(checkpoint, export.rules, wanted.dtype)
    with claims.claimed(export.path) as claim:
        wanted.path(checkpoint.prefix)  # asked again, now that it is ours
        tensors = {
            name: TensorToWrite(
                tensor.dtype,
                tensor.shape,
                functools.partial(_chunks, tensor, wanted, rounding),
            )
            for name, tensor in export.tensors.items()
        }

        files.expect(wanted.progress, sum(t.size for t in tensors.values()))

        def before_commit(output: files.Output) -> None:
            require_unchanged()
            claim.expects(output.path, output.status, claims.Role.COMMIT)

        safetensors_writer.write(
            export.path,
            tensors,
            metadata,
            overwrite=wanted.overwrite,
            before_commit=before_commit,
        )


def _chunks(
    tensor: Exported, wanted: ExportRequest, rounding: Rounding
) -> Iterator[Any]:
    pieces = rounding.pieces(tensor.name, tensor.pieces(), tensor.before)
    for chunk in tensor_streams.as_bytes(pieces):
        if wanted.progress is not None:
            wanted.progress(len(chunk))
        yield chunk
