"""The key moves of a conversion: what is taken, and under which names and keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Optional

from estimator_ckpt.bundle.coding import name_to_key
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import messages, object_keys
from estimator_ckpt.checkpoint.contents import Contents
from estimator_ckpt.checkpoint.formats import Format
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import LEFT_BEHIND
from estimator_ckpt.conversion import key_moves
from estimator_ckpt.conversion.chosen_names import Naming
from estimator_ckpt.conversion.key_moves import KeyMoves, NamePairs, NewTensor
from estimator_ckpt.conversion.result_keys import ResultKeys


def of_checkpoint(checkpoint: Checkpoint, format: Format, wanted: Naming) -> KeyMoves:
    """The key moves of a conversion.

    An object-based source keeps its object keys and its graph where the result has
    object keys and nothing asks for new ones (`root`, an assignment map).

    Args:
      checkpoint: the source.
      format: the format to convert to.
      wanted: which variables are taken, under which names.

    Raises:
      AmbiguousNameError: variable names are needed, and two variables claim one.
      AssignmentMapError: the map gives two variables one name.
      CheckpointError: the filters leave nothing of what there is, or a variable's two
        keys hold different tensors.
    """
    contents, source = checkpoint.contents, checkpoint.prefix
    _require_same_under_both_keys(checkpoint)
    result = _result_keys(checkpoint, format, wanted)
    keeps_graph = result.source_graph is not None
    if not keeps_graph or format.has_name_keys or not wanted.chosen.keeps_all:
        contents.require_unique(source)
    chosen = _chosen(contents, wanted, source)
    unnamed: list[str] = []
    if checkpoint.graph is not None and not keeps_graph:
        unnamed = _of_objects(contents, chosen, wanted.root)
    said: list[str] = []
    owners: Optional[Mapping[str, str]] = None
    if unnamed or wanted.assignment_map or wanted.overruling:
        owners = checkpoint.roles.owners  # which take time, and matter to nothing else
        said = checkpoint.remarks()
    left_out: list[str] = []
    if unnamed:
        left_out = [n for n in unnamed if checkpoint.roles.role(n) in LEFT_BEHIND]
        lost = set(left_out)
        chosen = [name for name in chosen if name not in lost]
    pairs, idle_rules = _renamed(chosen, wanted, source, owners)
    unused = (
        *_sentences(left_out, source),
        *idle_rules,
        *wanted.chosen.remarks(contents.keys, source),
        *_no_step(contents, wanted.step, source),
        *said,
    )
    moves = key_moves.of_variables(
        contents, checkpoint.index.whole_keys(), pairs, result, unused=unused
    )
    return _with_wide_step(moves, checkpoint, result)


class _Unrenamed(Collection[tuple[str, str]]):
    """Names that stay, in pairs of which none is there for longer than it is used."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return zip(self._names, self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, pair: object) -> bool:
        return any(pair == kept for kept in self)


def _renamed(
    chosen: Sequence[str],
    wanted: Naming,
    source: str,
    owners: Optional[Mapping[str, str]],
) -> tuple[NamePairs, Sequence[str]]:
    """Old and new names, and a sentence for each rule that no name matched."""
    if not wanted.assignment_map:
        return _Unrenamed(chosen), ()
    renaming = wanted.assignment_map.rename(
        dict.fromkeys(chosen), source=source, owners=owners
    )
    return renaming.pairs, renaming.unused


def _with_wide_step(
    moves: KeyMoves, checkpoint: Checkpoint, result: ResultKeys
) -> KeyMoves:
    """The same moves; where objects are to read it, an int32 step is written as int64.

    As `tf.Variable(0, name="global_step")` makes it in a graph. Objects have int64, and
    TensorFlow restores no other dtype than a variable's own.
    """
    name = checkpoint.contents.global_step
    if not result.is_new_graph or name is None or name not in checkpoint:
        return moves
    key = name_to_key(checkpoint.contents.keys[name])
    entry = checkpoint.index.entry(key)
    if entry.dtype_name != "int32" or entry.shape or not moves.new_keys[key]:
        return moves
    value = int(checkpoint.read(name)).to_bytes(8, "little", signed=True)
    step = NewTensor("int64", (), lambda: [value])
    sentence = f"{checkpoint.prefix}: {name!r} is int32, and int64 in the result"
    return moves._replace(
        new_keys={**moves.new_keys, key: ()},
        added=moves.added._replace(written=dict.fromkeys(moves.new_keys[key], step)),
        unused=(*moves.unused, sentence),
    )


def _no_step(contents: Contents, step: Optional[str], source: str) -> list[str]:
    """A sentence, if a user says which variable is the step, and there is none such."""
    if step in (None, object_keys.GLOBAL_STEP) or step in contents.keys:
        return []
    return [f"step={step!r} is no variable of {source}: nothing goes under 'step'"]


def _result_keys(checkpoint: Checkpoint, format: Format, wanted: Naming) -> ResultKeys:
    """How the result is keyed: as an object-based source, unless anything is asked."""
    is_new = wanted.root is not None or bool(wanted.assignment_map)
    graph = None if is_new or not format.has_object_keys else checkpoint.graph
    return ResultKeys(format, graph, wanted.root, wanted.step)


def _chosen(contents: Contents, wanted: Naming, source: str) -> list[str]:
    """The variables that the filters leave, by their old names."""
    if wanted.chosen.keeps_all:
        return list(contents.keys)
    chosen = [name for name in contents.keys if wanted.chosen.keeps(name)]
    if contents.keys and not chosen:
        raise CheckpointError(
            f"{source}: include and exclude leave none of its {len(contents.keys)} "
            f"variables"
        )
    return chosen


def _of_objects(
    contents: Contents, chosen: Sequence[str], root: Optional[str]
) -> list[str]:
    """What is kept as an object's, so that its name is made of what is known of it.

    What lies under a dictionary of names comes from a checkpoint by names, all of whose
    entries are variables of TensorFlow 1; of objects, metrics and strings are none.
    """
    dictionaries = tuple(
        f"{object_keys.escape(name)}/"
        for name in (*object_keys.NAME_DICTIONARIES, root)
        if name is not None
    )
    step = contents.global_step
    return [
        name
        for name in chosen
        if name != step and not contents.keys[name].startswith(dictionaries)
    ]


def _sentences(left_out: Sequence[str], source: str) -> list[str]:
    """What is said of them; nothing if there are none."""
    if not left_out:
        return []
    return [
        f"{source}: {messages.quoted(left_out)} left out: metrics and strings of "
        f"objects are no variables of TensorFlow 1"
    ]


def _require_same_under_both_keys(checkpoint: Checkpoint) -> None:
    """Name keys beside object keys of their names must hold the same tensors."""
    for alias in checkpoint.contents.aliases:
        _require_same(checkpoint, alias, checkpoint.contents.keys[alias])


def _require_same(checkpoint: Checkpoint, alias: str, key: str) -> None:
    """A name key beside an object key of that name must hold the same tensor."""
    a, b = checkpoint.index[alias], checkpoint.index[key]
    same = (a.dtype, a.shape) == (b.dtype, b.shape)
    if same and not (a.is_partitioned or b.is_partitioned):
        same = (a.size, a.crc32c) == (b.size, b.crc32c)
    if not same:
        raise CheckpointError(
            f"{checkpoint.prefix}: {alias!r} and {key!r} are both the variable "
            f"{alias!r} but differ; give names='path' (--names=path) to keep them apart"
        )
