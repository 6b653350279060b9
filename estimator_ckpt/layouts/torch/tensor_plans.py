"""Which rule gives which of PyTorch's tensors: a user's, or what the evidence says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import messages
from estimator_ckpt.checkpoint.evidence.graph_uses import Uses
from estimator_ckpt.layouts.layout_rule import LayoutRuleError
from estimator_ckpt.layouts.torch import (
    cell_evidence,
    layer_weights,
    module_evidence,
    tensor_names,
    torch_rules,
)
from estimator_ckpt.layouts.torch.module_decisions import (
    Decided,
    DecidedCell,
    Decision,
    Fact,
    Undecided,
)
from estimator_ckpt.layouts.torch.torch_rules import Request, TorchRule

#: Rules whose tensors have fewer axes than their variables, which the way back needs.
_SHAPED = ("dense", "matrix", "flat")
# So many variables an error lists.
_MOST_LISTED = 5


class NewName(NamedTuple):
    """A name that a variable gets.

    Attributes:
      name: the name.
      word: the word of the rule that comes with it; None: the evidence says which.
      where: what gave it, for people.
    """

    name: str
    word: Optional[str] = None
    where: str = ""


class Placed(NamedTuple):
    """A rule, and what says that it is the one.

    Attributes:
      rule: the rule.
      evidence: a phrase for people.
    """

    rule: TorchRule
    evidence: str


class TensorPlan(NamedTuple):
    """What becomes of variables.

    Attributes:
      placed: the rules, which take every variable.
      unused: a sentence for each rule of the user's that is about none.
    """

    placed: Sequence[Placed]
    unused: tuple[str, ...]


def plan(
    facts: Mapping[str, Fact],
    new_names: Mapping[str, Sequence[NewName]],
    requests: Sequence[Request],
    uses: Uses,
    source: str,
) -> TensorPlan:
    """Which tensors variables become.

    Args:
      facts: the variables by name.
      new_names: the new names of each, those that a map gives it. One without `/` that
        is not the old one is PyTorch's name already.
      requests: the user's rules.
      uses: how a graph uses the variables.
      source: the checkpoint, for messages.

    Raises:
      LayoutRuleError: a variable is undecided, two rules are about one, or a rule does
        not fit.
      CheckpointError: two tensors would have one name.
    """
    asked = _Asked.of(facts, new_names, requests, source)
    decided = {**module_evidence.decide(facts, uses), **_by_map(new_names, facts)}
    left = {name: d for name, d in decided.items() if name not in asked.taken}
    _require_decided(facts, left, source)
    placed = [*asked.placed, *_by_evidence(left, new_names)]
    _require_all_taken(facts, placed, source)
    _require_names(placed, source)
    return TensorPlan(placed, asked.unused)


class _Asked(NamedTuple):
    """What the user's rules make of variables.

    Attributes:
      placed: the rules, those of a request one after the other.
      taken: the variables that these take, with the request.
      unused: a sentence for each request that is about none.
    """

    placed: Sequence[Placed]
    taken: Mapping[str, Request]
    unused: tuple[str, ...]

    @classmethod
    def of(
        cls,
        facts: Mapping[str, Fact],
        new_names: Mapping[str, Sequence[NewName]],
        requests: Sequence[Request],
        source: str,
    ) -> _Asked:
        """Errors and arguments are those of `plan`."""
        placed: list[Placed] = []
        taken: dict[str, Request] = {}
        unused = []
        for request in requests:
            rules = _asked_for(request, facts, new_names)
            if not rules:
                unused.append(request.about_none("variable", source))
            for rule in rules:
                for part in rule.parts:
                    part.check(facts)
                request.take(rule.sources, taken, source)
            placed += (Placed(rule, request.where) for rule in rules)
        return cls(placed, taken, tuple(unused))


def _by_evidence(
    decided: Mapping[str, Decision], new_names: Mapping[str, Sequence[NewName]]
) -> Iterator[Placed]:
    """The rules of what the evidence decides; those of one cell have one."""
    cells = set()
    for name, decision in decided.items():
        if isinstance(decision, Decided):
            yield from _of_variable(name, decision, new_names)
        elif isinstance(decision, DecidedCell) and decision.scope not in cells:
            cells.add(decision.scope)
            yield _of_cell(decision, new_names)


def _by_map(
    new_names: Mapping[str, Sequence[NewName]], facts: Mapping[str, Fact]
) -> dict[str, Decided]:
    """What a map says of the variables that it gives PyTorch's names."""
    found = {}
    for name, new in new_names.items():
        word = new[0].word
        if word is not None:
            shape = facts[name].shape
            is_shaped = word in _SHAPED and len(shape) > 2
            options = {"variable": list(shape)} if is_shaped else {}
            found[name] = Decided(word, (), False, new[0].where, options)
    return found


