"""Pictures: bars divided by bytes, scales of powers of ten, histograms."""

import re

import pytest

from estimator_ckpt.reports import pictures
from estimator_ckpt.reports.digest import Share, Tone


def widths(picture):
    return [float(w) for w in re.findall(r'width="([\d.]+)" height="10"', picture)]


def test_a_bar_is_divided_by_bytes_and_the_smallest_is_seen():
    picture = pictures.shares(
        [Share("a", 1, 9_999, Tone.GOOD), Share("b", 1, 1, Tone.BAD)]
    )
    assert widths(picture) == [999.9, 2]  # a thousand wide; 2 is the least


def test_where_nothing_has_bytes_it_is_divided_by_number():
    picture = pictures.shares([Share("a", 3, 0, Tone.GOOD), Share("b", 1, 0, Tone.BAD)])
    assert widths(picture) == [750, 250]
    assert pictures.shares([]) == ""


@pytest.mark.parametrize(
    ("numbers", "exponents"),
    [
        ([0.02, 5.0], (-2, 1)),
        ([1.0], (0, 1)),
        ([0.0, float("inf"), float("nan")], (-1, 0)),
        ([], (-1, 0)),
    ],
)
def test_a_scale_holds_all_positive_finite_numbers(numbers, exponents):
    assert pictures.exponent_range(numbers) == exponents


@pytest.mark.parametrize(
    ("number", "percent"),
    [(0.0, 0), (0.01, 1), (0.1, 50), (1.0, 100), (7.0, 100), (float("inf"), 100)],
)
def test_a_number_has_its_place_on_the_scale(number, percent):
    assert pictures.place(number, (-2, 0)) == pytest.approx(percent)


def test_a_histogram_is_an_area_and_a_second_one_its_outline():
    one = pictures.distribution([0, 2])
    assert 'd="M0,72V72H160V2H320V72Z"' in one
    assert "outline" not in one
    two = pictures.distribution([0, 2], [4, 0])
    assert 'class="outline" d="M0,2H160V72H320"' in two
    assert "V72H160V37H320" in two  # of four, two is the half
    assert 'd="M0,72V2H320V72Z"' in pictures.distribution([3, 3, 3, 3])
