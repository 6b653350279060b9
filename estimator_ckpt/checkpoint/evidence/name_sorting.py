"""Names, sorted by what they may be: what each says alone, and what it stands under.

One pass over all names; the other modules of names look at what it finds.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.checkpoint.evidence import known_names
from estimator_ckpt.checkpoint.optimizers import slot_names
from estimator_ckpt.checkpoint.roles import (
    LOSS_SCALE,
    METRIC,
    MODEL,
    SLOT,
    TF1,
    Decision,
)

#: And a dtype that is not known, which may be one.
_INTEGERS = frozenset({"int32", "int64", "uint32", "uint64", ""})
_NOT_NUMBERS = frozenset({"string", "variant", "resource"})
#: The most steps of a name that can be a slot's.
_MOST_STEPS = 100
#: What of a Keras name's steps can be the slot in `<P>/<X>/<V>`.
_INFIXES = slot_names.KERAS_SLOTS | known_names.AVERAGE_SCOPES
#: Canned estimators of TensorFlow 1 slice their variables: `<V>/t_0/Adagrad`.
_PART = re.compile(r"/(?:t|part)_\d+$")
_VARIABLE = re.compile(r"Variable(?:_\d+)?")

#: A name, and the variable that it stands under.
Member = tuple[str, str]
#: Names of one form: `[<P>/]<V>/<X>` or `[<P>/]<X>/<V>`, by P and by X less its
#: number.
Families = Mapping[tuple[str, str], Sequence[Member]]


class Fact(NamedTuple):
    """What is known of a variable but its name.

    Attributes:
      dtype: TensorFlow's name of its dtype; empty if unknown.
      shape: its shape, None if unknown.
    """

    dtype: str
    shape: Optional[tuple[int, ...]]

    @property
    def is_scalar(self) -> bool:
        """Whether it is one number, as far as is known."""
        return not self.shape

    @property
    def is_integer(self) -> bool:
        return self.dtype in _INTEGERS


class Scene(NamedTuple):
    """The variables among which names mean something.

    Attributes:
      facts: all variables, by name.
      trainable: whether a collection holds each, by name; without those of which none
        says so.
      order: names in the order in which the graph made them, if that is known.
      known: what stronger evidence decided already.
      forced: names that a user says are optimizer state.
    """

    facts: Mapping[str, Fact]
    trainable: Mapping[str, bool] = {}
    order: Sequence[str] = ()
    known: Mapping[str, Decision] = {}
    forced: Collection[str] = frozenset()

    def is_same(self, name: str, owner: str) -> bool:
        """Whether two have one shape, as far as is known."""
        shape, other = self.facts[name].shape, self.facts[owner].shape
        return shape == other or shape is None or other is None


class Sorted:
    """What names may be.

    Attributes:
      open: the names that nothing stronger decides.
      bases: the last parts of all names, and these without a number at their end.
      decisions: what a name says alone.
      counters: integers called as a Keras optimizer's step counter, by their scopes.
      settings: scalars called as settings of one, by their scopes.
      powers: beta powers, by their scopes and numbers (`<P>/beta1_power_<n>`).
      numbered: names `<P>/Variable_<n>`, by P.
      suffixes: names `[<P>/]<V>/<X>`, by P and X.
      infixes: names `[<P>/]<X>/<V>`, by P and X.
    """

    def __init__(self, open: Sequence[str], bases: Mapping[str, str]) -> None:
        """Nothing but these names; the rest is found."""
        self.open = open
        self.bases = bases
        self.decisions: dict[str, Decision] = {}
        self.counters: dict[str, list[str]] = {}
        self.settings: dict[str, list[str]] = {}
        self.powers: dict[tuple[str, int], list[str]] = {}
        self.numbered: dict[str, list[str]] = {}
        self.suffixes: dict[tuple[str, str], list[Member]] = {}
        self.infixes: dict[tuple[str, str], list[Member]] = {}

    def own_settings(self) -> frozenset[str]:
        """What stands beside a counter in an optimizer's scope: it has no slots."""
        return frozenset(
            name
            for scope in self.counters
            if class_of(scope) in slot_names.CLASSES
            for name in (*self.counters[scope], *self.settings.get(scope, ()))
        )

    def keeps_settings(self, scope: str) -> bool:
        """Whether a scope has a counter, or settings that only optimizers have."""
        settings = (last_of(name) for name in self.settings.get(scope, ()))
        return scope in self.counters or not slot_names.TELLING_SETTINGS.isdisjoint(
            settings
        )

    def is_path(self, scope: str) -> bool:
        """Whether it is the path of an optimizer since 2.11, by its attribute."""
        counters = self.counters.get(scope, ())
        return any(last_of(name) == "_iterations" for name in counters)

    def is_optimizer_scope(self, scope: str) -> bool:
        """Whether it has these, or an optimizer's name."""
        return self.keeps_settings(scope) or class_of(scope) in slot_names.CLASSES


def sort(scene: Scene) -> Sorted:
    """Looks at each name once."""
    facts = scene.facts
    lasts = {last_of(name) for name in facts}
    found = Sorted(_open_names(scene), {last: base_of(last) for last in lasts})
    special = {last for last in lasts if _is_special(last)}
    rest = []
    for name in found.open:
        dtype, shape = facts[name]
        scope, _, last = name.rpartition("/")
        if dtype in _NOT_NUMBERS:
            found.decisions[name] = Decision(MODEL, f"a {dtype}: nothing trains it")
        elif not shape and _sort_scalar(found, name, scope, last, facts):
            continue
        elif last not in special:
            if scope:
                rest.append(name)
        elif last in known_names.STATISTICS:
            found.decisions[name] = Decision(MODEL, f"named as a layer's {last}")
        elif last.endswith(slot_names.MESH_SLOTS):
            _sort_mesh(found, name, facts)
        else:
            found.numbered.setdefault(scope, []).append(name)
            if scope:
                rest.append(name)
    _sort_under(found, rest, facts)
    return found


