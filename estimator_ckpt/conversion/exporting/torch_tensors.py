"""The tensors of a file in PyTorch's layout, by the rules that give them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Optional

from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.evidence import graph_uses
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.conversion.exporting import tensor_streams
from estimator_ckpt.conversion.exporting.exported_tensors import Exported
from estimator_ckpt.conversion.exporting.tensor_streams import Rounding
from estimator_ckpt.layouts.torch import tensor_plans
from estimator_ckpt.layouts.torch.module_decisions import Fact
from estimator_ckpt.layouts.torch.tensor_plans import NewName, Placed, TensorPlan
from estimator_ckpt.layouts.torch.torch_rules import Request
from estimator_ckpt.maps.rules_by_subject import Move
from estimator_ckpt.maps.torch_names.torch_name import Arrangement

#: The rules that give what a map says of a tensor.
_ARRANGED = {
    Arrangement.AS_IT_IS: "as_is",
    Arrangement.DENSE: "dense",
    Arrangement.CONV: "conv",
    Arrangement.MATRIX: "matrix",
}


def plan(
    checkpoint: Checkpoint, moves: Sequence[Move], requests: Sequence[Request]
) -> tuple[TensorPlan, dict[str, str]]:
    """The rules for the variables that are taken, and which these are read from.

    An average that takes its variable's place is what that variable is.

    Args:
      checkpoint: the source.
      moves: the variables that are taken, with their new names.
      requests: the user's rules.

    Raises:
      As `tensor_plans.plan`.
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
    found = tensor_plans.plan(facts, new_names, requests, uses, checkpoint.prefix)
    return found, read_from


def _attribute(key: str) -> Optional[str]:
    """What the object graph's object calls a variable; None if there is no graph."""
    path = object_keys.path_of(key)
    return None if path is None else path.rpartition("/")[2]


def of_rule(
    checkpoint: Checkpoint,
    placed: Placed,
    read_from: Mapping[str, str],
    rounding: Rounding,
    path: str,
) -> Iterator[Exported]:
    """The tensors that a rule gives.

    Args:
      checkpoint: the source.
      placed: the rule.
      read_from: the variable that each of the rule's is read from.
      rounding: what floating-point tensors are rounded with.
      path: the file, beside which scratch files may be.

    Raises:
      LayoutRuleError: its variables are not of one type.
    """
    rule = placed.rule
    for part in rule.parts:
        variables = tuple(read_from[name] for name in part.sources)
        keys = [checkpoint.contents.keys[name] for name in variables]
        entries = [checkpoint.index[key] for key in keys]
        part.require_one_dtype(part.sources, (entry.dtype for entry in entries))
        dtype = dtypes.of(entries[0].dtype)
        permutation = rule.permutation(part, entries[0].shape, is_back=False)
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
