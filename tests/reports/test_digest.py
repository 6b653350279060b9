"""What all reports are made of: columns, rows, shares."""

from estimator_ckpt.reports import digest
from estimator_ckpt.reports.digest import Column, Row, Share, Tone


def test_a_column_in_which_no_row_has_anything_is_left_out():
    columns = [Column("name"), Column("why"), Column("size")]
    cells = [("a", "", 0), ("b", None, 8)]
    rows = [Row(c[0], c, 8, Tone.GOOD) for c in cells]
    kept, cut = digest.without_empty(columns, rows)
    assert [column.title for column in kept] == ["name", "size"]
    assert [row.cells for row in cut] == [("a", 0), ("b", 8)]


def test_shares_are_sums_in_the_order_of_what_comes_first():
    found = [("b", 4, Tone.GOOD), ("a", 1, Tone.BAD), ("b", 8, Tone.GOOD)]
    assert digest.shares(found) == (
        Share("b", 2, 12, Tone.GOOD),
        Share("a", 1, 1, Tone.BAD),
    )
