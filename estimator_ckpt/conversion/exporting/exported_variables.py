"""Which variables go into a `.safetensors` file, and under which names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint import object_keys, roles
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import Role
from estimator_ckpt.checkpoint.weight_files import safetensors_writer
from estimator_ckpt.conversion.exporting.export_requests import ExportRequest
from estimator_ckpt.maps.rules_by_subject import Move


@dataclasses.dataclass(frozen=True)
class ExportedVariables:
    """What is taken of a checkpoint.

    Attributes:
      moves: the variables with their new names.
      left_out: those that are not taken, by why.
      remarks: what the user should know, a sentence each.
    """

    moves: Sequence[Move]
    left_out: Mapping[str, Sequence[str]]
    remarks: Sequence[str]


def of_checkpoint(checkpoint: Checkpoint, wanted: ExportRequest) -> ExportedVariables:
    """Which variables are taken; reads no value.

    Raises:
      AmbiguousNameError: two that are taken have one name.
      AssignmentMapError: a map gives two variables one name.
    """
    left_out: dict[str, list[str]] = {}
    _require_names(checkpoint, wanted, left_out)
    chosen = _chosen(checkpoint, wanted, left_out)
    moves, remarks = _moves(checkpoint, wanted, chosen, left_out)
    return ExportedVariables(moves, left_out, remarks)


def _taken(wanted: ExportRequest) -> frozenset[Role]:
    """The roles of what is taken."""
    taken = roles.CARRY[wanted.carry]
    return taken | {roles.GLOBAL_STEP} if wanted.carry == "all" else taken


def _of_role(role: Role) -> str:
    """Why a variable of a role is left out."""
    return f"{role} (carry, --carry, says what is taken)"


def _require_names(
    checkpoint: Checkpoint, wanted: ExportRequest, left_out: dict[str, list[str]]
) -> None:
    """Checks that no two variables that are taken share a name; notes the others.

    A compiled Keras model has a `total` and a `count` in each of its metrics.

    Raises:
      AmbiguousNameError: two do.
    """
    taken = _taken(wanted)
    for name, keys in checkpoint.contents.ambiguous.items():
        found = {checkpoint.roles.role(object_keys.path_of(k) or k) for k in keys}
        if found & taken and wanted.naming.chosen.keeps(name):
            checkpoint.contents.require_unique(checkpoint.prefix)
        for role in found:
            left_out.setdefault(_of_role(role), []).append(name)


def _chosen(
    checkpoint: Checkpoint, wanted: ExportRequest, left_out: dict[str, list[str]]
) -> list[str]:
    """The variables that are taken, by their old names; notes the others."""
    taken = _taken(wanted)
    chosen = []
    for name in checkpoint:
        if not wanted.naming.chosen.keeps(name):
            continue
        role = checkpoint.roles.role(name)
        dtype = dtypes.of(checkpoint.index[checkpoint.contents.keys[name]].dtype)
        if not safetensors_writer.can_hold(dtype):
            why = f"{dtype.name}, which the format cannot hold"
        elif role not in taken:
            why = _of_role(role)
        else:
            chosen.append(name)
            continue
        left_out.setdefault(why, []).append(name)
    return chosen


def _moves(
    checkpoint: Checkpoint,
    wanted: ExportRequest,
    chosen: Sequence[str],
    left_out: dict[str, list[str]],
) -> tuple[list[Move], list[str]]:
    """The variables with their new names; and what is to be said."""
    naming = wanted.naming
    renaming = naming.assignment_map.rename(
        dict.fromkeys(chosen),
        source=checkpoint.prefix,
        owners=checkpoint.roles.owners if naming.assignment_map else None,
    )
    if renaming.replaced:
        why = "an average takes its place"
        left_out.setdefault(why, []).extend(renaming.replaced)
    moves = list(renaming.moves)
    if wanted.requests is not None:
        there = {move.old for move in moves}
        averages = {
            move.old
            for move in moves
            if checkpoint.roles.role(move.old) is roles.AVERAGE
            and (move.rule is None or checkpoint.roles.owner(move.old) in there)
        }
        if averages:
            why = "averages; use_ema (--use_ema) gives them their variables' places"
            left_out.setdefault(why, []).extend(sorted(averages))
        moves = [move for move in moves if move.old not in averages]
    remarks = [
        *renaming.unused,
        *naming.chosen.remarks(checkpoint.contents.keys, checkpoint.prefix),
        *checkpoint.remarks(),
    ]
    return moves, remarks
