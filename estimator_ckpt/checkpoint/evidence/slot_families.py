"""Slots and averages by their families: many variables with the same under each.

    <V>/<X>            tf1 (`w/Adam`, `w/d_adam_1`), and BERT's own (`w/adam_m`)
    <P>/<V>/<X>        tf1 in a scope; Keras's legacy optimizers (`training/Adam/w/m`)
    <P>/<X>/<V>        Keras since 2.11 (`Adam/m/w`)

A family whose X no table knows counts if it stands under several variables in their
shapes, or beside beta powers.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Callable, Collection, Mapping, Sequence

from estimator_ckpt.checkpoint.evidence import known_names
from estimator_ckpt.checkpoint.evidence.name_sorting import (
    Families,
    Member,
    Scene,
    Sorted,
    is_part,
    last_of,
)
from estimator_ckpt.checkpoint.optimizers import algorithms, slot_names
from estimator_ckpt.checkpoint.roles import (
    AVERAGE,
    KERAS,
    LEGACY,
    MODEL,
    SLOT,
    TF1,
    TRAINABLE,
    Decision,
)

#: The two slots of one optimizer of BERT's: `adam_m`, `adam_v`.
_MOMENT = re.compile(r"_[mv]$")
Found = dict[str, Decision]
#: What families say, by their prefix and what they have in common.
_Families = dict[tuple[str, str], Found]


def decide(scene: Scene, names: Sorted) -> Found:
    """What families say of the names in them."""
    suffixes = _read_all(_read_suffix, scene, names, names.suffixes)
    infixes = _read_all(_read_infix, scene, names, names.infixes)
    # `Adam/v/m` is v's slot m, or m's slot v: what fits more variables in that scope.
    both = {prefix for prefix, _ in suffixes} & {prefix for prefix, _ in infixes}
    of_suffixes = _num_fitting(scene, suffixes, both)
    of_infixes = _num_fitting(scene, infixes, both)
    decided: Found = {}
    less_likely: Found = {}  # names that both claim are of the more likely way
    for families, fitting, others in (
        (suffixes, of_suffixes, of_infixes),
        (infixes, of_infixes, of_suffixes),
    ):
        for (prefix, _), found in families.items():
            is_less = fitting[prefix] < others[prefix]
            into = less_likely if is_less else decided
            for name, said in found.items():
                into.setdefault(name, said)
    return {**less_likely, **decided}


def _read_all(
    read: Callable[..., Found],
    scene: Scene,
    names: Sorted,
    families: Mapping[tuple[str, str], Sequence[Member]],
) -> _Families:
    """What each family says of its names, of those that say something."""
    found = {}
    for key, members in families.items():
        said = read(scene, names, *key, members)
        if said:
            found[key] = said
    return found


def _num_fitting(
    scene: Scene, families: _Families, prefixes: Collection[str]
) -> collections.Counter[str]:
    """By prefix, how many names are taken for slots of variables in their shape."""
    found: collections.Counter[str] = collections.Counter()
    for (prefix, _), decisions in families.items():
        if prefix in prefixes:
            for name, said in decisions.items():
                found[prefix] += scene.is_same(name, said.owner or name)
    return found


def _read_suffix(
    scene: Scene, names: Sorted, prefix: str, base: str, members: Sequence[Member]
) -> Found:
    """What `[<P>/]<V>/<X>` is for all V with the same X; {} if nothing says so."""
    label = _MOMENT.sub("", base)
    if prefix:
        label = f"{prefix}/{label}"
    is_average = known_names.is_average(last_of(members[0][0]))
    if (is_average or base in known_names.NO_SLOTS) and _has_powers(scene, names, base):
        evidence = f"V/{base} and V/{base}_1 in V's shape, beside beta powers"
        return _slots(members, TF1, label, evidence)
    if is_average:
        return _averages(scene, members)
    if base in algorithms.TF1_SLOTS:
        return _slots(members, TF1, label, f"named {base}, as tf1's slots are")
    if base in slot_names.LEGACY_SLOTS or prefix in names.counters:
        if prefix:
            return _in_scope_of_keras(scene, names, prefix, base, members)
        return _in_no_scope(scene, names, base, members)
    if base in known_names.NO_SLOTS or base.isdigit():
        return {}
    return _unknown(scene, names, label, base, members)


def _in_scope_of_keras(
    scene: Scene, names: Sorted, prefix: str, base: str, members: Sequence[Member]
) -> Found:
    """Slots named as Keras's, or beside a counter, in the scope of an optimizer."""
    same, part, _ = _count(scene, names, members)
    least = 0 if names.keeps_settings(prefix) else 1
    if not names.is_optimizer_scope(prefix) or same + part <= least:
        return {}
    evidence = f"V/{base} in the scope {prefix}, an optimizer's"
    is_legacy = base in slot_names.LEGACY_SLOTS and not names.is_path(prefix)
    return _slots(members, LEGACY if is_legacy else KERAS, prefix, evidence)


def _in_no_scope(
    scene: Scene, names: Sorted, base: str, members: Sequence[Member]
) -> Found:
    """Those in no scope, of the variables whose shape they have."""
    same, _, other = _count(scene, names, members)
    if same < 2 or same <= other:
        return {}
    fitting = [(name, owner) for name, owner in members if scene.is_same(name, owner)]
    evidence = f"{same} variables V have V/{base}, in V's shape"
    return _slots(fitting, LEGACY, "", evidence)


