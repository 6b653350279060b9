"""What goes into a `.safetensors` file: tensors, their names, and what says so.

Decided from the index, the roles, the maps and the graph; no value is read.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from estimator_ckpt.bundle.errors import (
    CheckpointError,
)
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.bundle.tensors.dtypes import DataType
from estimator_ckpt.checkpoint import messages, object_keys, roles
from estimator_ckpt.checkpoint.evidence import graph_uses
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import Role
from estimator_ckpt.checkpoint.weight_files import safetensors_writer
from estimator_ckpt.checkpoint.weight_files.safetensors_reader import (
    SafetensorsReader,
)
from estimator_ckpt.conversion.exporting import file_metadata, tensor_streams
from estimator_ckpt.conversion.exporting.export_requests import ExportRequest
from estimator_ckpt.conversion.exporting.tensor_streams import Rounding
from estimator_ckpt.conversion.targets import OptionError
from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from estimator_ckpt.layouts.torch import tensor_plans
from estimator_ckpt.layouts.torch.module_decisions import Fact
from estimator_ckpt.layouts.torch.tensor_plans import NewName, Placed
from estimator_ckpt.layouts.torch.torch_rules import Request, TorchRule
from estimator_ckpt.maps.rules_by_subject import Move
from estimator_ckpt.maps.suggest import published_models
from estimator_ckpt.maps.torch_names.torch_name import Arrangement

#: The rules that give what a map says of a tensor.
_ARRANGED = {
    Arrangement.AS_IT_IS: "as_is",
    Arrangement.DENSE: "dense",
    Arrangement.CONV: "conv",
    Arrangement.MATRIX: "matrix",
}


class Exported(NamedTuple):
    """A tensor of the file.

    Attributes:
      name: its name there.
      variables: the variables that it is made of.
      before: their type.
      dtype: its own.
      shape: its shape.
      word: the word of the rule that gives it; empty in TensorFlow's layout.
      evidence: what says that this is the rule.
      pieces: gives its values.
    """

    name: str
    variables: tuple[str, ...]
    before: DataType
    dtype: DataType
    shape: tuple[int, ...]
    word: str
    evidence: str
    pieces: Callable[[], Iterator[Any]]


@dataclasses.dataclass(frozen=True)
class Export:
    """What is going to be written; nothing is yet.

    Attributes:
      source: the source's prefix.
      path: the file.
      tensors: what is in it, by name.
      left_out: the variables that are not, by why.
      rules: those that give PyTorch's tensors; None for TensorFlow's layout.
      remarks: what the user should know, a sentence each.
    """

    source: str
    path: str
    tensors: Mapping[str, Exported]
    left_out: Mapping[str, Sequence[str]]
    rules: Optional[Sequence[TorchRule]]
    remarks: tuple[str, ...]

    def sentences(self) -> list[str]:
        """What the user should know: what is left out, and more."""
        found = [
            f"{self.source}: {len(names)} left out, {why}: "
            f"{messages.quoted(names, most=3)}"
            for why, names in self.left_out.items()
        ]
        return [*found, *self.remarks]


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
    left_out: dict[str, list[str]] = {}
    _require_names(checkpoint, wanted, left_out)
    chosen = _chosen(checkpoint, wanted, left_out)
    moves, remarks = _moves(checkpoint, wanted, chosen, left_out)
    if wanted.requests is not None and _metadata(checkpoint).get("format") == "pt":
        raise OptionError(
            f"{checkpoint.prefix}: is in PyTorch's layout already; leave out the layout"
        )
    if wanted.requests is None:
        exported = _in_tensorflows_layout(checkpoint, moves, rounding)
        rules = _rules_of_source(checkpoint, moves)
    else:
        try:
            planned, read_from = _in_pytorchs_layout(checkpoint, moves, wanted.requests)
        except LayoutRuleError as error:
            hint = "".join(f". Or: {known}" for known in _known_model(moves))
            raise LayoutRuleError(f"{error}{hint}") from None
        remarks += (f"{checkpoint.prefix}: {known}" for known in _known_model(moves))
        rules = [item.rule for item in planned.placed]
        exported = [
            tensor
            for item in planned.placed
            for tensor in _of_rule(checkpoint, item, read_from, rounding, path)
        ]
        remarks += planned.unused
    if not exported:
        raise CheckpointError(
            f"{checkpoint.prefix}: nothing of its {len(checkpoint)} variables is left "
            f"to be written; carry='all' (--carry=all) takes optimizer state, too"
        )
    remarks += _on_complex_numbers(checkpoint, exported)
    tensors = {tensor.name: tensor for tensor in exported}
    return Export(checkpoint.prefix, path, tensors, left_out, rules, tuple(remarks))


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
        *(
            f"the pattern {pattern!r} matches no variable of {checkpoint.prefix}"
            for pattern in naming.chosen.unused(checkpoint.contents.keys)
        ),
        *checkpoint.roles.unused,
    ]
    remark = checkpoint.roles.remark()
    if remark:
        remarks.append(f"{checkpoint.prefix}: {remark}")
    return moves, remarks


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


def _in_pytorchs_layout(
    checkpoint: Checkpoint, moves: Sequence[Move], requests: Sequence[Request]
) -> tuple[tensor_plans.TensorPlan, dict[str, str]]:
    """The plan, and the variable that each of its variables is read from.

    An average that takes its variable's place is what that variable is.
    """
    read_from: dict[str, str] = {}
    facts: dict[str, Fact] = {}
    new_names: dict[str, list[NewName]] = {}
    taken = {move.old for move in moves}
    for move in moves:
        of = checkpoint.roles.averaged(move.old)
        name = move.old if of is None or of in taken else of
        key = checkpoint.contents.keys[move.old]
        named = checkpoint.contents.keys.get(name, key)
        read_from[name] = move.old
        facts[name] = Fact(checkpoint.index[key].shape, _attribute(named))
        arranged = None if move.rule is None else move.rule.arrangement
        word = None if arranged is None else _ARRANGED[arranged]
        where = "" if move.rule is None else str(move.rule)
        new_names.setdefault(name, []).append(NewName(move.new, word, where))
    uses = graph_uses.of_checkpoint(checkpoint)
    planned = tensor_plans.plan(facts, new_names, requests, uses, checkpoint.prefix)
    return planned, read_from


def _attribute(key: str) -> Optional[str]:
    """What the object graph's object calls a variable; None if there is no graph."""
    path = object_keys.path_of(key)
    return None if path is None else path.rpartition("/")[2]


