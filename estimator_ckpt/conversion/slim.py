"""Checkpoints without what only training needs: smaller, and as good to use.

What an optimizer keeps is left out, by role and not by name, and averages unless they
are to be kept. The rest is written tensor by tensor, each held against its checksum,
since a linked shard would keep all bytes.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Optional

from estimator_ckpt.bundle import argument_types, files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import naming, opening
from estimator_ckpt.checkpoint.formats import FormatLike
from estimator_ckpt.checkpoint.naming import NamesBy, NamesLike
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import (
    AS_FOUND,
    AVERAGE,
    OF_OPTIMIZER,
    Overruling,
    Regexes,
    Role,
)
from estimator_ckpt.conversion import convert, key_moves
from estimator_ckpt.conversion.result_keys import ResultKeys
from estimator_ckpt.conversion.targets import CompactTarget
from estimator_ckpt.conversion.writing import bundle_copy, drafts, new_bundle, snapshot


@dataclasses.dataclass(frozen=True)
class Slimmed:
    """What became of a checkpoint.

    Attributes:
      prefix: the new prefix.
      before: the bytes that all of its tensors took, in the source's shards.
      after: the bytes of the new checkpoint's shards.
      left_out: what was left out: roles by variable name.
    """

    prefix: str
    before: int
    after: int
    left_out: dict[str, Role]


@argument_types.checked
def slim(
    source: files.PathLike,
    destination: files.PathLike,
    *,
    to: Optional[FormatLike] = None,
    keep_averages: bool = False,
    names: NamesLike = "full_name",
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
    overwrite: bool = False,
    progress: Optional[files.Progress] = None,
) -> str:
    """Writes a checkpoint without optimizer state, and no byte that is not used.

    Left out are slots, optimizers' counters and settings, loss scales and (unless
    `keep_averages`) averages of variables. The model's state, BatchNorm's statistics
    among it, and the global step are kept. An object-based checkpoint keeps its object
    keys and, less what is left out, its object graph.

    Args:
      source: a checkpoint in any format, as `open_checkpoint` takes it.
      destination: the new prefix, or a directory; as for `convert`.
      to: `tf1`, `tf2` or `dual`; the source's format by default.
      keep_averages: whether averages are kept, for evaluation with them.
      names: what variables of an object-based source are called, as for `convert`.
        Where full names are shared and the result has none, they are called by their
        paths.
      optimizer_state: regexes of variables that are optimizer state, whatever the
        evidence says.
      model_state: regexes of variables that are not; they win.
      overwrite: whether to replace a checkpoint that is there.
      progress: called with the number of bytes written.

    Returns:
      The new prefix.

    Raises:
      ValueError: an unknown `to` or `names`, or a pattern that is no regex.
      AmbiguousNameError: two variables claim one name, and names are needed.
      CheckpointError: there is nothing but optimizer state, or a tensor is damaged.
      As `convert`.
    """
    target = CompactTarget.of(destination, to, overwrite, progress)
    overruling = Overruling.of(optimizer_state, model_state)
    wanted = Slimming(naming.parse(names), keep_averages, overruling)
    return run(source, target, wanted).prefix


@dataclasses.dataclass(frozen=True)
class Slimming:
    """What is left out.

    Attributes:
      names_by: what variables of an object-based source are called.
      keep_averages: whether averages are kept.
      overruling: what a user says of variables' roles.
    """

    names_by: NamesBy = NamesBy.FULL_NAME
    keep_averages: bool = False
    overruling: Overruling = AS_FOUND

    @property
    def goes(self) -> frozenset[Role]:
        """The roles of what is left out."""
        return OF_OPTIMIZER if self.keep_averages else OF_OPTIMIZER | {AVERAGE}


def run(
    source: files.PathLike, compact_target: CompactTarget, wanted: Slimming
) -> Slimmed:
    """The same; says what became of the checkpoint. Errors are those of `slim`."""

    def attempt() -> Slimmed:
        with _opened(source, compact_target, wanted) as checkpoint:
            target = compact_target.target(checkpoint.format)
            prefix = target.usable_prefix(checkpoint.prefix)
            checkpoint.contents.require_unique(checkpoint.prefix)
            roles = {name: checkpoint.roles.role(name) for name in checkpoint}
            left_out = {
                name: role for name, role in roles.items() if role in wanted.goes
            }
            kept = [(name, name) for name in roles if name not in left_out]
            if left_out and not kept:
                raise CheckpointError(
                    f"{checkpoint.prefix}: all of its {len(left_out)} variables are "
                    f"optimizer state; model_state=REGEX (--model_state) says which "
                    f"are not"
                )
            graph = checkpoint.graph if target.format.has_object_keys else None
            moves = key_moves.of_variables(
                checkpoint.contents,
                checkpoint.index.whole_keys(),
                kept,
                ResultKeys(target.format, graph),
            )
            beside, progress = os.path.dirname(prefix), target.progress
            with bundle_copy.as_bundle(checkpoint.reader, beside, progress) as bundle:
                new = drafts.draft(bundle.index, moves)
                written = new_bundle.write(bundle, new, prefix, target)
            convert.warn(checkpoint.remarks())
            return Slimmed(prefix, _size(checkpoint), written.size, left_out)

    return snapshot.settled([source], attempt)


def _opened(
    source: files.PathLike, target: CompactTarget, wanted: Slimming
) -> Checkpoint:
    """The source; by paths where names are shared, and are not needed in the result."""
    names_by, overruling = wanted.names_by, wanted.overruling
    checkpoint = opening.opened(source, names=names_by, overruling=overruling)
    format = target.target(checkpoint.format).format
    if not checkpoint.contents.ambiguous or format.has_name_keys:
        return checkpoint
    checkpoint.close()
    return opening.opened(source, names=NamesBy.PATH, overruling=overruling)


def _size(checkpoint: Checkpoint) -> int:
    """The bytes that a checkpoint's tensors take, each once."""
    index = checkpoint.index
    entries = [index.entry(key) for key in index.records]
    places = {(e.shard_id, e.offset, e.size) for e in entries if not e.slices}
    return sum(size for _, _, size in places)
