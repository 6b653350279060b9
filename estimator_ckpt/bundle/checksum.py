"""CRC32C and the mask under which TensorFlow stores it: the only place for both.

The library releases Python's global lock while it works on more than 32 KiB, so
threads that check different tensors use all cores.
"""

from __future__ import annotations

import importlib.machinery
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_MASK_DELTA = 0xA282EAD8


def _library() -> Any:
    """The `crc32c` package's C extension.

    It is loaded without the package around it, which on import looks up its own
    version number: some 30 ms, more than all the rest of reading an index.
    """
    finder = importlib.machinery.PathFinder
    package = finder.find_spec("crc32c")
    if package is not None and package.submodule_search_locations:
        spec = finder.find_spec("crc32c._crc32c", package.submodule_search_locations)
        if spec is not None and spec.loader is not None:
            module = spec.loader.create_module(spec)
            if module is not None:
                spec.loader.exec_module(module)
                return module
    import crc32c

    return crc32c


_crc32c = _library().crc32c


def extend(crc: int, data: Any) -> int:
    """The CRC32C of what gave `crc`, followed by the bytes of a buffer."""
    value: int = _crc32c(data, crc)
    return value


def value(data: Any) -> int:
    """The CRC32C of the bytes of a buffer."""
    return extend(0, data)


def of_chunks(chunks: Iterable[Any]) -> int:
    """The CRC32C of buffers that follow one another."""
    crc = 0
    for chunk in chunks:
        crc = extend(crc, chunk)
    return crc


def mask(crc: int) -> int:
    """What TensorFlow stores for a CRC, so that no CRC is taken over a CRC."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF
