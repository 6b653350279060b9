"""What goes into a `.safetensors` file: tensors, their names, and what says so.

Decided from the index, the roles, the maps and the graph; no value is read.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.weight_files.safetensors_reader import (
    SafetensorsReader,
)
from estimator_ckpt.conversion.exporting import (
    exported_variables,
    file_metadata,
    tensor_streams,
    torch_tensors,
)
from estimator_ckpt.conversion.exporting.export_requests import ExportRequest
from estimator_ckpt.conversion.exporting.exported_tensors import Export, Exported
from estimator_ckpt.conversion.exporting.tensor_streams import Rounding
from estimator_ckpt.conversion.targets import OptionError
from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from estimator_ckpt.layouts.torch.tensor_plans import TensorPlan
from estimator_ckpt.layouts.torch.torch_rules import Request, TorchRule
from estimator_ckpt.maps.rules_by_subject import Move
from estimator_ckpt.maps.suggest import published_models


def planned(
    checkpoint: Checkpoint, wanted: ExportRequest, rounding: Rounding
) -> Export:
    """What is going to be written of a checkpoint.

    Args:
      checkpoint: the source.
      wanted: what is asked for.
      rounding: what floating-point tensors are rounded with.

    Raises:
      As `convert`.
    """
    path = wanted.path(checkpoint.prefix)
    taken = exported_variables.of_checkpoint(checkpoint, wanted)
    moves = taken.moves
    remarks = list(taken.remarks)
    if wanted.requests is None:
        exported = _in_tensorflows_layout(checkpoint, moves, rounding)
        rules = _rules_of_source(checkpoint, moves)
    else:
        if _metadata(checkpoint).get("format") == "pt":
            raise OptionError(
                f"{checkpoint.prefix}: is in PyTorch's layout already; leave out the "
                f"layout"
            )
        plan, read_from = _in_pytorchs_layout(checkpoint, moves, wanted.requests)
        remarks += (f"{checkpoint.prefix}: {known}" for known in _known_model(moves))
        rules = [item.rule for item in plan.placed]
        exported = [
            tensor
            for item in plan.placed
            for tensor in torch_tensors.of_rule(
                checkpoint, item, read_from, rounding, path
            )
        ]
        remarks += plan.unused
    if not exported:
        raise CheckpointError(
            f"{checkpoint.prefix}: nothing of its {len(checkpoint)} variables is left "
            f"to be written; carry='all' (--carry=all) takes optimizer state, too"
        )
    remarks += _on_complex_numbers(checkpoint, exported)
    return Export(
        checkpoint.prefix,
        path,
        {tensor.name: tensor for tensor in exported},
        taken.left_out,
        rules,
        tuple(remarks),
    )


def _in_pytorchs_layout(
    checkpoint: Checkpoint, moves: Sequence[Move], requests: Sequence[Request]
) -> tuple[TensorPlan, dict[str, str]]:
    """As `torch_tensors.plan`; errors name the map that knows a published model."""
    try:
        return torch_tensors.plan(checkpoint, moves, requests)
    except LayoutRuleError as error:
        hint = "".join(f". Or: {known}" for known in _known_model(moves))
        raise LayoutRuleError(f"{error}{hint}") from None


def _on_complex_numbers(
    checkpoint: Checkpoint, exported: Sequence[Exported]
) -> list[str]:
    found = [tensor.name for tensor in exported if tensor.dtype.name == "complex64"]
    if not found:
        return []
    return [
        f"{checkpoint.prefix}: {messages.quoted(found, most=3)}: complex64, which not "
        f"every version of the format's library reads"
    ]


def _known_model(moves: Sequence[Move]) -> list[str]:
    """Says which built-in map knows a model's names in PyTorch, if none was given."""
    if any(m.rule is not None and m.rule.arrangement is not None for m in moves):
        return []
    known = published_models.known_as({move.old for move in moves})
    if known is None:
        return []
    return [
        f"these are the names of a published model, and {known!r} as assignment_map "
        f"(--assignment_map={known}) gives those that it has in PyTorch"
    ]


def _rules_of_source(
    checkpoint: Checkpoint, moves: Sequence[Move]
) -> Optional[list[TorchRule]]:
    """The rules that lead back from a source that is in PyTorch's layout itself.

    None if it is not, or if tensors get other names than these rules know.
    """
    metadata = _metadata(checkpoint)
    if metadata.get("format") != "pt" or any(move.old != move.new for move in moves):
        return None
    there = {move.new for move in moves}
    rules = file_metadata.rules_in(metadata, checkpoint.prefix)
    return [rule for rule in rules if there.issuperset(rule.targets)]


def _metadata(checkpoint: Checkpoint) -> Mapping[str, str]:
    """What a source says of itself, if it is a `.safetensors` file."""
    reader = checkpoint.reader
    return reader.metadata if isinstance(reader, SafetensorsReader) else {}


def _in_tensorflows_layout(
    checkpoint: Checkpoint, moves: Sequence[Move], rounding: Rounding
) -> list[Exported]:
    found = []
    for move in moves:
        key = checkpoint.contents.keys[move.old]
        entry = checkpoint.index[key]
        dtype = dtypes.of(entry.dtype)
        found.append(
            Exported(
                move.new,
                (move.old,),
                dtype,
                rounding.type_of(dtype),
                entry.shape,
                "",
                "",
                functools.partial(tensor_streams.unmoved, checkpoint, key),
            )
        )
    return found
