"""The facts of a diff: numbers, layers, histograms."""

import estimator_ckpt as ec
from tests.reports.pages import NEW, OLD, Page, written


def test_numbers_are_those_of_the_diff(tmp_path):
    found = ec.diff(OLD, NEW)
    page = Page(written(found, tmp_path / "a.html"))
    rows = {row["variable"]: row for row in page.rows}
    for difference in found.to_json()["differences"]:
        row = rows[difference["name"]]
        assert row["mean abs"] == f"{difference['mean_abs']:.4g}"
        assert row["max abs"] == f"{difference['max_abs']:.4g}"
    assert page.shares["value"] == (sum(d.size for d in found.differences), 31)


def test_layers_are_in_the_order_of_the_graph(tmp_path):
    found = ec.diff(OLD, NEW)
    page = Page(written(found, tmp_path / "a.html"))
    names = [row[0] for row in page.layers[1:]]
    assert names == ["conv1", "bn1", "conv2", "bn2", "logits"]
    for row, layer in zip(page.layers[1:], found.layers):
        assert row[-2:] == [f"{layer.mean_abs:.4g}", f"{layer.max_abs:.4g}"]


def test_twelve_tensors_have_histograms(tmp_path):
    found = ec.diff(OLD, NEW)
    page = Page(written(found, tmp_path / "a.html"))
    assert page.histograms == [h.name for h in found.histograms]
    assert len(page.histograms) == 12


def test_no_difference_is_said(tmp_path):
    text = Page(written(ec.diff(NEW, NEW), tmp_path / "a.html")).text
    assert "31 variables are equal (46.3 kB); none differs." in text
    assert "No number differs." in text
