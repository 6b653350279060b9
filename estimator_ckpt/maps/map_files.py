"""Assignment maps in YAML and JSON files; an error names the line.

- {from: old_scope/, to: new_scope/}
- {from: net/, to: [online/, target/]}
- {regex: 'l_(\\d+)/w', to: 'block_\\1/kernel'}
- {builtin: rnn_cells}
"""

from __future__ import annotations

from typing import Any

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint import messages, user_files
from estimator_ckpt.maps import builtin_maps, map_rules
from estimator_ckpt.maps.map_rules import AssignmentMapError, Rule

_SUFFIXES = (".yaml", ".yml", ".json")
_SHAPES = "{from: ..., to: ...}, {regex: ..., to: ...} or {builtin: ...}"


def load(path: files.PathLike) -> list[Rule]:
    """Reads the rules of a map from a YAML or JSON file.

    Raises:
      CheckpointNotFoundError: there is no such file.
      AssignmentMapError: it is no list of rules; names the line.
    """
    text = files.local(path)
    if not text.endswith(_SUFFIXES):
        raise AssignmentMapError(
            f"{text}: an assignment map is a file that ends in .yaml, .yml or .json"
        )
    document = _composed(bytes(files.read(text)), text)
    if document is None:
        return []
    if document.id != "sequence":
        raise AssignmentMapError(
            f"{text}:{_line(document)}: a map is a list of rules, each {_SHAPES}"
        )
    return [
        rule
        for node in document.value
        for rule in _rules_of(node, f"{text}:{_line(node)}")
    ]


def _composed(content: bytes, path: str) -> Any:
    """The nodes of a YAML document, which know their lines; None of an empty one."""
    try:
        return user_files.compose(content, path)
    except user_files.UserFileError as error:
        raise AssignmentMapError(str(error)) from None


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _rules_of(node: Any, where: str) -> list[Rule]:
    """The rules that one item of a file stands for."""
    fields = _fields(node, where)
    if set(fields) == {"builtin"}:
        return builtin_maps.rules_of(fields["builtin"][0], where)
    if set(fields) == {"regex", "to"}:
        source: Any = map_rules.compiled(fields["regex"][0], where)
    elif set(fields) == {"from", "to"}:
        source = fields["from"][0]
    else:
        found = messages.quoted(sorted(fields)) or "nothing"
        raise AssignmentMapError(f"{where}: a rule is {_SHAPES}; this one has {found}")
    return [map_rules.checked(source, target, where) for target in fields["to"]]


def _fields(node: Any, where: str) -> dict[str, list[str]]:
    """What stands in a rule: one text each, of `to` one or several."""
    if node.id != "mapping" or any(key.id != "scalar" for key, _ in node.value):
        raise AssignmentMapError(f"{where}: a rule is {_SHAPES}")
    fields: dict[str, list[str]] = {}
    for key, value in node.value:
        if key.value in fields:
            raise AssignmentMapError(f"{where}: {key.value!r} stands there twice")
        fields[key.value] = _texts(key.value, value, where)
    return fields


def _texts(name: str, node: Any, where: str) -> list[str]:
    """A scalar's text, or those of a list."""
    if node.id == "scalar":
        return [str(node.value)]
    if name != "to":
        raise AssignmentMapError(f"{where}: {name!r} must be a string")
    if node.id != "sequence" or any(item.id != "scalar" for item in node.value):
        raise AssignmentMapError(f"{where}: 'to' must be a string or a list of some")
    if not node.value:
        raise AssignmentMapError(f"{where}: 'to' is an empty list")
    return [str(item.value) for item in node.value]
