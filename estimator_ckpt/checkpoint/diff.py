"""Two checkpoints, variable by variable.

Variables are compared by name, so a `tf1`, a `tf2` and a `dual` checkpoint of the same
variables have no difference. Equal checksums settle equality without reading data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from estimator_ckpt.bundle import argument_types, coding, files
from estimator_ckpt.bundle.tensors import dtypes
from estimator_ckpt.checkpoint import common_names, equal_sums
from estimator_ckpt.checkpoint.changes import (
    change_details,
    changed_elements,
    value_changes,
)
from estimator_ckpt.checkpoint.changes.value_changes import Change
from estimator_ckpt.checkpoint.common_names import Side
from estimator_ckpt.checkpoint.differences import Aspect, Diff, Difference
from estimator_ckpt.checkpoint.naming import NamesLike
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import Overruling, Regexes
from estimator_ckpt.checkpoint.variable import StoredVariable

#: The dtypes whose elements are numbers.
_NUMBERS = frozenset(d.name for d in dtypes.DTYPES.values() if d.size is not None)


@argument_types.checked
def diff(
    a: files.PathLike,
    b: files.PathLike,
    *,
    names: NamesLike = "full_name",
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
    details: bool = True,
    progress: Optional[files.Progress] = None,
) -> Diff:
    """Compares two checkpoints variable by variable.

    A variable that only the first has and one that only the second has are taken for
    one that was renamed if their bytes are equal and no other has the same. Of
    variables that share a full name each goes by its path, and of a hash table both
    tensors are compared. A conversion of an object's checkpoint to names leaves out
    metrics and strings: these are no difference from its source.
    Values are read piece by piece (1 MiB): memory does not grow with the bytes. Two
    elements that are both not a number are equal.

    Args:
      a: the first checkpoint, as `open_checkpoint` takes it.
      b: the second.
      names: what variables of objects are called, as for `open_checkpoint`; with
        `path` a conversion with `names="path"` is held against its source.
      optimizer_state: regexes of variables, on either side, that are optimizer state
        whatever the evidence says, as for `open_checkpoint`: no metrics, for example.
      model_state: the same of model state.
      details: whether to sum up differences by layer, and to read the twelve tensors
        that differ most once more, twice, for their histograms, and what has none
        once.
      progress: called with the number of bytes compared; its method `expect`, if it
        has one, with how many there will be.

    Raises:
      ValueError: `names` is neither, or a pattern is no regex.
      CheckpointNotFoundError: one of them is not there.
      CheckpointError: one of them is damaged.
    """
    overruling = Overruling.of(optimizer_state, model_state)
    with common_names.opened(a, b, names, overruling) as (old, new):
        both = [name for name in old.keys if name in new.keys]
        settled, unlike = _settled(old, new, both)
        is_same = not unlike and len(both) == len(old.keys) == len(new.keys)
        if details or not is_same:
            common_names.decide_roles(old, new)
        found, left_out = _on_one_side(old, new)
        files.expect(progress, _bytes_to_read(old, new, unlike))
        changed = [d for name in unlike for d in _compare(old, new, name, progress)]
        layers, histograms, examples = (
            (
                *change_details.of(old, new, _changes(old, both, changed), progress),
                change_details.examples(old, new, changed),
            )
            if details
            else ((), (), ())
        )
    order = list(Aspect)
    found = sorted([*found, *changed], key=lambda d: (order.index(d.aspect), d.name))
    read_equal = _without(unlike, changed)
    return Diff(
        old.checkpoint.prefix,
        new.checkpoint.prefix,
        tuple(found),
        len(both) - len(unlike) + len(read_equal),
        tuple(left_out),
        settled + sum(_size(old, name) for name in read_equal),
        layers,
        histograms,
        overruling.unused({**old.keys, **new.keys}) if overruling else (),
        examples,
    )


def _settled(old: Side, new: Side, names: Sequence[str]) -> tuple[int, list[str]]:
    """The bytes of what checksums say is equal; and those of which they do not."""
    settled, unlike = 0, []
    for name in names:
        size = equal_sums.settled_size(old, new, name)
        if size is None:
            unlike.append(name)
        else:
            settled += size
    return settled, unlike


def _without(names: Iterable[str], changed: Iterable[Difference]) -> list[str]:
    """The variables of which nothing is changed."""
    differ = {difference.name for difference in changed}
    return [name for name in names if name not in differ]


def _bytes_to_read(old: Side, new: Side, names: Iterable[str]) -> int:
    """The bytes of variables whose values have to be compared."""
    read = (old.variables[name] for name in names if not _declared(old, new, name))
    return sum(variable.size for variable in read)


def _on_one_side(old: Side, new: Side) -> tuple[list[Difference], list[str]]:
    """What is removed, added or renamed; and what is left out of these."""
    removed = {n: old.variables[n] for n in old.keys if n not in new.keys}
    added = {n: new.variables[n] for n in new.keys if n not in old.keys}
    left_out = [
        *common_names.left_behind(old, new, removed),
        *common_names.left_behind(new, old, added),
    ]
    for name in left_out:
        removed.pop(name, None)
        added.pop(name, None)
    renamed = equal_sums.renamed(old, new, list(removed), list(added))
    found = []
    for name, variable in removed.items():
        aspect = Aspect.RENAMED if name in renamed else Aspect.REMOVED
        detail = _dtype_and_shape(variable)
        found.append(_of(aspect, variable, detail, new_name=renamed.get(name)))
    for name in added.keys() - renamed.values():
        found.append(_of(Aspect.ADDED, added[name], _dtype_and_shape(added[name])))
    return found, left_out


def _size(side: Side, name: str) -> int:
    """The bytes that a variable takes, known without what it is for."""
    key, index = side.keys[name], side.checkpoint.index
    entry = index[key]
    if entry.is_partitioned:
        return sum(part.size for part in index.slices(key).values())
    return entry.size


def _changes(
    old: Side, both: Sequence[str], changed: Sequence[Difference]
) -> list[Change]:
    """By how much each variable of numbers differs that is comparable, or does not."""
    found = {difference.name: difference for difference in changed}
    changes = []
    for name in both:
        variable, difference = old.variables[name], found.get(name)
        if variable.dtype not in _NUMBERS:
            continue  # strings, variants, what is not known
        mean, most = 0.0, 0.0
        if difference is not None:
            if difference.aspect is not Aspect.VALUE:
                continue
            mean, most = difference.mean_abs or 0.0, difference.max_abs or 0.0
        count = math.prod(variable.shape)
        changes.append(Change(name, variable.role, count, mean, most))
    return changes


def _of(
    aspect: Aspect,
    variable: StoredVariable,
    detail: str,
    *,
    new_name: Optional[str] = None,
    max_abs: Optional[float] = None,
    mean_abs: Optional[float] = None,
) -> Difference:
    return Difference(
        *(aspect, variable.name, new_name, detail, max_abs, mean_abs),
        size=variable.size,
        owner=variable.owner,
    )


def _declared(first: Side, second: Side, name: str) -> list[Difference]:
    """The differences of a variable's dtype and shape."""
    a, b = first.variables[name], second.variables[name]
    found = []
    if a.dtype != b.dtype and not a.counts_with(b):
        found.append(_of(Aspect.DTYPE, a, f"{a.dtype} -> {b.dtype}"))
    if a.shape != b.shape:
        detail = f"{list(a.shape)} -> {list(b.shape)}"
        found.append(_of(Aspect.SHAPE, a, detail))
    return found


