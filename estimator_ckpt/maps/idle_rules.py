"""Rules that rename nothing: a sentence each, with why where that is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from estimator_ckpt.checkpoint import messages
from estimator_ckpt.maps.map_rules import Rule
from estimator_ckpt.maps.rules_by_subject import Named

#: The most rules that match nothing of which a message says what is near: each costs
#: a look at every name.
_MOST_SEARCHED = 8


def near_each(names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """What is near each name, as a message says it; of the first few names alone."""
    for number, name in enumerate(names):
        yield messages.near(name, known) if number < _MOST_SEARCHED else ""


def sentences_on(
    given: Sequence[Rule], named: Mapping[str, Named], source: str
) -> list[str]:
    """A sentence for each rule that renames no variable, with why if that is known."""
    used = {rule for found in named.values() for rule in found.used}
    builtins = {rule.where for rule in used if rule.is_builtin}
    idle: dict[str, list[Rule]] = {}
    for rule in given:
        # Of a built-in map one rule that matches is enough.
        if rule not in used and not (rule.is_builtin and rule.where in builtins):
            idle.setdefault(str(rule), []).append(rule)
    scopes = {f"{name.rpartition('/')[0]}/" for name in named if "/" in name}
    sentences: list[str] = []
    for text, alike in idle.items():
        if len(sentences) >= _MOST_SEARCHED:
            sentences.append(f"{text} renames no variable of {source}")
        else:
            sentences.append(f"{text} {_why_unused(alike, named, scopes, source)}")
    return sentences


def _is_about(rule: Rule, name: str) -> bool:
    beginning, inside = rule.literals
    is_possible = name.startswith(beginning) and inside in name
    return is_possible and rule.rename(name) is not None


def _why_unused(
    alike: Sequence[Rule],
    named: Mapping[str, Named],
    scopes: Collection[str],
    source: str,
) -> str:
    """What is to be said of a rule, or of those of a built-in map, that do nothing."""
    for name, found in named.items():
        if found.moves and any(_is_about(rule, name) for rule in alike):
            return (
                f"renames no variable of {source}: {found.used[0]} comes first for "
                f"{name!r}. To give a variable several names, give one rule a list"
            )
    rule = alike[0]
    if not isinstance(rule.source, str):
        return f"matches no variable of {source}"
    near = messages.near(rule.source, scopes if rule.is_scope else named)
    return f"matches no variable of {source}{near}"
