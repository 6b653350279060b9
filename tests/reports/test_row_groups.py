"""Rows by scope: as many scopes as can be read, slots under their variables."""

from estimator_ckpt.reports import row_groups
from estimator_ckpt.reports.digest import Row, Tone


def grouped(*names, owners=None):
    rows = [
        Row(n, (n,), 1, Tone.GOOD, owner=(owners or {}).get(n), is_problem=n[0] == "!")
        for n in names
    ]
    return {
        group.scope: [row.name for row, _ in group.rows]
        for group in row_groups.grouped(rows)
    }


def test_few_names_are_one_group():
    assert grouped("b/w", "a/w", "step") == {"": ["b/w", "a/w", "step"]}


def test_many_are_divided_where_they_are_many():
    names = [f"net/block_{i}/w_{j}" for i in range(3) for j in range(9)]
    assert list(grouped(*names, "step")) == [
        "net/block_0",
        "net/block_1",
        "net/block_2",
        "",
    ]


def test_a_scope_that_cannot_be_divided_stays():
    names = [f"net/w_{i}" for i in range(40)]
    assert grouped(*names) == {"net": names}


def test_so_does_one_of_many_scopes_with_a_name_each():
    names = [f"net/layer_{i}/w" for i in range(100)]
    assert list(grouped(*names, "a/b")) == ["net", "a"]
    pairs = [f"net/layer_{i}/{name}" for i in range(100) for name in "wb"]
    assert len(grouped(*pairs)) == 100


def test_a_slot_follows_its_variable_whatever_its_name():
    found = grouped("z/w/Adam", "a/w", "z/w", owners={"z/w/Adam": "z/w", "a/w": "gone"})
    assert found == {"": ["a/w", "z/w", "z/w/Adam"]}


def test_of_too_many_the_problems_are_kept(monkeypatch):
    monkeypatch.setattr(row_groups, "MOST_ROWS", 3)
    assert grouped("a", "b", "c", "!d", "e", "!f") == {"": ["a", "!d", "!f"]}


def test_names_of_a_thousand_scopes_take_no_time():
    names = [f"{i}" + "/a" * 5_000 for i in range(100)] + ["/" * 9_000] * 20
    assert sum(map(len, grouped(*names).values())) == 120
