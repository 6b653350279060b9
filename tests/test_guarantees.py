"""Every test that docs/guarantees.md names is there."""

import ast
import pathlib
import re

import pytest

from tests.conftest import REPOSITORY

ROOT = pathlib.Path(REPOSITORY)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
TEXT = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
ROWS = [
    line
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| promised |")
]


def defined(path):
    """The tests in a file, those of classes as `Class::test`."""
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}::{inner.name}"


def test_there_are_rows():
    assert len(ROWS) > 15


@pytest.mark.parametrize("row", ROWS)
def test_each_row_names_tests_that_are_there(row):
    cells = row.strip("|").split(" | ")
    assert len(cells) == 3
    named = NAMED.findall(cells[2])
    assert named
    assert cells[2].count("`tests/") == len(named)
    for path, name in named:
        assert name in set(defined(path)), (path, name)
