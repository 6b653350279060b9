"""Few rules that rename what was found, and nothing else."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Optional

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.maps.map_rules import BUILTIN, Rule
from estimator_ckpt.maps.suggest.variable_pairs import Pair

_NUMBER = re.compile(r"\d+")
_FLAGS = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s", re.VERBOSE: "x"}


@dataclasses.dataclass(frozen=True)
class Proposed:
    """A rule of the proposed map.

    Attributes:
      rule: the rule; of a built-in map the first.
      pairs: those that it stands for.
      more: the others of a built-in map.
    """

    rule: Rule
    pairs: tuple[Pair, ...]
    more: tuple[Rule, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All of its rules."""
        return (self.rule, *self.more)

    @property
    def confidence(self) -> float:
        """That of the least certain of its pairs."""
        return min(pair.confidence for pair in self.pairs)

    def lines(self) -> list[str]:
        """A comment with what it is about and why, and the rule, as YAML."""
        reasons = dict.fromkeys(pair.because for pair in self.pairs)
        return [
            f"# {messages.counted(len(self.pairs), 'variable')}, "
            f"{self.confidence:.2f}: {'; '.join(reasons)}",
            as_yaml(self.rule),
        ]


def of_pairs(pairs: Sequence[Pair], names: Sequence[str]) -> list[Proposed]:
    """Rules that rename pairs, and none other of the names.

    Each is about what the paths of its pairs begin with, as short as no other name
    contradicts: all layers of a number, else a scope, else a name.

    Args:
      pairs: variables that have another name in the target.
      names: all names of the model, sorted.
    """
    found: list[Proposed] = []
    waiting = list(pairs)
    most = max((pair.source.count("/") for pair in pairs), default=-1)
    for longer in range(most + 1):
        alike: dict[tuple[str, str, bool], dict[_Heads, list[Pair]]] = {}
        for pair in waiting:
            heads = _Heads.of(pair, longer)
            alike.setdefault(heads.template, {}).setdefault(heads, []).append(pair)
        for group in alike.values():
            found += _of_group(group, names)
        done = {pair.source for proposed in found for pair in proposed.pairs}
        waiting = [pair for pair in waiting if pair.source not in done]
    return found + one_each(waiting)


def one_each(pairs: Sequence[Pair]) -> list[Proposed]:
    """A rule for each pair."""
    return [
        Proposed(Rule(pair.source, pair.target, "suggested"), (pair,)) for pair in pairs
    ]


def as_yaml(rule: Rule) -> str:
    """A rule as one line of a map's file."""
    import yaml  # as in `map_files`

    if rule.is_builtin:
        fields = {"builtin": rule.where[len(BUILTIN) :]}
    elif isinstance(rule.source, str):
        fields = {"from": rule.source, "to": rule.target}
    else:
        letters = "".join(x for flag, x in _FLAGS.items() if rule.source.flags & flag)
        prefix = f"(?{letters})" if letters else ""
        fields = {"regex": f"{prefix}{rule.source.pattern}", "to": rule.target}
    # What does not print is escaped, which YAML does between double quotes only.
    plain = all(text.isprintable() for text in fields.values())
    flow = yaml.safe_dump(
        fields,
        default_flow_style=True,
        default_style=None if plain else '"',
        sort_keys=False,
        width=float("inf"),
    )
    return f"- {flow.strip()}"


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


def _of_group(
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
    target = _literally(texts[0])
    theirs = zip(*(_NUMBER.findall(heads.target) for heads in group))
    for column, text in zip(theirs, texts[1:]):
        if column in varying:
            target += rf"\{varying.index(column) + 1}{_literally(text)}"
        elif len(set(column)) == 1:
            target += column[0] + _literally(text)
        else:
            return None
    if not first.whole:
        regex, target = regex + "/(.+)", rf"{target}/\{len(varying) + 1}"
    return Rule(re.compile(regex), target, "suggested")


def _literally(text: str) -> str:
    """A text as it must stand in the target of a regex."""
    return text.replace("\\", r"\\")


def _renames_only(rule: Rule, pairs: Sequence[Pair], names: Sequence[str]) -> bool:
    """Whether a rule does for a model's names (sorted) what pairs say, no more."""
    wanted = {pair.source: pair.target for pair in pairs}
    start, _ = rule.literals
    first = bisect.bisect_left(names, start)
    beginning_so = itertools.takewhile(
        lambda name: name.startswith(start), itertools.islice(names, first, None)
    )
    return all(rule.rename(name) == wanted.get(name) for name in beginning_so)
