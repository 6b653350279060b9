"""What differs where there is no histogram: both values, or the first that differ."""

import ml_dtypes
import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint.changes import changed_elements


def diff_of(tmp_path, old, new):
    for name, tensors in (("old", old), ("new", new)):
        write_bundle(tmp_path / name, tensors)
    return ec.diff(tmp_path / "old", tmp_path / "new")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (np.int64(2**60), np.int64(2**60 + 1), f"{2**60} -> {2**60 + 1}"),
        (np.float32(1.5), np.float32(np.nan), "1.5 -> nan"),
        (ml_dtypes.bfloat16(2), ml_dtypes.bfloat16(-3), "2 -> -3"),
        (np.bool_(True), np.bool_(False), "True -> False"),
        (np.complex64(1 + 2j), np.complex64(3 - 1j), "1+2j -> 3-1j"),
        (np.float64([[0.1]]), np.float64([[0.2]]), "0.1 -> 0.2"),
        (np.array(b"old", object), np.array(b"<b>\x00", object), None),
    ],
)
def test_of_one_element_both_values_are_said(tmp_path, old, new, said):
    found = diff_of(tmp_path, {"v": old}, {"v": new})
    (difference,), (example,) = found.differences, found.examples
    assert difference.detail == (said or r"b'old' -> b'<b>\x00'")
    (element,) = example.elements
    assert " -> ".join(element[1:]) == difference.detail
    assert (example.num_elements, example.num_changed) == (1, 1)
    assert element.place == str([0] * np.ndim(old))
    assert found.histograms == ()


def test_complex_numbers_that_are_near_are_not_shown_as_equal(tmp_path):
    near = np.complex128(1 + 1e-9j), np.complex128(1 + 1.0000001e-9j)
    detail = diff_of(tmp_path, {"v": near[0]}, {"v": near[1]}).differences[0].detail
    assert detail == "(1+1e-09j) -> (1+1.0000001e-09j)"


def test_of_strings_the_first_that_differ_are_said(tmp_path):
    old = np.array([[b"a", b"b"], [b"c", b"d"], [b"e", b"f"]], object)
    new = np.array([[b"a", b"x"], [b"c", b"y"], [b"z", b"w"]], object)
    found = diff_of(tmp_path, {"words": old}, {"words": new})
    (example,) = found.examples
    assert (example.num_changed, example.num_elements) == (4, 6)
    assert example.elements == (
        ("[0, 1]", "b'b'", "b'x'"),
        ("[1, 1]", "b'd'", "b'y'"),
        ("[2, 0]", "b'e'", "b'z'"),
    )
    assert found.differences[0].detail == "4 of 6 elements"
    assert found.to_json()["examples"][0]["elements"][0] == {
        "place": "[0, 1]",
        "before": "b'b'",
        "after": "b'x'",
    }


def test_long_strings_are_shown_where_they_differ():
    before = np.array([b"-" * 500 + b"old" + b"." * 500], object)
    after = np.array([b"-" * 500 + b"new" + b"." * 500], object)
    shown = changed_elements.of("v", "string", [1], [(before, after)]).elements[0]
    assert shown.before == f"\u2026{'-' * 12}old{'.' * 45}\u2026"
    assert shown.after == shown.before.replace("old", "new")


def test_twelve_numbers_that_differ_most_and_twelve_strings(tmp_path):
    old = {f"n{i:02}": np.float32(0) for i in range(20)}
    new = {name: np.float32(i) for i, name in enumerate(old)}
    old.update({f"s{i:02}": np.array(b"a", object) for i in range(20)})
    new.update({f"s{i:02}": np.array(b"b", object) for i in range(20)})
    names = [example.name for example in diff_of(tmp_path, old, new).examples]
    assert names == [
        *(f"n{i:02}" for i in range(19, 7, -1)),
        *(f"s{i:02}" for i in range(12)),
    ]


def test_numbers_of_other_shapes_and_several_numbers_are_none(tmp_path):
    old = {"a": np.float32(1), "b": np.float32([1, 2]), "c": np.int32(3)}
    new = {"a": np.float32([1]), "b": np.float32([1, 3]), "c": np.int32(3)}
    assert diff_of(tmp_path, old, new).examples == ()
