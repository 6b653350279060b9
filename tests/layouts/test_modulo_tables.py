"""Rows of a table in parts, as `partition_strategy="mod"` has them."""

import numpy as np
import pytest

from estimator_ckpt.layouts import modulo_tables


def saved(rows, parts):
    """What a Saver has: part after part, of ids i with i % parts of each."""
    return np.concatenate([np.arange(p, rows, parts) for p in range(parts)])


@pytest.mark.parametrize("rows", [1, 5, 12, 101])
@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_row_i_of_the_table_is_id_i(rows, parts):
    (rule,) = modulo_tables.mod("text", "source", "target", parts)
    given = saved(rows, parts)[:, None] * np.ones((1, 3))
    (found,) = rule.forward([given])
    np.testing.assert_array_equal(found[:, 0], np.arange(rows))
    (back,) = rule.backward([found])
    np.testing.assert_array_equal(back, given)


@pytest.mark.parametrize(("start", "stop"), [(0, 4), (3, 9), (8, 11)])
def test_a_piece_is_made_of_runs(start, stop):
    rows, parts = 11, 3
    (rule,) = modulo_tables.mod("text", "source", "target", parts)
    given = saved(rows, parts)
    for runs, source in ((rule.runs[0], given), (rule.runs[1], np.arange(rows))):
        out = np.full(stop - start, -1)
        for run in runs(start, stop, rows):
            piece = source[run.first :: run.step][: run.number]
            out[run.place :: run.stride][: run.number] = piece
        whole = np.arange(rows) if runs is rule.runs[0] else given
        np.testing.assert_array_equal(out, whole[start:stop])


def test_the_number_of_parts_must_be_said():
    with pytest.raises(TypeError, match="of how many parts"):
        modulo_tables.mod("text", "source", "target")
