"""Proposes an assignment map between two models that are the same but for names.

Nothing here is ever applied by itself: the proposal is a file to read and edit, with a
reason for each rule, and a sentence for each variable that nothing decides.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Optional

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.map_rules import Rule
from estimator_ckpt.maps.plans import Variable
from estimator_ckpt.maps.suggest import layer_names
from estimator_ckpt.maps.suggest.layer_names import Module
from estimator_ckpt.maps.suggest.matching import Matching

_NUMBER = re.compile(r"\d+")
#: The most variables of one kind that a sentence about undecided ones names.
_MOST_NAMED = 4


@dataclasses.dataclass(frozen=True)
class Pair:
    """A variable and what it is called in the target.

    Attributes:
      source: its name.
      target: its name in the target.
      confidence: from 0 to 1.
      because: what decided, one phrase for people.
    """

    source: str
    target: str
    confidence: float
    because: str


@dataclasses.dataclass(frozen=True)
class Proposed:
    """A rule of the proposed map.

    Attributes:
      rule: the rule.
      pairs: those that it stands for.
    """

    rule: Rule
    pairs: tuple[Pair, ...]

    @property
    def confidence(self) -> float:
        """That of the least certain of its pairs."""
        return min(pair.confidence for pair in self.pairs)


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """A proposal.

    Attributes:
      pairs: the variables that were found in the target, those with the same name too.
      undecided: why others were not, a sentence each.
      rules: an assignment map that renames those that have another name.
      given: the rules that the user gave, which go after them.
    """

    pairs: tuple[Pair, ...]
    undecided: tuple[str, ...]
    rules: tuple[Proposed, ...]
    given: AssignmentMap

    @property
    def assignment_map(self) -> AssignmentMap:
        """The rules as what every call takes."""
        return AssignmentMap((*(p.rule for p in self.rules), *self.given.rules))

    def to_yaml(self, source: str, target: str) -> str:
        """The map as a file to edit, each rule with its reason.

        Args:
          source: what the map is from, for the first lines.
          target: what it is to.
        """
        lines = [
            f"# From {source}",
            f"# to {target}: a proposal, to be read before it is used. Above each rule",
            "# how many variables it is about, how sure it is (0 to 1), and why.",
        ]
        for proposed in self.rules:
            count = len(proposed.pairs)
            reasons = dict.fromkeys(pair.because for pair in proposed.pairs)
            lines += [
                f"# {count} {_plural('variable', count)}, "
                f"{proposed.confidence:.2f}: {'; '.join(reasons)}",
                _as_yaml(proposed.rule),
            ]
        if self.given:
            lines.append("# As given:")
            lines += map(_as_yaml, self.given.rules)
        if not self.rules and not self.given:
            lines.append("[]")
        lines += [f"# Undecided: {sentence}" for sentence in self.undecided]
        return "\n".join(lines) + "\n"


def suggest(
    source: Mapping[str, Variable],
    target: Mapping[str, Variable],
    *,
    source_order: Sequence[str] = (),
    target_order: Sequence[str] = (),
    given: Optional[AssignmentMap] = None,
) -> Suggestion:
    """Proposes which variable of a target is which of a source.

    Args:
      source: the variables of a checkpoint, by name.
      target: those of a target.
      source_order: their names in the order in which the model made them, if known.
      target_order: the same of the target's.
      given: a map that is known to be right, as far as it goes.

    Raises:
      AssignmentMapError: the map gives two variables one name.
    """
    given = given or AssignmentMap()
    known = given.rename(source, source="the source", among_others=True)
    old_names = known.sources
    mine = {
        new: dataclasses.replace(source[old], name=new)
        for old, new in known.pairs
        if _is_models_own(source[old], source)
    }
    theirs = {n: v for n, v in target.items() if _is_models_own(v, target)}
    order = [new for name in source_order for new in known.targets.get(name, ())]
    ours, others = _modules(mine, order), _modules(theirs, target_order)
    matching = Matching(ours, others)
    pairs = tuple(
        dataclasses.replace(pair, source=old_names[pair.source])
        for module in matching.images
        for pair in _leaf_pairs(module, matching)
    )
    # Of a variable that the user gives several names these are known.
    wanted = [
        pair
        for pair in pairs
        for new in [known.targets[pair.source]]
        if len(new) == 1 and new != (pair.target,)
    ]
    rules = _rules(
        wanted, sorted(n for n in source if _is_models_own(source[n], source))
    )
    if not _do(rules, wanted, source, given):
        rules = [_literal(pair) for pair in wanted]
    undecided = _undecided(matching, ours, others, pairs, old_names)
    return Suggestion(pairs, tuple(undecided), tuple(rules), given)


def _is_models_own(variable: Variable, among: Collection[str]) -> bool:
    """Whether a variable is one to find: not a slot, nor an average, nor the step."""
    return (
        variable.role in (roles.TRAINABLE, roles.MODEL)
        and variable.shape is not None
        and roles.averaged_variable(variable.name, among) is None
    )


def _modules(variables: Mapping[str, Variable], order: Sequence[str]) -> list[Module]:
    """The modules of one side; in their order if all of it is known."""
    ordered = [variables[name] for name in order if name in variables]
    if len(ordered) == len(variables):
        return layer_names.modules(ordered, ordered=True)
    return layer_names.modules(
        [variables[name] for name in sorted(variables)], ordered=False
    )


def _leaf_pairs(module: Module, matching: Matching) -> list[Pair]:
    """The variables of a module, each with the one of its image that it fits."""
    image, reason = matching.images[module], matching.reasons[module]
    free = dict(image.leaves)
    found = {}
    for leaf, variable in module.leaves.items():
        other = free.get(leaf)
        if other is not None and _fits(variable, other):
            found[leaf] = free.pop(leaf)
    for leaf, variable in module.leaves.items():
        fitting = [key for key, other in free.items() if _fits(variable, other)]
        if leaf in found or len(fitting) != 1:
            continue
        waiting = (v for k, v in module.leaves.items() if k not in found)
        if sum(_fits(rival, free[fitting[0]]) for rival in waiting) == 1:
            found[leaf] = free.pop(fitting[0])
    return [
        Pair(module.leaves[leaf].name, other.name, reason.confidence, reason.because)
        for leaf, other in found.items()
    ]


def _fits(a: Variable, b: Variable) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype


# What stays undecided.


def _undecided(
    matching: Matching,
    source: Sequence[Module],
    target: Sequence[Module],
    pairs: Iterable[Pair],
    old_names: Mapping[str, str],
) -> list[str]:
    """A sentence for each kind of layer that is left, and for each lone variable."""
    left: dict[layer_names.Signature, tuple[list[str], list[str]]] = {}
    for i, side in enumerate((source, target)):
        for module in matching.left(side):
            names = [v.name for v in module.leaves.values()]
            if i == 0:
                names = [old_names[name] for name in names]
            left.setdefault(module.signature, ([], []))[i].extend(names)
    sentences = []
    for (_, forms), (mine, theirs) in left.items():
        shapes = ", ".join(f"{dtype}{list(shape)}" for dtype, shape in forms)
        if mine and theirs:
            sentences.append(
                f"{_listed(mine)} could be {_listed(theirs)} ({shapes}): neither names "
                f"nor order say which"
            )
        elif mine:
            sentences.append(f"{_listed(mine)} ({shapes}): the target has none left")
        else:
            sentences.append(f"{_listed(theirs)} ({shapes}): the source has none left")
    sentences += _lone(matching, {pair.source for pair in pairs}, old_names)
    return sentences


def _lone(
    matching: Matching, found: set[str], old_names: Mapping[str, str]
) -> list[str]:
    """A sentence for each variable whose layer was found without it."""
    return [
        f"{old_names[variable.name]!r}: {image.name!r} is its layer, and has no "
        f"variable that fits it"
        for module, image in matching.images.items()
        for variable in module.leaves.values()
        if old_names[variable.name] not in found
    ]


def _listed(names: Sequence[str]) -> str:
    named = ", ".join(map(repr, names[:_MOST_NAMED]))
    more = len(names) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


# Rules.


@dataclasses.dataclass(frozen=True)
class _Heads:
    """What the two paths of a pair begin with, before they are alike.

    Attributes:
      source: of the source's name.
      target: of the target's.
      whole: whether nothing follows.
    """

    source: str
    target: str
    whole: bool

    @classmethod
    def of(cls, pair: Pair, longer: int) -> _Heads:
        """The shortest heads of a pair, or some that are longer by so many steps."""
        mine, theirs = pair.source.split("/"), pair.target.split("/")
        most = min(len(mine), len(theirs)) - 1
        ends = zip(reversed(mine[-most:]), reversed(theirs[-most:])) if most else ()
        same = next((i for i, (a, b) in enumerate(ends) if a != b), most)
        same = max(same - longer, 0)
        return cls(
            "/".join(mine[: len(mine) - same]),
            "/".join(theirs[: len(theirs) - same]),
            same == 0,
        )

    def rule(self) -> Rule:
        end = "" if self.whole else "/"
        return Rule(self.source + end, self.target + end, "suggested")

    @property
    def template(self) -> tuple[str, str, bool]:
        """The heads with their numbers taken out."""
        return _NUMBER.sub("#", self.source), _NUMBER.sub("#", self.target), self.whole


def _rules(pairs: Sequence[Pair], names: Sequence[str]) -> list[Proposed]:
    """Few rules that rename pairs, and none other of the names.

    Each is about what the paths of its pairs begin with, as short as no other name
    contradicts: all layers of a number, else a scope, else a name.
    """
    found: list[Proposed] = []
    waiting = list(pairs)
    for longer in range(max((p.source.count("/") for p in pairs), default=-1) + 1):
        alike: dict[tuple[str, str, bool], dict[_Heads, list[Pair]]] = {}
        for pair in waiting:
            heads = _Heads.of(pair, longer)
            alike.setdefault(heads.template, {}).setdefault(heads, []).append(pair)
        for group in alike.values():
            found += _rules_of(group, names)
        done = {pair.source for proposed in found for pair in proposed.pairs}
        waiting = [pair for pair in waiting if pair.source not in done]
    return found + [_literal(pair) for pair in waiting]


def _rules_of(
    group: Mapping[_Heads, list[Pair]], names: Sequence[str]
) -> list[Proposed]:
    """One rule for heads that differ in numbers alone, else one for each that can."""
    together = _numbered(list(group)) if len(group) > 1 else None
    pairs = [pair for some in group.values() for pair in some]
    if together is not None and _renames_only(together, pairs, names):
        return [Proposed(together, tuple(pairs))]
    return [
        Proposed(heads.rule(), tuple(some))
        for heads, some in group.items()
        if not heads.whole and _renames_only(heads.rule(), some, names)
    ]


def _numbered(group: Sequence[_Heads]) -> Optional[Rule]:
    """A regex for all heads of one template, if numbers are taken over as they are."""
    columns = list(zip(*(_NUMBER.findall(heads.source) for heads in group)))
    varying = [column for column in columns if len(set(column)) > 1]
    first = group[0]
    source = _NUMBER.split(first.source)
    regex = re.escape(source[0])
    for column, text in zip(columns, source[1:]):
        regex += (r"(\d+)" if column in varying else column[0]) + re.escape(text)
    texts = _NUMBER.split(first.target)
    target = texts[0]
    theirs = zip(*(_NUMBER.findall(heads.target) for heads in group))
    for column, text in zip(theirs, texts[1:]):
        if column in varying:
            target += rf"\{varying.index(column) + 1}{text}"
        elif len(set(column)) == 1:
            target += column[0] + text
        else:
            return None
    if not first.whole:
        regex, target = regex + "/(.+)", rf"{target}/\{len(varying) + 1}"
    return Rule(re.compile(regex), target, "suggested")


def _literal(pair: Pair) -> Proposed:
    return Proposed(Rule(pair.source, pair.target, "suggested"), (pair,))


def _renames_only(rule: Rule, pairs: Sequence[Pair], names: Sequence[str]) -> bool:
    """Whether a rule does for a model's names (sorted) what pairs say, no more."""
    wanted = {pair.source: pair.target for pair in pairs}
    start = rule.source if isinstance(rule.source, str) else _start(rule.source)
    first = bisect.bisect_left(names, start)
    beginning_so = itertools.takewhile(
        lambda name: name.startswith(start), itertools.islice(names, first, None)
    )
    return all(rule.rename(name) == wanted.get(name) for name in beginning_so)


def _start(regex: re.Pattern[str]) -> str:
    """What all names begin with that a regex of `_numbered` matches."""
    return regex.pattern.partition("(")[0].replace("\\", "")


def _do(
    rules: Sequence[Proposed],
    pairs: Sequence[Pair],
    source: Mapping[str, Variable],
    given: AssignmentMap,
) -> bool:
    """Whether rules, before those given, give each pair its name."""
    every = AssignmentMap((*(proposed.rule for proposed in rules), *given.rules))
    new = every.rename(source, source="the source", among_others=True).targets
    return all(new.get(pair.source) == (pair.target,) for pair in pairs)


def _as_yaml(rule: Rule) -> str:
    import yaml  # as in `assignment.load`

    if isinstance(rule.source, str):
        fields = {"from": rule.source, "to": rule.target}
    else:
        fields = {"regex": rule.source.pattern, "to": rule.target}
    flow = yaml.safe_dump(
        fields, default_flow_style=True, sort_keys=False, width=float("inf")
    )
    return f"- {flow.strip()}"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