def _of_rule(
    checkpoint: Checkpoint,
    placed: Placed,
    read_from: Mapping[str, str],
    rounding: Rounding,
    path: str,
) -> Iterator[Exported]:
    """The tensors that a rule gives."""
    rule = placed.rule
    for part in rule.parts:
        variables = tuple(read_from[name] for name in part.sources)
        keys = [checkpoint.contents.keys[name] for name in variables]
        entries = [checkpoint.index[key] for key in keys]
        dtype = dtypes.of(entries[0].dtype)
        if any(entry.dtype != dtype.number for entry in entries):
            raise LayoutRuleError(
                f"{part.text}: {messages.quoted(part.sources)} are not of one type"
            )
        permutation = rule.permutation(entries[0].shape, is_back=False)
        if permutation is not None:
            shapes = [permutation.made]
        else:
            shapes = part.made([entry.shape for entry in entries])
        for place, (name, shape) in enumerate(zip(part.targets, shapes)):
            if permutation is not None:
                pieces: Callable[[], Iterator[Any]] = functools.partial(
                    tensor_streams.permuted,
                    checkpoint,
                    keys[0],
                    permutation,
                    os.path.dirname(path),
                )
            else:
                pieces = functools.partial(
                    tensor_streams.ruled, checkpoint, keys, part, place
                )
            yield Exported(
                name,
                variables,
                dtype,
                rounding.type_of(dtype),
                shape,
                rule.word,
                placed.evidence,
                pieces,
            )