def _open_names(scene: Scene) -> list[str]:
    """The names that nothing else says what they are."""
    trainable, known, forced = scene.trainable, scene.known, scene.forced
    return [
        name
        for name in scene.facts
        if name not in known and (not trainable.get(name) or name in forced)
    ]


def _is_special(last: str) -> bool:
    """Whether a name's last part says something alone."""
    return (
        last in known_names.STATISTICS
        or last.endswith(slot_names.MESH_SLOTS)
        or _VARIABLE.fullmatch(last) is not None
    )


def _sort_scalar(
    found: Sorted, name: str, scope: str, last: str, facts: Mapping[str, Fact]
) -> bool:
    """Notes what a scalar may be; whether that is all it can be."""
    power = slot_names.BETA_POWER.fullmatch(last)
    prefix = f"{scope}/" if scope else ""
    if power:
        key = (scope, int(power["number"] or 0))
        found.powers.setdefault(key, []).append(name)
        return True
    if last in slot_names.COUNTERS and facts[name].is_integer:
        found.counters.setdefault(scope, []).append(name)
    elif last in slot_names.SETTINGS:
        found.settings.setdefault(scope, []).append(name)
    elif known_names.is_complete(last, prefix, known_names.LOSS_SCALES, facts):
        found.decisions[name] = Decision(LOSS_SCALE, "named as a loss scale's")
        return True
    elif "metric" in scope.lower() and known_names.is_complete(
        last, prefix, known_names.METRICS, facts
    ):
        found.decisions[name] = Decision(METRIC, "named as a metric's variables")
        return True
    return False


def _sort_mesh(found: Sorted, name: str, facts: Mapping[str, Fact]) -> None:
    """Notes `<V>_slot_v` and the like."""
    for suffix in slot_names.MESH_SLOTS:
        owner = name[: -len(suffix)]
        if name.endswith(suffix) and owner in facts:
            evidence = f"named V{suffix}, as by Mesh-TensorFlow"
            slot = suffix.lstrip("_")
            found.decisions[name] = Decision(SLOT, evidence, owner, slot, TF1, "mesh")
            return


def _sort_under(found: Sorted, names: Sequence[str], facts: Mapping[str, Fact]) -> None:
    """Notes the variables that names can stand under, each of which has a scope."""
    own = found.own_settings()
    telling = _INFIXES.union(found.bases)
    for name in names:
        if len(name) > _MOST_STEPS and name.count("/") > _MOST_STEPS:
            continue  # of no model; each of its scopes would be looked up
        scope, _, last = name.rpartition("/")
        if scope in facts and scope not in own:  # as most slots of tf1 do
            owner, prefix = scope, ""
            steps = name.split("/")
        else:
            steps = scope.split("/")
            # A variable that it stands under has one of these steps at its end; no
            # step of a layer's kernel is.
            if telling.isdisjoint(steps):
                continue
            owner, prefix = _longest(scope, facts, own)
        if not owner and (part := _PART.search(scope)):
            owner, prefix = _longest(scope[: part.start()], facts, own)
        if owner:
            found.suffixes.setdefault((prefix, found.bases[last]), []).append(
                (name, owner)
            )
        elif owner := _parent(scope, facts):  # an optimizer's own name can have steps
            called = base_of(name[len(owner) + 1 :])
            found.suffixes.setdefault(("", called), []).append((name, owner))
        if not _INFIXES.isdisjoint(steps):
            _sort_infix(found, name, facts)


def _sort_infix(found: Sorted, name: str, facts: Mapping[str, Fact]) -> None:
    """Notes the variable whose name a name ends in, behind a slot's."""
    for rest in itertools.islice(object_keys.endings(name), 1, None):
        before = name[: len(name) - len(rest) - 1]
        prefix, _, slot = before.rpartition("/")
        if slot in _INFIXES and rest in facts:
            found.infixes.setdefault((prefix, slot), []).append((name, rest))
            return


def _longest(
    body: str, facts: Mapping[str, Fact], own: Collection[str]
) -> tuple[str, str]:
    """The variable that `body` is, less leading scopes; and these. Empty if none."""
    for left in object_keys.endings(body):
        if left in facts and left not in own:
            return left, body[: len(body) - len(left) - 1] if left != body else ""
    return "", ""


def _parent(scope: str, facts: Mapping[str, Fact]) -> str:
    """The innermost variable that a scope stands under; empty if none."""
    while scope:
        scope = scope.rpartition("/")[0]
        if scope in facts:
            return scope
    return ""


def is_part(rest: str) -> bool:
    """Whether a name begins with a part of its variable: `t_0/Adagrad`."""
    return _PART.match(f"/{rest.partition('/')[0]}") is not None


def last_of(name: str) -> str:
    """A name's last part."""
    return name.rpartition("/")[2]


def base_of(last: str) -> str:
    """`Adam_1` without its number."""
    base, _, digits = last.rpartition("_")
    return base if base and digits.isdigit() else last


def number_of(last: str) -> int:
    """The number of `Adam_1`; 0 without one."""
    digits = last.rpartition("_")[2]
    return int(digits) if digits.isdigit() else 0


def class_of(scope: str) -> str:
    """What an optimizer's scope is called: `training/Adam_1`, `rm_sprop` -> rmsprop."""
    return base_of(last_of(scope)).lower().replace("_", "")
