"""Assignment maps: what the variables of an old checkpoint are called in a new one.

A map is an ordered list of rules from source names to target names, as in
`tf.compat.v1.train.init_from_checkpoint`; the first that matches a name renames it. A
map never selects: a name that no rule matches stays. Slot variables and averages
follow the variable that they belong to, unless a rule matches them; one for a scope
that comes after that of the variable does not count.

    {'old_scope/': 'new_scope/'}   all names in a scope; `/` is the scope of all names
    {'old/name': 'new/name'}       one name
    {'old/name': variable}         a variable, or a list of the parts of one
    {re.compile(r'l_(\\d+)/w'): r'block_\\1/kernel'}   a regex over whole names

and the same in YAML or JSON, in order, with comments:

    - {from: old_scope/, to: new_scope/}
    - {regex: 'l_(\\d+)/w', to: 'block_\\1/kernel'}
    - {builtin: rnn_cells}
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Optional, Union

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import roles

_BUILTIN = "builtin:"
_PART = re.compile(r"/part_\d+$")
_SUFFIXES = (".yaml", ".yml", ".json")


class AssignmentMapError(CheckpointError, ValueError):
    """An assignment map that cannot be read, or that gives two variables one name."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule of a map.

    Attributes:
      source: a name, a scope (ends in `/`), or a compiled regex.
      target: the new name or scope; of a regex, with groups (`\\1`).
      where: where it was written, for messages.
      replaces: whether a variable that it renames takes the place of one that has
        the new name already, instead of clashing with it. It comes before the others,
        which go on with what it made of a name.
    """

    source: Union[str, re.Pattern[str]]
    target: str
    where: str
    replaces: bool = False

    def rename(self, name: str) -> Optional[str]:
        """The new name of a variable, or None if the rule is not about it."""
        if not isinstance(self.source, str):
            match = self.source.fullmatch(name)
            return match.expand(self.target) if match else None
        if not self.source.endswith("/"):
            return self.target if name == self.source else None
        scope = self.source.lstrip("/")
        if not name.startswith(scope):
            return None
        return self.target.lstrip("/") + name[len(scope) :]

    @property
    def is_scope(self) -> bool:
        """Whether it is about all names in a scope."""
        return isinstance(self.source, str) and self.source.endswith("/")

    @property
    def is_builtin(self) -> bool:
        return self.where.startswith(_BUILTIN)

    def __str__(self) -> str:
        if self.is_builtin:
            return f"the map {self.where!r}"
        source = self.source if isinstance(self.source, str) else self.source.pattern
        return f"the rule {source!r} -> {self.target!r} ({self.where})"


@dataclasses.dataclass(frozen=True)
class Renaming:
    """What a map makes of a checkpoint's names.

    Attributes:
      targets: the new name of each variable that has one, by old name.
      replaced: the variables that are left out since another takes their name.
      unused: the rules that no name matched, each with names that are near.
      by: the rule that renamed a variable, by old name.
    """

    targets: Mapping[str, str]
    replaced: tuple[str, ...]
    unused: tuple[str, ...]
    by: Mapping[str, Rule]

    def lost(self, target: Collection[str]) -> list[str]:
        """A sentence for each rule of which a target has not one of the new names."""
        new: dict[Rule, list[str]] = {}
        for old, rule in self.by.items():
            if old in self.targets:
                new.setdefault(rule, []).append(self.targets[old])
        return [
            f"{rule} gives names that the target lacks, such as {names[0]!r}"
            f"{near(names[0], target)}"
            for rule, names in new.items()
            if not rule.is_builtin and not any(name in target for name in names)
        ]


class AssignmentMap:
    """An ordered list of rules.

    Attributes:
      rules: the rules, first match first.
    """

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self._regexes: list[int] = []
        self._literal: dict[str, list[int]] = {}
        for number, rule in enumerate(self.rules):
            if not isinstance(rule.source, str):
                self._regexes += [] if rule.replaces else [number]
                continue
            key = rule.source.lstrip("/") if rule.is_scope else rule.source
            self._literal.setdefault(key, []).append(number)

    @classmethod
    def of(
        cls, given: Any, *, name_of: Optional[Callable[[Any], str]] = None
    ) -> AssignmentMap:
        """A map from whatever a user gives.

        Args:
          given: None, an AssignmentMap, a dict or a list of pairs (old to new), the
            path of a YAML or JSON file, or `builtin:NAME`; or a list in which such
            maps stand, too.
          name_of: the name of a variable, or of a list of parts, that stands where a
            new name could; what a Saver calls it by default.

        Raises:
          AssignmentMapError: it is none of these, or a rule is malformed.
          CheckpointNotFoundError: there is no such file.
        """
        if given is None:
            return cls()
        if isinstance(given, AssignmentMap):
            return given
        if isinstance(given, (str, os.PathLike)):
            text = os.fspath(given)
            if text.startswith(_BUILTIN):
                return cls(builtin(text[len(_BUILTIN) :], "builtin"))
            return load(text)
        if not isinstance(given, (Mapping, list, tuple)):
            raise AssignmentMapError(
                f"{given!r} is no assignment map: give a dict from old names to new "
                f"ones, a list of pairs, or the path of a YAML or JSON file"
            )
        pairs = given.items() if isinstance(given, Mapping) else given
        rules: list[Rule] = []
        for number, pair in enumerate(pairs, 1):
            where = f"rule {number}"
            if pair is None or isinstance(pair, (str, os.PathLike, Mapping, cls)):
                rules += cls.of(pair, name_of=name_of).rules
                continue
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise AssignmentMapError(
                    f"{where}: {pair!r} is no pair of an old and a new name"
                )
            source, target = pair
            if not isinstance(target, str):
                try:
                    target = (name_of or _name_of)(target)
                except (AttributeError, IndexError):
                    raise AssignmentMapError(
                        f"{where}: {target!r} is no name, no variable and no list of "
                        f"the parts of one"
                    ) from None
            rules.append(_rule(source, target, where))
        return cls(rules)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def rename(
        self, names: Collection[str], *, source: str, among_others: bool = False
    ) -> Renaming:
        """Renames the variables of a checkpoint.

        Args:
          names: all of them; a set or dict is fastest.
          source: the checkpoint, for messages.
          among_others: whether a renamed variable wins over one that keeps the same
            name, which is then left out, as in `init_from_checkpoint`. Otherwise
            that is an error, since a variable would be lost.

        Raises:
          AssignmentMapError: two variables get one name; lists all that do.
        """
        if not self.rules:
            return Renaming({name: name for name in names}, (), (), {})
        used: set[int] = set()
        targets: dict[str, str] = {}
        by: dict[str, Rule] = {}
        first: dict[str, int] = {}
        replacing = [i for i, rule in enumerate(self.rules) if rule.replaces]
        for name in names:
            for number in replacing:
                new = self.rules[number].rename(targets.get(name, name))
                if new:
                    used.add(number)
                    targets[name] = new
                    by.setdefault(name, self.rules[number])
            for number in self._about(targets.get(name, name)):
                new = self.rules[number].rename(targets.get(name, name))
                if new:
                    used.add(number)
                    targets[name] = new
                    by.setdefault(name, self.rules[number])
                    first[name] = number
                    break
        for name in names:
            if name not in targets:
                targets[name] = _following(name, names, targets)
            elif name in first and self.rules[first[name]].is_scope:
                its = first.get(roles.owner(name, names) or "")
                if its is not None and its < first[name]:
                    targets[name] = _following(name, names, targets)
        replaced = self._settle(targets, by, source, among_others)
        found = {self.rules[number].where for number in used}
        unused = dict.fromkeys(
            f"{rule} matches no variable of {source}{_near(rule, names)}"
            for number, rule in enumerate(self.rules)
            # Of a built-in map one rule that matches is enough.
            if number not in used and not (rule.is_builtin and rule.where in found)
        )
        return Renaming(targets, replaced, tuple(unused), by)

    def _about(self, name: str) -> list[int]:
        """The rules that can be about a name, in their order."""
        found = [*self._regexes, *self._literal.get(name, ())]
        scopes = ("", *(name[: i + 1] for i, c in enumerate(name) if c == "/"))
        for scope in scopes:
            found += self._literal.get(scope, ())
        return sorted(found)

    def _settle(
        self,
        targets: dict[str, str],
        by: Mapping[str, Rule],
        source: str,
        among_others: bool,
    ) -> tuple[str, ...]:
        """Removes from `targets`, and returns, what another variable replaces."""
        claims: dict[str, list[str]] = {}
        for name, new in targets.items():
            claims.setdefault(new, []).append(name)
        replaced, clashes = [], []
        for new, found in claims.items():
            if len(found) == 1:
                continue
            named = [name for name in found if name in by]
            winners = [name for name in named if by[name].replaces]
            if among_others and not winners:
                winners = named or [n for n in found if targets[n] != n]
            if len(winners) != 1:
                clashes.append(f"{new!r}: {', '.join(map(repr, sorted(found)))}")
                continue
            replaced += [name for name in found if name != winners[0]]
        if clashes:
            raise AssignmentMapError(
                f"{source}: the assignment map gives one name to several variables: "
                f"{'; '.join(sorted(clashes))}. Rename or exclude all but one"
            )
        for name in replaced:
            del targets[name]
        return tuple(replaced)


#: A map that leaves every name as it is.
NO_RENAMES = AssignmentMap()


def load(path: files.PathLike) -> AssignmentMap:
    """Reads a map from a YAML or JSON file.

    Raises:
      CheckpointNotFoundError: there is no such file.
      AssignmentMapError: it is no list of rules; names the line.
    """
    import yaml  # 15 ms that a conversion without a map need not spend

    text = files.local(path)
    if not text.endswith(_SUFFIXES):
        raise AssignmentMapError(
            f"{text}: an assignment map is a file that ends in .yaml, .yml or .json"
        )
    content = files.read(text)
    try:
        document = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise AssignmentMapError(f"{text}{line}: not YAML: {problem}") from None
    if document is None:
        return AssignmentMap()
    if not isinstance(document, yaml.SequenceNode):
        raise AssignmentMapError(
            f"{text}:{document.start_mark.line + 1}: a map is a list of rules, each "
            f"{_SHAPES}"
        )
    rules: list[Rule] = []
    for node in document.value:
        rules += _parse_rule(node, f"{text}:{node.start_mark.line + 1}")
    return AssignmentMap(rules)


_SHAPES = "{from: ..., to: ...}, {regex: ..., to: ...} or {builtin: ...}"


def _parse_rule(node: Any, where: str) -> Sequence[Rule]:
    """The rules that one item of a file stands for."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        raise AssignmentMapError(f"{where}: a rule is {_SHAPES}")
    fields = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise AssignmentMapError(f"{where}: a rule is {_SHAPES}")
        if not isinstance(value, yaml.ScalarNode):
            raise AssignmentMapError(f"{where}: {key.value!r} must be a string")
        if key.value in fields:
            raise AssignmentMapError(f"{where}: {key.value!r} stands there twice")
        fields[key.value] = value.value
    if set(fields) == {"builtin"}:
        return builtin(fields["builtin"], where)
    if set(fields) == {"regex", "to"}:
        try:
            return [_rule(re.compile(fields["regex"]), fields["to"], where)]
        except re.error as error:
            raise AssignmentMapError(
                f"{where}: {fields['regex']!r} is no regular expression: {error}"
            ) from None
    if set(fields) == {"from", "to"}:
        return [_rule(fields["from"], fields["to"], where)]
    found = ", ".join(map(repr, sorted(fields))) or "nothing"
    raise AssignmentMapError(f"{where}: a rule is {_SHAPES}; this one has {found}")


