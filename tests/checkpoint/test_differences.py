"""Differences as data: what JSON has, what notebooks show, what is said."""

import json

from estimator_ckpt.checkpoint.differences import Aspect, Diff, Difference

RENAMED = Difference(Aspect.RENAMED, "a<b>", "c", "float32[2]", size=8)
VALUE = Difference(Aspect.VALUE, "v", None, "1 of 2 elements", 0.5, 0.25, 8, "a")


def test_the_json_has_the_names_of_its_schema():
    found = Diff("old", "new", (RENAMED, VALUE), 3, ("metric",), 12).to_json()
    assert json.loads(json.dumps(found)) == {
        "a": "old",
        "b": "new",
        "num_equal": 3,
        "size_equal": 12,
        "left_out": ["metric"],
        "differences": [
            {
                "kind": "renamed",
                "name": "a<b>",
                "new_name": "c",
                "detail": "float32[2]",
                "max_abs": None,
                "mean_abs": None,
                "size": 8,
                "owner": None,
            },
            {
                "kind": "value",
                "name": "v",
                "new_name": None,
                "detail": "1 of 2 elements",
                "max_abs": 0.5,
                "mean_abs": 0.25,
                "size": 8,
                "owner": "a",
            },
        ],
        "layers": [],
        "histograms": [],
        "examples": [],
        "unused": [],
    }


def test_a_diff_is_true_where_something_differs():
    assert Diff("old", "new", (VALUE,), 0)
    assert not Diff("old", "new", (), 3, ("metric",))


def test_what_is_left_out_is_said():
    assert Diff("old", "new", (), 3).remarks() == []
    (said,) = Diff("old", "new", (), 3, ("total", "count")).remarks()
    assert said.startswith("'total', 'count' left out: metrics and strings")


def test_a_notebook_s_table_has_no_tags_of_names():
    shown = Diff("old", "new", (RENAMED,), 3)._repr_html_()
    assert "<td>a&lt;b&gt;</td><td>c</td>" in shown
    assert "<p>3 variables are equal</p>" in shown
