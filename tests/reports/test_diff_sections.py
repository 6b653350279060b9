"""What only a diff has on its page: layers, histograms, elements that differ."""

import numpy as np

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.reports import diff_sections, report_file
from estimator_ckpt.reports.escaping import Lengths
from tests.reports.pages import pages_of


def test_numbers_and_strings_that_have_no_histogram_are_shown(tmp_path):
    old = {"s": np.array([b"a", b"<b>"], object), "step": np.int64(100)}
    new = {"s": np.array([b"a", b"<i>"], object), "step": np.int64(300)}
    text, markdown = pages_of(tmp_path, old, new)
    assert "Of single numbers and of strings these are the first" in text
    assert "1 of 2 differ[1] b'<b>' \u2192 b'<i>'" in text
    assert "one element100 \u2192 300" in text
    assert "| `s` | string | 1 of 2 differ | [1] | `b'<b>'` | `b'<i>'` |" in markdown
    assert "| `step` | int64 | one element | [] | `100` | `300` |" in markdown


def test_complex_numbers_are_shown_by_their_magnitudes(tmp_path):
    old, new = np.complex64([3 + 4j, 0]), np.complex64([3 + 4j, 2j])
    text, markdown = pages_of(tmp_path, {"c": old}, {"c": new})
    said = "complex: magnitudes of values and differences"
    assert said in text
    assert f"| `c`, {said} | 1 | 2 | 0 " in markdown


def test_a_page_of_nothing_that_differs_has_no_such_section(tmp_path):
    text, markdown = pages_of(tmp_path, {"v": np.ones(2)}, {"v": np.ones(2)})
    for heading in ("histogram", "Single numbers"):
        assert heading not in text
        assert heading not in markdown


def test_names_are_as_long_as_the_page_lets_them_be(tmp_path):
    for step in (1, 2):
        made = {f"{'x' * 200}/w": np.float32([1, step]), "x" * 200: np.int32(step)}
        write_bundle(tmp_path / f"{step}", made)
    digest = report_file.digest_of(ec.diff(tmp_path / "1", tmp_path / "2"))
    sections = diff_sections.layers, diff_sections.histograms, diff_sections.examples
    for section in sections:
        whole, cut = section(digest, Lengths()), section(digest, Lengths(40, 40))
        assert "x" * 200 in whole
        assert "x" * 41 not in cut
        assert "(160 characters)" in cut or "(162 characters)" in cut
