"""The guides by situation run, and say what they should where readers look for it."""

import pathlib
import re

import pytest

from tests import processes
from tests.conftest import REPOSITORY
from tests.test_docs import environment, workplace  # noqa: F401, a fixture

ROOT = pathlib.Path(REPOSITORY)
PAGES = sorted((ROOT / "docs" / "situations").glob("*.md"))


def by_name(path):
    return path.stem


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_a_page_runs_from_top_to_bottom(page, workplace):  # noqa: F811
    done = processes.run(
        ["-m", "tests.doc_pages", str(page)], cwd=workplace, env=environment()
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_a_page_begins_with_what_the_reader_has_and_ends_with_a_way_out(page):
    text = page.read_text(encoding="utf-8")
    opening = text[: text.index("\n## ")]
    assert "```text" in opening or "no error" in opening
    sections = re.findall("^## (.+)$", text, re.MULTILINE)
    assert sections[0] == "Why"
    assert {"What to type", "How to check it"} <= set(sections)
    assert len(text) < 5500
