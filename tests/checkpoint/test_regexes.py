"""Users' regexes: what is plain in them, and that none takes forever."""

import random
import re
import time

import pytest

import estimator_ckpt as ec
from estimator_ckpt.checkpoint import regexes
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.filters import Filter, PatternError
from estimator_ckpt.maps.map_rules import AssignmentMapError
from tests.testdata_paths import PREFIXES

DIGITS = PREFIXES["digits/model.ckpt-300"]


@pytest.mark.parametrize(
    ("pattern", "beginning", "inside"),
    [
        ("abc", "abc", "abc"),
        (r"layer_(\d+)/kernel", "layer_", "/kernel"),
        (r"a\.b(.+)", "a.b", "a.b"),
        ("ab*cd", "a", "cd"),
        ("(x)?abc", "", "abc"),
        ("[ab]cd/ef", "", "cd/ef"),
        ("a{100}bc", "", "bc"),
        ("a|b", "", ""),
        ("x(?:a|b)/kern", "x", "/kern"),
        ("(?i)abc", "", ""),
        (r"\d+abc", "", "abc"),
        (r"[]a]x", "", "x"),
        (r"[^]a]x", "", "x"),
        (r"[\]a(]x", "", "x"),
        (r"\x41bc", "", "bc"),
        (r"\u0041\U00000042c", "", "c"),
        (r"\N{DIGIT ONE}bc", "", "bc"),
        (r"\101/(.)\1bc", "", "bc"),
        (r"a{2}(?:x{3})b", "", "b"),
        (r"a\(b\)c", "a(b)c", "a(b)c"),
    ],
)
def test_what_is_plain_in_a_regex(pattern, beginning, inside):
    assert regexes.literals(re.compile(pattern)) == (beginning, inside)


def test_no_match_is_lost_by_it():
    """Against `re`, on random regexes of everything that quantifiers are about."""
    generator = random.Random(0)
    pieces = [
        "a",
        "b",
        "/",
        ".",
        "a*",
        "b?",
        "(a|b)",
        "[ab]",
        "a{2}",
        r"\.",
        "(a)+",
        "b+",
        "[]a]",
        r"[^\]b]",
        r"\x61",
        r"\057",
        "{",
    ]
    names = [
        "".join(generator.choices("ab/.]{", k=generator.randrange(9)))
        for _ in range(300)
    ]
    matched = 0
    for _ in range(2000):
        pattern = re.compile(
            "".join(generator.choices(pieces, k=generator.randrange(1, 6)))
        )
        beginning, inside = regexes.literals(pattern)
        for name in filter(pattern.fullmatch, names):
            assert name.startswith(beginning), (pattern, name)
            assert inside in name, (pattern, name)
            matched += 1
    assert matched > 1000


ENDLESS = "(a+)+b"


class TestEndless:
    """Years of backtracking are one line after two seconds."""

    def test_in_a_map(self):
        given = AssignmentMap.of({re.compile(ENDLESS): "x"})
        with pytest.raises(AssignmentMapError, match=r"rule 1: .* takes more than 2 s"):
            given.rename(["a" * 60 + "bc"], source="c")

    def test_in_a_filter(self, monkeypatch):
        monkeypatch.setattr(regexes, "_PATIENCE", 0.1)
        with pytest.raises(PatternError, match="repeats what repeats already"):
            Filter(include=ENDLESS).keeps("a" * 60)

    def test_what_repeats_but_ends_is_let_through(self):
        given = AssignmentMap.of({re.compile("((?:[^/]+/)*)w"): r"\1kernel"})
        assert given.rename(["a/b/w"], source="c").pairs == [("a/b/w", "a/b/kernel")]


@pytest.mark.parametrize("pattern", ["(" * 3000 + ")" * 3000, "a{9999999999999}", "("])
def test_what_is_no_regex_is_one_line(pattern, tmp_path):
    with pytest.raises(PatternError, match="is no regular expression"):
        Filter(include=pattern)
    path = tmp_path / "map.yaml"
    path.write_text(f"- {{regex: '{pattern}', to: x}}\n")
    with pytest.raises(
        AssignmentMapError, match=r"map.yaml:1: .*no regular expression"
    ):
        ec.convert(DIGITS, tmp_path / "new", to="tf1", assignment_map=path)
    assert not (tmp_path / "new.index").exists()


class TestMany:
    """Rules and names cost their sum, and near names are looked for a few times."""

    NAMES = dict.fromkeys(f"net/layer_{i}/sub_{i % 7}/kernel" for i in range(5000))

    @pytest.mark.parametrize(
        "given",
        [
            {f"old/layer_{i}/kernel": f"new/{i}" for i in range(400)},
            {f"old/layer_{i}/": f"new/{i}/" for i in range(400)},
            {re.compile(rf"(.+)/former_{i}/(.+)"): rf"n{i}/\1/\2" for i in range(400)},
        ],
        ids=["names", "scopes", "regexes"],
    )
    def test_rules_that_match_nothing(self, given):
        start = time.process_time()
        found = AssignmentMap.of(given).rename(self.NAMES, source="c")
        assert len(found.unused) == 400
        assert all(old == new for old, new in found.pairs)
        assert time.process_time() - start < 5

    def test_names_of_many_scopes(self):
        names = {"a" + "/" * 100_000: None, "b/" * 50_000 + "c": None}
        start = time.process_time()
        found = AssignmentMap.of({"x/": "y/", "b/b/": "z/"}).rename(names, source="c")
        assert [new[:4] for _, new in found.pairs] == ["a///", "z/b/"]
        assert time.process_time() - start < 2
