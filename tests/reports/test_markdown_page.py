"""Markdown: names are code or character numbers, never markup."""

import re

import numpy as np

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from tests.reports.pages import HOSTILE, written


def test_in_markdown_they_are_code_or_character_numbers(hostile, tmp_path):
    with ec.open_checkpoint(hostile) as checkpoint:
        text = written(checkpoint, tmp_path / "a.md")
    assert "<script>alert(1)</script>/kernel" not in re.sub(r"`[^`\n]*`", "", text)
    assert "[link](http" not in re.sub(r"`[^`\n]*`", "", text)
    assert all(c.isprintable() or c == "\n" for c in text)
    tables = [line for line in text.splitlines() if line.startswith("|")]
    # No name adds a cell to its row: rows have as many as the head above them.
    cells = {line.count("|") for line in tables if "trainable" in line}
    assert len(cells) <= 2, cells


def test_in_markdown_so_are_those_of_scopes(tmp_path):
    names = [f"{name}{i}" for name in HOSTILE for i in range(9)]
    write_bundle(tmp_path / "m", {name: np.float32([0]) for name in names})
    with ec.open_checkpoint(tmp_path / "m") as checkpoint:
        text = written(checkpoint, tmp_path / "a.md")
    assert "<summary>&#60;script&#62;alert(1)&#60;/script&#62; (9, " in text
    tags = set(re.findall(r"</?(\w*)", re.sub(r"`[^`\n]*`", "", text)))
    assert tags == {"details", "summary", "code"}
