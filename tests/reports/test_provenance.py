"""What was run, and on which bytes."""

import hashlib

import estimator_ckpt as ec
from estimator_ckpt.reports import provenance
from estimator_ckpt.reports.report_file import digest_of, put
from tests.reports.pages import NEW, OLD, Page, written


def test_fingerprints_are_of_the_indexes(tmp_path):
    digest = hashlib.sha256(OLD.with_suffix(".ckpt-100.index").read_bytes())
    for name in ("a.html", "a.md"):
        page = written(ec.plan(OLD, NEW), tmp_path / name)
        assert digest.hexdigest() in page
        assert ec.__version__ in page


def test_the_command_is_there(tmp_path):
    path = tmp_path / "a.html"
    put(digest_of(ec.verify(NEW)), path, command="estimator-ckpt verify '<x>'")
    assert "estimator-ckpt verify '<x>'" in Page(path.read_text()).text


def test_what_is_no_file_has_none():
    (mark,) = provenance.gather([("target", "model_fn")]).fingerprints
    assert mark.sha256 == "not taken: no local file"
