"""The site of the docs in a real browser: it searches, and fetches nothing."""

import json
import pathlib
import shutil
import subprocess

import pytest

from tests.compat.environments import BROWSER
from tests.compat.test_report_pages import chromium
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.compat
LOOK = pathlib.Path(__file__).with_name("look_at_site.py")


@pytest.fixture(scope="module")
def seen():
    browser = chromium()
    subprocess.run(
        ["make", "--no-print-directory", "docs"],
        cwd=REPOSITORY,
        check=True,
        timeout=600,
    )
    done = subprocess.run(
        [str(BROWSER), str(LOOK), browser, str(pathlib.Path(REPOSITORY, "build/site"))],
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return json.loads(done.stdout)


def test_nothing_is_fetched_from_elsewhere_and_nothing_fails(seen):
    assert seen["pages"] > 60
    assert (seen["foreign"], seen["errors"]) == ([], [])


def test_no_page_is_wider_than_its_window(seen):
    assert seen["too wide"] == []


@pytest.mark.parametrize("opened", ["found", "found in a folder"])
def test_an_error_message_is_found_by_search(seen, opened):
    assert any("not-an-sstable" in link for link in seen[opened][:3])


def test_a_message_of_the_index_leads_to_its_page(seen):
    assert "keras-3-and-pytorch" in seen["found by its title"][0]


@pytest.mark.parametrize("link", ["nothere.md", "training.md#nothere"])
def test_a_link_that_leads_nowhere_fails_make_docs(link, tmp_path):
    root = pathlib.Path(REPOSITORY)
    for file in root.iterdir():
        if file.name == "docs":
            shutil.copytree(file, tmp_path / "docs")
        elif file.name != "build":
            (tmp_path / file.name).symlink_to(file)
    with open(tmp_path / "docs" / "plans.md", "a", encoding="utf-8") as page:
        page.write(f"\n[there]({link})\n")
    done = subprocess.run(
        ["make", "--no-print-directory", "docs"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 2
    assert link.partition("#")[0] in done.stdout
