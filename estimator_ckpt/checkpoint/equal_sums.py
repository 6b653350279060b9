"""What checksums alone say of two checkpoints: what is equal, and what was renamed."""

from __future__ import annotations

from typing import Any, Optional

from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.checkpoint.common_names import Side


def settled_size(first: Side, second: Side, name: str) -> Optional[int]:
    """The bytes of a variable that is equal on both sides, as checksums say.

    Returns:
      None if checksums do not say that it is equal.
    """
    a = first.checkpoint.index[first.keys[name]]
    b = second.checkpoint.index[second.keys[name]]
    if not a.slices and not b.slices:  # as most: then these are the fingerprint
        same = a.crc32c == b.crc32c and a.dtype == b.dtype and a.shape == b.shape
        return a.size if same and a.crc32c is not None and a.size == b.size else None
    fingerprint = _fingerprint(first, name)
    if fingerprint is None or fingerprint != _fingerprint(second, name):
        return None
    sizes: list[int] = [size for _, size, _ in fingerprint[2]]
    return sum(sizes)


def renamed(
    first: Side, second: Side, removed: list[str], added: list[str]
) -> dict[str, str]:
    """New names by old ones, of variables whose bytes are equal and unlike others'."""
    old, new = _by_bytes(first, removed), _by_bytes(second, added)
    return {
        names[0]: new[fingerprint][0]
        for fingerprint, names in old.items()
        if len(names) == 1 and len(new.get(fingerprint, ())) == 1
    }


def _by_bytes(side: Side, names: list[str]) -> dict[Any, list[str]]:
    found: dict[Any, list[str]] = {}
    for name in names:
        fingerprint = _fingerprint(side, name)
        if fingerprint is not None:
            found.setdefault(fingerprint, []).append(name)
    return found


def _fingerprint(side: Side, name: str) -> Any:
    """What two equal variables have in common without being read; None if unknown.

    Slices count with their extents: the same variable cut otherwise has another.
    """
    key, index = side.keys[name], side.checkpoint.index
    entry = index[key]
    parts: dict[Any, Entry] = (
        dict(index.slices(key)) if entry.is_partitioned else {None: entry}
    )
    if any(part.crc32c is None for part in parts.values()):
        return None
    sums = tuple((cut, part.size, part.crc32c) for cut, part in _sorted(parts))
    return entry.dtype, entry.shape, sums


def _sorted(parts: dict[Any, Entry]) -> list[tuple[Any, Entry]]:
    """Slices in the order of their extents."""
    return sorted(parts.items(), key=lambda item: item[0] or ())
