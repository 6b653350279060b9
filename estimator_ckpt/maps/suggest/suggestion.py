"""Proposes an assignment map between two models that are the same but for names.

Nothing here is ever applied by itself: the proposal is a file to read and edit, with a
reason for each rule, and a sentence for each variable that nothing decides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.variable import Variable
from estimator_ckpt.maps import builtin_maps
from estimator_ckpt.maps.assignment import NO_RENAMES, AssignmentMap
from estimator_ckpt.maps.planner import owners_of
from estimator_ckpt.maps.renaming import Renaming
from estimator_ckpt.maps.suggest import (
    open_questions,
    proposed_rules,
    published_models,
    variable_pairs,
)
from estimator_ckpt.maps.suggest.model_layers import reading
from estimator_ckpt.maps.suggest.model_layers.layers import Layer
from estimator_ckpt.maps.suggest.pairing import matching
from estimator_ckpt.maps.suggest.proposed_rules import Proposed
from estimator_ckpt.maps.suggest.variable_pairs import Pair


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
        own = (rule for proposed in self.rules for rule in proposed.rules)
        return AssignmentMap((*own, *self.given.rules))

    def to_yaml(self, source: str, target: str) -> str:
        """The map as a file to edit, each rule with its reason.

        Args:
          source: what the map is from, for the first lines.
          target: what it is to.
        """
        lines = [
            f"# From {_in_a_comment(source)}",
            f"# to {_in_a_comment(target)}: a proposal, to be read before it is used.",
            "# Above each rule: how many variables it is about, how sure it is (0 to",
            "# 1), and why.",
        ]
        for proposed in self.rules:
            lines += proposed.lines()
        if self.given:
            lines.append("# As given:")
            lines += dict.fromkeys(map(proposed_rules.as_yaml, self.given.rules))
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
    given: AssignmentMap = NO_RENAMES,
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
    known = given.rename(
        source, source="the source", among_others=True, owners=owners_of(source)
    )
    own, theirs = _models_own(source), _models_own(target)
    given_names = {move.old for move in known.moves if move.rule is not None}
    published = published_models.fitting(own, theirs, given_names)
    for pair in published.pairs:
        own.pop(pair.source, None)
        del theirs[pair.target]
    mine = _under_known_names(own, known)
    order = [new for name in source_order for new in known.targets.get(name, ())]
    ours, our_places = _layers(mine, order)
    others, their_places = _layers(theirs, target_order)
    made = matching.match(ours, others, our_places | their_places)
    found = variable_pairs.of_layers(made)
    undecided = open_questions.sentences(made, found, known.sources)
    undecided += open_questions.on_long_names(mine.values(), known.sources)
    pairs = [dataclasses.replace(p, source=known.sources[p.source]) for p in found]
    slots = variable_pairs.of_canned_slots(source, target)
    rules = (*_of_slots(slots), *_rules(_renamed(pairs, known), source, given))
    if published.pairs:  # last, since the others say what it does not
        first, *more = published.rules
        rules = (*rules, Proposed(first, published.pairs, tuple(more)))
    return Suggestion(
        (*pairs, *published.pairs, *slots), tuple(undecided), rules, given
    )


def _models_own(variables: Mapping[str, Variable]) -> dict[str, Variable]:
    return {name: v for name, v in variables.items() if _is_models_own(v)}


def _under_known_names(
    own: Mapping[str, Variable], known: Renaming
) -> dict[str, Variable]:
    """The source's variables as the user's map calls them, by each of their names."""
    return {new: own[old]._replace(name=new) for old, new in known.pairs if old in own}


def _is_models_own(variable: Variable) -> bool:
    """Whether a variable is one to find: not a slot, nor an average, nor the step."""
    is_models = variable.role in (roles.TRAINABLE, roles.MODEL)
    return is_models and variable.shape is not None


def _layers(
    variables: Mapping[str, Variable], order: Sequence[str]
) -> tuple[list[Layer], dict[Layer, int]]:
    """The layers of one side, and their places, if the order of all of it is known."""
    ordered = [variables[name] for name in order if name in variables]
    if len(ordered) == len(variables):
        found = reading.layers(ordered)
        return found, {layer: place for place, layer in enumerate(found)}
    return reading.layers([variables[name] for name in sorted(variables)]), {}


def _renamed(pairs: Sequence[Pair], known: Renaming) -> list[Pair]:
    """Those that need a rule: the user's map does not give them their name.

    Of a variable that it gives several names these are known.
    """
    return [
        pair
        for pair in pairs
        for new in [known.targets[pair.source]]
        if len(new) == 1 and new != (pair.target,)
    ]


def _rules(
    pairs: Sequence[Pair], source: Mapping[str, Variable], given: AssignmentMap
) -> list[Proposed]:
    """Rules that rename pairs; one for each where fewer would not do."""
    found = proposed_rules.of_pairs(pairs, sorted(_models_own(source)))
    rules = [rule for proposed in found for rule in proposed.rules]
    every = AssignmentMap((*rules, *given.rules))
    owners = owners_of(source)
    new = every.rename(
        source, source="the source", among_others=True, owners=owners
    ).targets
    if all(new.get(pair.source) == (pair.target,) for pair in pairs):
        return found
    return proposed_rules.one_each(pairs)


def _of_slots(pairs: Sequence[Pair]) -> list[Proposed]:
    """The built-in map of canned estimators, where it fits."""
    if not pairs:
        return []
    name = variable_pairs.CANNED
    first, *more = builtin_maps.BUILTIN_MAPS[name].rules(name)
    return [Proposed(first, tuple(pairs), tuple(more))]


def _in_a_comment(text: str) -> str:
    """A path as it is, or escaped if it would end the comment that it stands in."""
    return text if text.isprintable() else repr(text)
