"""What tf-keras 2.15.0 takes from Python and NumPy, and newer versions refuse.

Three things, each mended in later versions of tf-keras: bounds of random integers as
floats (refused by Python 3.12), `numpy.Inf` and `numpy.unicode_` (gone from NumPy 2.0).
The first is met by each job that calls `tf.keras.utils.set_random_seed`.

Checked with tf-keras 2.15.0 and 2.21.0, CPython 3.11 to 3.13, NumPy 1.26 to 2.5.
"""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

from estimator_ckpt.tf_private.estimator_runtime.import_hook import Watcher


def watch(watcher: Watcher) -> None:
    """Changes tf-keras's modules when they are imported."""
    watcher.after(
        r"tf_keras\.src\.(?:backend|utils\.tf_utils|preprocessing\.sequence)",
        _take_floats,
    )
    watcher.after(r"tf_keras\.src\.(?:callbacks|utils\.data_utils)", _name_for_numpy)


class _Extended(ModuleType):
    """A module, with other names before its own."""

    def __init__(self, module: ModuleType, **names: Any) -> None:
        super().__init__(module.__name__)
        self._module = module
        vars(self).update(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Random(random.Random):
    """Python's generator; bounds may be whole numbers of any type."""

    def randint(self, a: Any, b: Any) -> int:
        return super().randint(_whole(a), _whole(b))


def _randint(a: Any, b: Any) -> int:
    return random.randint(_whole(a), _whole(b))


def _whole(bound: Any) -> Any:
    is_whole = isinstance(bound, float) and bound.is_integer()
    return int(bound) if is_whole else bound


def _take_floats(module: Any) -> None:
    given = module.random
    if isinstance(given, _Extended):
        return
    module.random = _Extended(given, Random=_Random, randint=_randint)


def _name_for_numpy(module: Any) -> None:
    numpy = module.np
    older = {"Inf": "inf", "unicode_": "str_"}
    missing = {old: new for old, new in older.items() if not hasattr(numpy, old)}
    if missing and not isinstance(numpy, _Extended):
        names = {old: getattr(numpy, new) for old, new in missing.items()}
        module.np = _Extended(numpy, **names)
