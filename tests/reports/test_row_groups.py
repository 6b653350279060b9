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


def test_layers_without_scopes_are_divided_by_their_number():
    # As Keras names them: 800 layers, of which each would be a scope.
    names = [
        f"layer_{i}_{what}/{name}"
        for i in range(200)
        for what in ("query", "key", "value", "norm")
        for name in ("kernel", "bias")
    ]
    found = grouped("embeddings/embeddings", *names, "head/kernel")
    assert list(found)[:3] == ["embeddings", "layer_0\u2026", "layer_1\u2026"]
    assert found["layer_12\u2026"] == names[12 * 8 : 13 * 8]
    assert len(found) == 202


def test_scopes_of_one_scope_are_one_step():
    names = [
        "/".join(f"{letter}{i % 7}" for letter in "abcdef" * 25) + f"/{i}"
        for i in range(700)
    ]
    found = grouped(*names)
    assert [scope.count("/") for scope in found] == [149] * 7
    assert all(len(rows) == 100 for rows in found.values())


def test_groups_with_problems_come_first():
    names = [f"{scope}/w_{i}" for scope in ("a", "b", "!c", "d") for i in range(20)]
    assert list(grouped(*names)) == ["!c", "a", "b", "d"]


def test_a_slot_follows_its_variable_whatever_its_name():
    found = grouped("z/w/Adam", "a/w", "z/w", owners={"z/w/Adam": "z/w", "a/w": "gone"})
    assert found == {"": ["a/w", "z/w", "z/w/Adam"]}


def test_of_too_many_the_problems_are_kept(monkeypatch):
    monkeypatch.setattr(row_groups, "MOST_ROWS", 3)
    assert grouped("a", "b", "c", "!d", "e", "!f") == {"": ["a", "!d", "!f"]}


def test_names_of_a_thousand_scopes_take_no_time():
    names = [f"{i}" + "/a" * 5_000 for i in range(100)] + ["/" * 9_000] * 20
    assert sum(map(len, grouped(*names).values())) == 120