def _name_of(variable: Any) -> str:
    """The name in a checkpoint of a variable, or of a list of the parts of one."""
    if not isinstance(variable, (list, tuple)):
        return str(variable.name).partition(":")[0]
    return _PART.sub("", str(variable[0].name).partition(":")[0])


def _rule(source: Any, target: str, where: str) -> Rule:
    """A rule, if it can be one."""
    if isinstance(source, re.Pattern):
        try:
            # Groups are numbered in the template; no match is needed to check it.
            re.compile(f"(?:{source.pattern})|", source.flags).fullmatch("").expand(  # type: ignore[union-attr]
                target
            )
        except (re.error, IndexError) as error:
            raise AssignmentMapError(
                f"{where}: {target!r} does not fit the groups of {source.pattern!r}: "
                f"{error}"
            ) from None
        return Rule(source, target, where)
    if not isinstance(source, str) or not source or not target:
        raise AssignmentMapError(
            f"{where}: {source!r} -> {target!r}: names must be strings, and not empty"
        )
    if source.endswith("/") != target.endswith("/"):
        raise AssignmentMapError(
            f"{where}: {source!r} -> {target!r}: a scope (it ends in '/') can only "
            f"become a scope, and a name a name"
        )
    return Rule(source, target, where)


def _following(name: str, names: Collection[str], targets: Mapping[str, str]) -> str:
    """The name of a slot or an average whose variable was renamed; else the same."""
    owner = roles.owner(name, names)
    if owner is None or targets.get(owner, owner) == owner:
        return name
    before, found, after = f"/{name}/".rpartition(f"/{owner}/")
    return f"{before}/{targets[owner]}/{after}".strip("/") if found else name


