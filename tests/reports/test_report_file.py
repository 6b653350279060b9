"""`write_report`: which file, and what there is no report of."""

import json
import os

import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import DestinationExistsError
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.reports.report_file import ReportError
from tests.reports.pages import NEW, Page, written


def result():
    return ec.verify(NEW)


def test_one_that_is_there_is_not_replaced(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("mine")
    with pytest.raises(DestinationExistsError, match=r"a\.html: already there"):
        ec.write_report(result(), path)
    assert path.read_text() == "mine"
    ec.write_report(result(), path, overwrite=True)
    assert path.read_text().startswith("<!DOCTYPE html>")
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.parametrize("name", ["a.txt", "a", "html", "a.html/", "no/such/a.html"])
def test_a_name_that_is_none_for_a_report(tmp_path, name):
    with pytest.raises(ReportError, match="report"):
        ec.write_report(result(), f"{tmp_path}/{name}")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_one_that_cannot_be_made_is_refused_first(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ReportError, match="no file can be made in"):
        ec.write_report(result(), tmp_path / "a.html", overwrite=True)


def test_of_what_there_is_no_report(tmp_path):
    with pytest.raises(TypeError, match="not of a dict"):
        ec.write_report({}, tmp_path / "a.html")


def test_a_plan_without_variables(tmp_path):
    write_bundle(tmp_path / "m", {})
    page = Page(written(ec.plan(tmp_path / "m", tmp_path / "m"), tmp_path / "a.html"))
    assert page.rows == []
    assert json.dumps(page.shares) == "{}"
