"""What a format is, asked in one place."""

import ast
from pathlib import Path

import pytest

import estimator_ckpt
from estimator_ckpt.checkpoint import formats
from estimator_ckpt.checkpoint.formats import DUAL, TF1, TF2


@pytest.mark.parametrize(
    ("format", "name_keys", "object_keys"),
    [(TF1, True, False), (TF2, False, True), (DUAL, True, True)],
    ids=str,
)
def test_a_format_is_known_by_its_keys(format, name_keys, object_keys):
    assert format.has_name_keys is name_keys
    assert format.has_object_keys is object_keys
    assert formats.having(name_keys=name_keys, object_keys=object_keys) is format


def test_no_keys_are_no_format():
    with pytest.raises(ValueError, match="no format"):
        formats.having(name_keys=False, object_keys=False)


@pytest.mark.parametrize("format", formats.FORMATS, ids=str)
def test_a_format_or_its_name_is_parsed(format):
    assert formats.parse(str(format)) is format
    assert formats.parse(format) is format


@pytest.mark.parametrize("given", ["TF2", "", "tf3", None, 2])
def test_an_unknown_format_is_refused_with_the_choices(given):
    with pytest.raises(ValueError, match="'tf1', 'tf2', 'dual'") as caught:
        formats.parse(given)
    assert repr(given) in str(caught.value)


def test_nobody_compares_names_of_formats():
    """A new format is one constant here: others ask what a format has."""
    for path in Path(estimator_ckpt.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                values = [
                    n.value for n in ast.walk(node) if isinstance(n, ast.Constant)
                ]
                found = set(formats.CHOICES) & {v for v in values if isinstance(v, str)}
                assert not found, (path, node.lineno)