def _compare(
    first: Side, second: Side, name: str, progress: Optional[files.Progress]
) -> Iterator[Difference]:
    """The differences of a variable that is not known to be equal."""
    declared = _declared(first, second, name)
    if declared:
        yield from declared
        return
    a, b = first.variables[name], second.variables[name]
    old, new = first.checkpoint, second.checkpoint
    data_type = dtypes.of(old.index[a.key].dtype)
    if data_type.size is None and not data_type.is_string:
        if _stored(old, a.key) != _stored(new, b.key):
            yield _of(Aspect.VALUE, a, "the stored bytes differ")
        return
    count, different, most, total = 0, 0, 0.0, 0.0
    for x, y in change_details.pieces(first, second, name, progress):
        count += x.size
        some, largest, added = value_changes.measure(x, y)
        different, most, total = different + some, max(most, largest), total + added
    if different:
        one = changed_elements.pair(x, y) if count == 1 else ""
        yield _of(
            Aspect.VALUE,
            a,
            one or f"{different} of {count} elements",
            max_abs=None if data_type.is_string else most,
            mean_abs=None if data_type.is_string else total / count,
        )


def _stored(checkpoint: Checkpoint, key: str) -> list[int]:
    """A checksum of each chunk of what cannot be decoded."""
    from estimator_ckpt.bundle import checksum

    chunks = checkpoint.chunks(coding.name_to_key(key))
    return [checksum.value(chunk) for chunk in chunks]


def _dtype_and_shape(info: StoredVariable) -> str:
    return f"{info.dtype}{list(info.shape)}"
