"""Frozen dataclasses that every start can afford.

To import `dataclasses` takes 8 ms, for it brings in what parses Python; each class
takes another half, for its methods are compiled. A command loads 10 to 30 such classes,
which together took a fifth of a small checkpoint's conversion. So all modules here say

    from estimator_ckpt.bundle import light_dataclasses as dataclasses

and get `dataclass(frozen=True)`, `field(default_factory=...)`, `replace` and `asdict`,
with the same meaning and no code compiled. For type checkers they are those of
`dataclasses`. So they are for everybody else who asks: `dataclasses.fields`,
`is_dataclass` and `inspect.signature` find what they look for, made when they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import asdict as asdict
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace

else:

    def dataclass(*, frozen, eq=True):
        """Makes a class with annotated fields a frozen dataclass."""
        if not frozen:
            raise TypeError("only frozen dataclasses are made here")

        def decorate(cls):
            return _made(cls, eq)

        return decorate

    def field(*, default_factory):
        """A field whose default value is made anew for each object."""
        return _Field(default_factory)

    def replace(made, /, **changes):
        """The same object with other values of some fields."""
        values = {name: getattr(made, name) for name in type(made).__match_args__}
        return type(made)(**{**values, **changes})

    def asdict(made):
        """The values by field, those of dataclasses in them, too."""
        import dataclasses

        return dataclasses.asdict(made)


class _Field(NamedTuple):
    default_factory: Callable[[], Any]


def _made(cls: Any, eq: bool) -> Any:
    """The class, with the methods of a frozen dataclass that it does not define."""
    own = list(cls.__annotations__)
    inherited = getattr(cls, "__match_args__", ())
    names = tuple(dict.fromkeys((*inherited, *own)))
    factories = dict(getattr(cls, "_factories", {}))
    for name in own:
        default = cls.__dict__.get(name)
        if isinstance(default, _Field):
            factories[name] = default.default_factory
            delattr(cls, name)
    # The defaults are where they are written: attributes of the class.
    defaults = {name: getattr(cls, name) for name in names if hasattr(cls, name)}
    added = {
        "__init__": _initializer(names, defaults, factories),
        "__repr__": _repr,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__match_args__": names,
        "_factories": factories,
        **({"__eq__": _equals, "__hash__": _hash} if eq else {}),
    }
    for name, value in added.items():
        if name not in cls.__dict__:
            setattr(cls, name, value)
    standard = _Standard(cls, own, eq)
    for name in ("__dataclass_fields__", "__dataclass_params__", "__signature__"):
        setattr(cls, name, _Asked(standard, name))
    return cls


def _initializer(
    names: tuple[str, ...],
    defaults: dict[str, Any],
    factories: dict[str, Callable[[], Any]],
) -> Callable[..., None]:
    known = frozenset(names)

    def __init__(self: Any, /, *args: Any, **given: Any) -> None:
        values = {**defaults, **dict(zip(names, args)), **given}
        for name, make in factories.items():
            if name not in values:
                values[name] = make()
        first = names[: len(args)]
        if (
            values.keys() != known
            or len(first) < len(args)
            or not given.keys().isdisjoint(first)
        ):
            raise TypeError(
                f"{type(self).__name__} takes {', '.join(names)}, not {len(args)} "
                f"values and {', '.join(given) or 'no more'} by name"
            )
        object.__setattr__(self, "__dict__", values)
        if hasattr(self, "__post_init__"):
            self.__post_init__()

    return __init__


def _values(made: Any) -> tuple[Any, ...]:
    return tuple(getattr(made, name) for name in type(made).__match_args__)


def _repr(self: Any) -> str:
    named = zip(type(self).__match_args__, _values(self))
    fields = ", ".join(f"{name}={value!r}" for name, value in named)
    return f"{type(self).__qualname__}({fields})"


def _equals(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse(self: Any, name: str, *value: Any) -> None:
    import dataclasses

    what = "assign to" if value else "delete"
    raise dataclasses.FrozenInstanceError(f"cannot {what} field {name!r}")


class _Standard:
    """What `dataclasses` makes of a class, made when somebody asks for it."""

    def __init__(self, cls: Any, own: list[str], eq: bool) -> None:
        self._cls, self._own, self._eq = cls, own, eq
        self._made: Any = None

    def get(self, name: str) -> Any:
        if self._made is None:
            import dataclasses
            import inspect

            cls = self._cls
            content = {n: cls.__dict__[n] for n in self._own if n in cls.__dict__}
            for own in self._own:
                if own in cls._factories:
                    make = cls._factories[own]
                    content[own] = dataclasses.field(default_factory=make)
            content["__annotations__"] = cls.__annotations__
            content["__module__"] = cls.__module__
            content["__doc__"] = cls.__doc__
            twin = type(cls)(cls.__name__, cls.__bases__, content)
            twin = dataclasses.dataclass(frozen=True, eq=self._eq)(twin)
            whole = inspect.signature(twin.__init__)
            given = list(whole.parameters.values())[1:]
            twin.__signature__ = whole.replace(parameters=given)
            self._made = twin
        return self._made.__dict__[name]


class _Asked:
    """An attribute of a class that is made when somebody asks for it."""

    def __init__(self, standard: _Standard, name: str) -> None:
        self._standard, self._name = standard, name

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self._standard.get(self._name)