def _near(rule: Rule, names: Collection[str]) -> str:
    """The names nearest to a rule's, for a message."""
    if not isinstance(rule.source, str):
        return ""
    if rule.is_scope:
        names = {n.rpartition("/")[0] + "/" for n in names if "/" in n}
    return near(rule.source, names)


def near(wanted: str, names: Collection[str]) -> str:
    """The names nearest to one that is not there, for a message."""
    import difflib

    found = difflib.get_close_matches(wanted, names, n=3)
    return f" (near: {', '.join(map(repr, found))})" if found else ""


# Built-in maps.


def builtin(name: str, where: str) -> list[Rule]:
    """The rules of a built-in map.

    Raises:
      AssignmentMapError: there is none of that name.
    """
    if name not in BUILTIN:
        raise AssignmentMapError(
            f"{where}: no built-in map {name!r}; there are "
            f"{', '.join(map(repr, BUILTIN))}"
        )
    return [
        Rule(re.compile(source), target, _BUILTIN + name, replaces=name == "use_ema")
        for source, target in BUILTIN[name]
    ]


_ANY = r"((?:.*/)?"
_CELLS = (
    "basic_rnn_cell|gru_cell|gru_cell/gates|gru_cell/candidate|basic_lstm_cell"
    "|lstm_cell|lstm_cell/projection|output_projection_wrapper"
    "|input_projection_wrapper|lstm_block_wrapper|layer_norm_basic_lstm_cell"
    "|ugrnn_cell|nas_rnn|intersection_rnn_cell|intersection_rnn_cell/in_projection"
    "|phased_lstm_cell/mask_gates|phased_lstm_cell/new_input"
    "|phased_lstm_cell/output_gate|attention_cell_wrapper"
    "|attention_cell_wrapper/attn_output_projection|attention_cell_wrapper/attention"
    "|attention_decoder|attention_decoder/Attention_\\d+"
    "|attention_decoder/AttnOutputProjection"
)

