"""The facts of a diff: numbers, layers, histograms."""

import numpy as np

import estimator_ckpt as ec
from tests.reports.pages import NEW, OLD, Page, pages_of, written


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


def test_why_there_is_no_histogram_is_said(tmp_path):
    text, markdown = pages_of(tmp_path, {"v": np.ones(2)}, {"v": np.ones(3)})
    said = "Nothing that both have in one shape and dtype differs in value."
    assert said in text
    assert said in markdown


def test_what_is_not_finite_is_said_in_words(tmp_path):
    old = {"a/w": np.float32([1, 2]), "b/w": np.float32([1, 2])}
    new = {"a/w": np.float32([1, np.nan]), "b/w": np.float32([1, 4])}
    text, _ = pages_of(tmp_path, old, new)
    assert (
        "The model's largest difference is infinite (one side is infinite or not a "
        "number), in a; of the finite ones, in the mean b moved most (1)."
    ) in text


def test_a_long_name_does_not_break_a_sentence(tmp_path):
    name = f"begin/{'x' * 500}/end/w"
    text, _ = pages_of(tmp_path, {name: np.float32([1, 2])}, {name: np.float32([1, 5])})
    assert f"is 3, in begin/{'x' * 24}\u2026{'x' * 26}/end; in the mean" in text


def test_no_difference_is_said(tmp_path):
    text = Page(written(ec.diff(NEW, NEW), tmp_path / "a.html")).text
    assert "31 variables are equal (46.3 kB); none differs." in text
    assert "No number differs." in text
