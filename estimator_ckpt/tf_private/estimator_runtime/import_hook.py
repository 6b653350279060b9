"""Modules that are put in place, or changed, when they are imported.

A job may set environment variables, parse flags and fork before it imports TensorFlow.
So nothing here imports it: two finders wait in `sys.meta_path`. The first sees every
import of a watched module before it starts, and the module once it is there; the last
one provides modules that no other finder knows.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Optional

Action = Callable[[ModuleType], None]
#: From a missing module's name to the module that has its contents; None: not known.
Source = Callable[[str], Optional[str]]


class Watcher(MetaPathFinder):
    """Calls back before and after modules are imported."""

    def __init__(self) -> None:
        self._before: list[tuple[re.Pattern[str], Action]] = []
        self._after: list[tuple[re.Pattern[str], Action]] = []

    def before(self, pattern: str, action: Action) -> None:
        """Calls `action` with each module whose whole name matches, still empty."""
        self._before.append((re.compile(pattern), action))

    def after(self, pattern: str, action: Action) -> None:
        """Calls `action` with each module whose whole name matches `pattern`.

        At once with those that are loaded, with the others when they are.
        """
        compiled = re.compile(pattern)
        self._after.append((compiled, action))
        for name, module in list(sys.modules.items()):
            if compiled.fullmatch(name) and module is not None:
                action(module)

    def find_spec(
        self,
        fullname: str,
        path: Optional[Sequence[str]] = None,
        target: Optional[ModuleType] = None,
    ) -> Optional[ModuleSpec]:
        if not fullname.startswith(("tensorflow", "tf_keras")):
            return None
        before = [do for pattern, do in self._before if pattern.fullmatch(fullname)]
        after = [do for pattern, do in self._after if pattern.fullmatch(fullname)]
        if not (before or after):
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Announcing(spec.loader, before, after)
                return spec
        return None


class _Announcing(Loader):
    """A module's own loader, with something done before and after it."""

    def __init__(
        self, loader: Loader, before: Sequence[Action], after: Sequence[Action]
    ) -> None:
        self._loader = loader
        self._before = before
        self._after = after

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        for action in self._before:
            action(module)
        self._loader.exec_module(module)
        # TensorFlow's v1 API modules put a wrapper in their place.
        there = sys.modules.get(module.__name__, module)
        for action in self._after:
            action(there)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


class Provider(MetaPathFinder):
    """Finds modules that exist nowhere, in modules that have their contents."""

    def __init__(self) -> None:
        self._sources: list[Source] = []

    def provide(self, source: Source) -> None:
        """Asks `source` for the contents of modules that nobody else finds."""
        self._sources.append(source)

    def find_spec(
        self,
        fullname: str,
        path: Optional[Sequence[str]] = None,
        target: Optional[ModuleType] = None,
    ) -> Optional[ModuleSpec]:
        if not fullname.startswith("tensorflow."):
            return None
        for source in self._sources:
            name = source(fullname)
            if name is not None:
                return _spec(fullname, name)
        return None


def _spec(fullname: str, source: str) -> Optional[ModuleSpec]:
    found = importlib.util.find_spec(source)
    if found is None:
        return None
    is_package = found.submodule_search_locations is not None
    return ModuleSpec(fullname, _Copying(source), is_package=is_package)


class _Copying(Loader):
    """Makes a module with the names of another, as `from other import *` would.

    A module of its own, not an alias: importing sets a module's name and parent.
    """

    def __init__(self, source: str) -> None:
        self._source = source

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        return None

    def exec_module(self, module: ModuleType) -> None:
        source = importlib.import_module(self._source)
        is_package = module.__spec__ is not None and module.__spec__.parent == (
            module.__name__
        )
        module.__doc__ = source.__doc__
        for name, value in vars(source).items():
            if name.startswith("__"):
                continue
            # The submodules of a package are modules of their own under it.
            if not (is_package and isinstance(value, ModuleType)):
                setattr(module, name, value)


def install() -> tuple[Watcher, Provider]:
    """Puts both finders into `sys.meta_path`."""
    watcher, provider = Watcher(), Provider()
    sys.meta_path.insert(0, watcher)
    sys.meta_path.append(provider)
    return watcher, provider


def uninstall() -> None:
    """Takes the finders out again."""
    ours = (Watcher, Provider)
    sys.meta_path[:] = [x for x in sys.meta_path if not isinstance(x, ours)]