def _unknown(
    scene: Scene, names: Sorted, label: str, base: str, members: Sequence[Member]
) -> Found:
    """Slots of a name that no table has: of several variables, or several of one."""
    same, part, other = _count(scene, names, members)
    is_several = same > 1 and same + part > other and not _are_scalars(scene, members)
    is_numbered = len({last_of(name) for name, _ in members}) > 1
    if not is_several and not (same and (is_numbered or names.powers)):
        return {}
    evidence = f"{same} variables V have V/{base}, in V's shape"
    return _slots(members, TF1, label, evidence)


def _read_infix(
    scene: Scene, names: Sorted, prefix: str, slot: str, members: Sequence[Member]
) -> Found:
    """What `[<P>/]<X>/<V>` is for all V with the same P and X."""
    same, part, _ = _count(scene, names, members)
    if slot in known_names.AVERAGE_SCOPES:
        return _averages(scene, members) if same > 1 else {}
    has_counter = prefix in names.counters or "" in names.counters
    if not same + part or not (
        has_counter or (prefix and same > 1 and names.is_optimizer_scope(prefix))
    ):
        return {}
    evidence = f"{slot}/V, beside what a Keras optimizer keeps"
    return {
        name: Decision(SLOT, evidence, owner, slot, KERAS, prefix)
        for name, owner in members
    }


def _has_powers(scene: Scene, names: Sorted, base: str) -> bool:
    """Whether V/X and V/X_1 are what beta powers belong to, whatever X is called.

    Not where there are as many such pairs of other names as there are powers.
    """
    if not names.powers:
        return False
    pairs = {
        key
        for key, members in names.suffixes.items()
        if key[1] not in algorithms.WITHOUT_POWERS and _is_pair(scene, members)
    }
    found = [key for key in pairs if key[1] == base]
    return bool(found) and len(pairs) <= len(names.powers)


def _is_pair(scene: Scene, members: Sequence[Member]) -> bool:
    """Whether each V of a family has two under it, in its shape."""
    counts = collections.Counter(owner for _, owner in members)
    return set(counts.values()) == {2} and all(
        scene.is_same(name, owner) for name, owner in members
    )


def _averages(scene: Scene, members: Sequence[Member]) -> Found:
    return {
        name: Decision(
            AVERAGE, f"named as the average of {owner}", owner, last_of(name), TF1
        )
        for name, owner in members
        if scene.is_same(name, owner)
    }


def _slots(members: Sequence[Member], style: str, label: str, evidence: str) -> Found:
    slots: dict[str, str] = {}  # one string for each, not for each of 100,000
    found: Found = {}
    for name, owner in members:
        slot = _under(name, owner)
        slot = slots.setdefault(slot, slot)
        found[name] = Decision(SLOT, evidence, owner, slot, style, label)
    return found


def _under(name: str, owner: str) -> str:
    """What a slot is called: `Adam`; `D/Adam` if that is its optimizer's name."""
    length = len(owner)
    if name.startswith(owner) and name.startswith("/", length):
        rest = name[length + 1 :]
        if "/" not in rest or not is_part(rest):
            return rest
    return last_of(name)


def _count(
    scene: Scene, names: Sorted, members: Sequence[Member]
) -> tuple[int, int, int]:
    """How many have their variables' shapes, a part of these, other shapes.

    Those of what no optimizer could train say nothing.
    """
    facts = scene.facts
    same = part = other = 0
    for name, owner in members:
        if not _can_own(scene, names, owner):
            continue
        shape, whole = facts[name].shape, facts[owner].shape
        if shape == whole or shape is None or whole is None:
            same += 1
        elif _is_part(shape, whole):
            part += 1
        else:
            other += 1
    return same, part, other


def _are_scalars(scene: Scene, members: Sequence[Member]) -> bool:
    """Whether shapes say nothing: all are one number each."""
    return all(scene.facts[name].shape == () for name, _ in members)


def _can_own(scene: Scene, names: Sorted, name: str) -> bool:
    """Whether an optimizer could train a variable."""
    known = scene.known.get(name) or names.decisions.get(name)
    if known is not None and known.role is not TRAINABLE:
        return False
    return scene.trainable.get(name) is not False


def _is_part(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether a shape is that of row or column sums: an axis gone, or of size 1."""
    if len(shape) == len(whole):
        return all(a in (b, 1) for a, b in zip(shape, whole))
    if len(shape) + 1 != len(whole):
        return False
    return any(whole[:i] + whole[i + 1 :] == shape for i in range(len(whole)))


def doubtful(scene: Scene, names: Sorted, decided: Mapping[str, Decision]) -> Found:
    """Why some of the names in families could be slots all the same."""
    found: Found = {}
    families: tuple[Families, ...] = (names.suffixes, names.infixes)
    for family in families:
        for (_, slot), members in family.items():
            if slot in known_names.NO_SLOTS:
                continue
            for name, owner in members:
                if name not in decided and scene.is_same(name, owner):
                    found[name] = undecided(f"stands under {owner!r}, in its shape")
    return found


def undecided(why: str) -> Decision:
    """Model state, for want of more evidence."""
    return Decision(MODEL, why, is_undecided=True)