#: Regexes and their targets, in order, by the name of the map.
#:
#: rnn_cells: the renames of TensorFlow 1.2 (RNN_NAME_REPLACEMENTS in
#:   `tensorflow/contrib/rnn/python/tools/checkpoint_convert.py` of TensorFlow 1.15).
#: use_ema: averages take the place of their variables
#:   (`tf.compat.v1.train.ExponentialMovingAverage.variables_to_restore`).
#: canned_estimators: slots of tf1 optimizers under the names that the Keras optimizers
#:   of TensorFlow 2's canned estimators give them; the model's own variables kept
#:   theirs (`tensorflow_estimator/python/estimator/tools/checkpoint_converter.py`).
#: slim: names of tf-slim's layers as tf1.layers has them
#:   (`tensorflow/contrib/layers/python/layers/layers.py`: `weights`, `biases`).
BUILTIN: Mapping[str, Sequence[tuple[str, str]]] = {
    "rnn_cells": (
        (rf"{_ANY}(?:{_CELLS}))/weights", r"\1/kernel"),
        (rf"{_ANY}(?:{_CELLS}))/biases", r"\1/bias"),
        (rf"{_ANY}nas_rnn)/recurrent_weights", r"\1/recurrent_kernel"),
    ),
    "use_ema": ((r"(.+)/ExponentialMovingAverage", r"\1"),),
    "canned_estimators": tuple(
        (rf"(.+?)(?:/t_0|/part_0)?/{old}", rf"training/{optimizer}/\1/{new}")
        for optimizer, slots in {
            "Adam": {"Adam": "m", "Adam_1": "v"},
            "Ftrl": {"Ftrl": "accumulator", "Ftrl_1": "linear"},
            "RMSprop": {"RMSProp": "rms"},
            "Adagrad": {"Adagrad": "accumulator"},
        }.items()
        for old, new in slots.items()
    ),
    "slim": (
        (r"(.+)/weights", r"\1/kernel"),
        (r"(.+)/biases", r"\1/bias"),
        (r"(.+)/depthwise_weights", r"\1/depthwise_kernel"),
        (r"(.+)/pointwise_weights", r"\1/pointwise_kernel"),
    ),
}