def _asked_for(
    request: Request,
    facts: Mapping[str, Fact],
    new_names: Mapping[str, Sequence[NewName]],
) -> list[TorchRule]:
    """The rules that a request stands for."""
    names = [request.source]
    if request.is_open:
        names = [name for name in facts if request.is_about(name)]
    if "to" in request.fields:
        return [request.rule(**_options(request.word, request.source, facts))]
    rules = []
    for name in names:
        if name not in facts:
            raise LayoutRuleError(
                f"{request.where}: the source has no {name!r}"
                f"{messages.near(name, facts)}"
            )
        ending, drops = _ending(request.word, name)
        fields = {request.word: name, **_options(request.word, name, facts)}
        for new in new_names[name]:
            target = _tensor_name(name, new.name, ending, drops)
            rules.append(request.rule(**fields, to=target))
    return rules


def _options(word: str, name: object, facts: Mapping[str, Fact]) -> dict[str, object]:
    """What a rule needs for the way back and the variable's shape says."""
    fact = facts.get(name) if isinstance(name, str) else None
    if word == "depthwise" and fact is not None and fact.shape:
        return {"multiplier": fact.shape[-1]}
    shaped = ("flat",) if fact is None or len(fact.shape) < 3 else _SHAPED
    if word in shaped and fact is not None:
        return {"variable": list(fact.shape)}
    return {}


def _ending(word: str, name: str) -> tuple[tuple[str, ...], bool]:
    """What a tensor's name ends with, where a rule does not say."""
    if word == "as_is":
        return (), False
    last = tensor_names.bare(name).rpartition("/")[2]
    return ("weight",), last in layer_weights.KERNEL_NAMES


def _of_cell(
    decision: DecidedCell, new_names: Mapping[str, Sequence[NewName]]
) -> Placed:
    kernel = next(
        f"{decision.scope}/{name}"
        for name in ("kernel", "gates/kernel")
        if f"{decision.scope}/{name}" in new_names
    )
    new, end = new_names[kernel][0].name, kernel[len(decision.scope) :]
    module = decision.module
    if new != kernel and new.endswith(end):
        module = cell_evidence.module_of(new[: -len(end)])
    elif new != kernel:
        module = new.rpartition("/")[0] or new.rpartition(".")[0]
    fields = {
        decision.word: decision.scope,
        "to": tensor_names.of_module(module),
        **decision.options,
    }
    return Placed(torch_rules.rule_of(fields, "evidence"), decision.evidence)


def _of_variable(
    name: str, decision: Decided, new_names: Mapping[str, Sequence[NewName]]
) -> list[Placed]:
    placed = []
    for new in new_names[name]:
        target = _tensor_name(name, new.name, decision.ending, decision.drops_last)
        fields = {decision.word: name, "to": target, **decision.options}
        rule = torch_rules.rule_of(fields, "evidence")
        placed.append(Placed(rule, decision.evidence))
    return placed


def _tensor_name(name: str, new: str, ending: Sequence[str], drops_last: bool) -> str:
    if new != name and "/" not in new:
        return new
    return tensor_names.of_variable(new, ending, drops_last)


def _require_decided(
    facts: Mapping[str, Fact],
    decided: Mapping[str, Decision],
    source: str,
) -> None:
    undecided: dict[Undecided, str] = {}
    for name, decision in decided.items():
        if isinstance(decision, Undecided):
            undecided.setdefault(decision, name)
    if not undecided:
        return
    texts = [
        f"{name!r} {list(facts[name].shape)}: {said.why}: {said.rules}"
        for said, name in undecided.items()
    ]
    raise LayoutRuleError(
        f"{source}: say what these are, with a rule each (layouts, --layouts=FILE): "
        f"{messages.listed(texts, _MOST_LISTED, '; ')}"
    )


def _require_all_taken(
    facts: Mapping[str, Fact], placed: Sequence[Placed], source: str
) -> None:
    taken = {name for item in placed for name in item.rule.sources}
    left = [name for name in facts if name not in taken]
    if left:
        raise LayoutRuleError(
            f"{source}: no rule takes {messages.quoted(left, most=_MOST_LISTED)}, "
            f"which stand beside what others take: give rules for them (layouts, "
            f"--layouts=FILE) or exclude them (exclude, --exclude)"
        )


def _require_names(placed: Sequence[Placed], source: str) -> None:
    """Raises CheckpointError if two tensors would have one name."""
    owners: dict[str, str] = {}
    for item in placed:
        for part in item.rule.parts:
            for target in part.targets:
                owner = ", ".join(part.sources)
                other: Optional[str] = owners.setdefault(target, owner)
                if other is not owner:
                    raise CheckpointError(
                        f"{source}: {other!r} and {owner!r} would both be the tensor "
                        f"{target!r}; rename one (assignment_map, --assignment_map), "
                        f"exclude one, or give one a rule with another 'to'"
                    )
