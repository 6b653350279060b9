"""What `make docs` makes of the files, without making the site."""

import importlib
import importlib.util
import json
import pathlib
import re

import pytest
import yaml

import estimator_ckpt as ec
from tests.conftest import REPOSITORY

ROOT = pathlib.Path(REPOSITORY)
PAGES = sorted(path.relative_to(ROOT / "docs") for path in ROOT.glob("docs/**/*.md"))


@pytest.fixture(scope="module")
def site():
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "tools/site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("page", "text", "on_the_site"),
    [
        ("index.md", "[x](docs/plans.md)", "[x](plans.md)"),
        ("index.md", "[x](docs/plans.md#maps)", "[x](plans.md#maps)"),
        ("index.md", "[docs/plans.md](docs/plans.md)", "[plans](plans.md)"),
        ("index.md", "[x](benchmarks/RESULTS.md)", "[x](benchmarks/RESULTS.md)"),
        ("index.md", "[x](docs/tutorial.ipynb)", "[x](tutorial.md)"),
        ("plans.md", "[x](../README.md)", "[x](index.md)"),
        ("plans.md", "[x](../model_fns/a.py)", "[x](source/model_fns/a.py)"),
        ("situations/a.md", "[x](../plans.md)", "[x](../plans.md)"),
        ("situations/a.md", "[x](b.md)", "[x](b.md)"),
        ("situations/a.md", "[x](https://a.b/c)", "[x](https://a.b/c)"),
        ("plans.md", "```\nx[1](docs/a.md)\n```", "```\nx[1](docs/a.md)\n```"),
    ],
)
def test_links_between_files_become_links_between_pages(site, page, text, on_the_site):
    assert site.with_site_links(text, page) == on_the_site


def test_files_that_pages_link_to_are_in_the_site(site):
    text = (ROOT / "docs" / "leaving-estimator.md").read_text()
    linked = site.linked_files(text, "leaving-estimator.md")
    assert "model_fns/digits_keras.py" in linked
    assert all((ROOT / path).is_file() for path in linked)


def test_the_tutorial_is_a_page_with_its_plots(site):
    notebook = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text())
    text, plots = site.notebook_page(notebook)
    assert text.startswith("# Tutorial")
    assert "```text\nCheckpoint at 'tf1-ckpt' (tf1):" in text
    assert [name for name in plots if f"]({name})" in text] == ["tutorial-1.png"]
    assert plots["tutorial-1.png"].startswith(b"\x89PNG")


def test_the_search_has_every_message_of_the_index_of_errors(site):
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    entries = site.entries_of_errors(text)
    assert len(entries) == text.count("\n| `") > 150
    assert len({entry["location"] for entry in entries}) == len(entries)
    pages = {entry["title"]: entry["location"].partition("#")[0] for entry in entries}
    assert pages["Weights only load failed."] == "situations/keras-3-and-pytorch.html"
    for page in pages.values():
        assert (ROOT / "docs" / page).with_suffix(".md").is_file()


def test_the_reference_has_every_public_name(site):
    text = site.reference((ROOT / "docs" / "reference.md").read_text())
    made = {line.rpartition(".")[2] for line in re.findall("^::: (.*)$", text, re.M)}
    results = {path.rpartition(".")[2] for path in site.RESULTS}
    assert made == set(ec.__all__) - {"__version__"} | results
    assert "<!--" not in text


def test_what_the_calls_return_is_where_the_reference_looks_for_it(site):
    for path in site.RESULTS:
        module, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(module), name).__doc__


def test_flags_are_those_that_the_reference_shows(site):
    for name in site.FLAGS:
        assert getattr(ec.flags, name).__doc__


@pytest.mark.parametrize(
    ("html", "is_fetched"),
    [
        ('<script src="https://a.b/c.js">', True),
        ("<link rel=stylesheet href=//a.b/c.css>", True),
        ('<img alt="x" src="http://a.b/c.png">', True),
        ('<script src="assets/c.js">', False),
        ('<a href="https://a.b/">', False),
    ],
)
def test_pages_that_fetch_from_elsewhere_are_refused(site, html, is_fetched):
    assert bool(site.FETCHED.search(html)) is is_fetched


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_page_is_in_the_navigation(page):
    assert f": {page}\n" in (ROOT / "mkdocs.yml").read_text()


def test_the_search_finds_a_word_of_a_dotted_name_and_a_version_as_it_is():
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    plugins = [plugin for plugin in config["plugins"] if isinstance(plugin, dict)]
    separator = next(p["search"]["separator"] for p in plugins if "search" in p)
    words = re.split(separator, "`tf.contrib` of 2.16, load_into('x')")
    assert {"contrib", "2.16", "load_into", "x"} <= set(words)
