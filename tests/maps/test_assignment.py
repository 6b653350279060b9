"""Assignment maps: the guide's forms, regexes, files, and what they say when wrong."""

import re

import pytest

import estimator_ckpt as ec
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.map_rules import AssignmentMapError
from tests.testdata_paths import PREFIXES


def renamed(given, names, **options):
    renaming = AssignmentMap.of(given).rename(names, source="c", **options)
    return one_each(renaming)


def one_each(renaming):
    """The new name of each variable, where each has one."""
    assert len(dict(renaming.pairs)) == len(renaming.pairs)
    return dict(renaming.pairs)


class TestRules:
    @pytest.mark.parametrize(
        ("given", "name", "expected"),
        [
            ({"old/": "new/"}, "old/a/b", "new/a/b"),
            ({"old/": "new/"}, "older/a", "older/a"),
            ({"old/": "/"}, "old/a", "a"),
            ({"/": "new/"}, "a", "new/a"),
            ({"old/a": "new/b"}, "old/a", "new/b"),
            ({"old/a": "new/b"}, "old/ab", "old/ab"),
            ({re.compile(r"l_(\d+)/w"): r"b\1/k"}, "l_3/w", "b3/k"),
            ({re.compile(r"l_(\d+)/w"): r"b\1/k"}, "x/l_3/w", "x/l_3/w"),
            ([("a", "b"), (re.compile("a"), "c")], "a", "b"),
            ({"/": "new/"}, "global_step", "global_step"),
            ({"global_step": "step"}, "global_step", "step"),
            (None, "a", "a"),
        ],
    )
    def test_what_a_rule_makes_of_a_name(self, given, name, expected):
        assert renamed(given, [name]) == {name: expected}

    @pytest.mark.parametrize("first", range(5))
    def test_the_first_that_matches_of_every_kind_of_rule(self, first):
        rules = [
            ("a/", "scope/"),
            (re.compile(r"(.+)"), r"regex/\1"),
            ("a/b/w", "name"),
            ("/", "all/"),
            ("a/b/", "inner/"),
        ]
        expected = ["scope/b/w", "regex/a/b/w", "name", "all/a/b/w", "inner/w"]
        given = rules[first:] + rules[:first]
        assert renamed(given, ["a/b/w"]) == {"a/b/w": expected[first]}

    def test_slots_and_averages_follow_their_variable(self):
        names = ["w", "w/Adam", "w/ExponentialMovingAverage", "Opt/w/Adam_1", "x/Adam"]
        assert renamed({"w": "a/kernel"}, names) == {
            "w": "a/kernel",
            "w/Adam": "a/kernel/Adam",
            "w/ExponentialMovingAverage": "a/kernel/ExponentialMovingAverage",
            "Opt/w/Adam_1": "Opt/a/kernel/Adam_1",
            "x/Adam": "x/Adam",
        }

    def test_also_where_a_later_rule_is_about_all_in_their_scope(self):
        names = ["net/w", "net/w/Adam", "net/b", "net/b/Adam"]
        assert renamed([("net/w", "x"), ("net/", "new/")], names) == {
            "net/w": "x",
            "net/w/Adam": "x/Adam",
            "net/b": "new/b",
            "net/b/Adam": "new/b/Adam",
        }
        assert renamed([("net/", "new/"), ("net/w", "x")], names) == {
            name: name.replace("net/", "new/") for name in names
        }

    def test_unless_a_rule_names_them(self):
        found = renamed([("w/Adam", "m"), ("w", "v")], ["w", "w/Adam"])
        assert found == {"w": "v", "w/Adam": "m"}

    def test_names_can_be_swapped(self):
        assert renamed({"a": "b", "b": "a"}, ["a", "b"]) == {"a": "b", "b": "a"}


TWO = [
    {"net/": ["online/", "target/"]},
    {"net/": ("online/", "target/")},
    [("net/", ["online/", "target/"])],
    [("net/", "online/"), ("net/", "target/")],
    [{"net/": "online/"}, {"net/": "target/"}],
    [(re.compile("net/(.+)"), r"online/\1"), (re.compile("net/(.+)"), r"target/\1")],
    {re.compile("net/(.+)"): [r"online/\1", r"target/\1"]},
]


class TestOneSourceIntoTwo:
    """An online and a target network, a frozen twin."""

    @pytest.mark.parametrize("given", TWO)
    def test_in_every_form(self, given):
        renaming = AssignmentMap.of(given).rename(["net/w", "step"], source="c")
        assert renaming.targets == {
            "net/w": ("online/w", "target/w"),
            "step": ("step",),
        }
        assert renaming.sources["target/w"] == "net/w"
        assert not renaming.unused

    @pytest.mark.parametrize(
        "text",
        [
            "- {from: net/, to: [online/, target/]}",
            "- {from: net/, to: online/}\n- {from: net/, to: target/}",
            "- from: net/\n  to:\n  - online/\n  - target/",
            "- {regex: 'net/(.+)', to: ['online/\\1', 'target/\\1']}",
            '[{"from": "net/", "to": ["online/", "target/"]}]',
        ],
    )
    def test_in_files(self, tmp_path, text):
        path = tmp_path / ("map.json" if text.startswith("[") else "map.yaml")
        path.write_text(text)
        found = AssignmentMap.of(path).rename(["net/w"], source="c").targets
        assert found == {"net/w": ("online/w", "target/w")}

    def test_slots_and_averages_go_to_both(self):
        names = ["net/w", "net/w/Adam", "net/w/ExponentialMovingAverage", "beta1_power"]
        given = {"net/w": ["online/kernel", "target/kernel"]}
        found = AssignmentMap.of(given).rename(names, source="c").targets
        assert found["net/w/Adam"] == ("online/kernel/Adam", "target/kernel/Adam")
        assert found["net/w/ExponentialMovingAverage"] == (
            "online/kernel/ExponentialMovingAverage",
            "target/kernel/ExponentialMovingAverage",
        )
        assert found["beta1_power"] == ("beta1_power",)

    def test_one_of_them_can_keep_the_name(self):
        given = {"net/": ["net/", "target/"]}
        found = AssignmentMap.of(given).rename(["net/w", "net/w/Adam"], source="c")
        assert found.pairs == [
            ("net/w", "net/w"),
            ("net/w", "target/w"),
            ("net/w/Adam", "net/w/Adam"),
            ("net/w/Adam", "target/w/Adam"),
        ]

    def test_all_names_but_the_step(self):
        found = AssignmentMap.of({"/": ["a/", "b/"]}).rename(
            ["w", "global_step"], source="c"
        )
        assert found.targets == {"w": ("a/w", "b/w"), "global_step": ("global_step",)}

    def test_a_copy_takes_the_place_of_what_is_there_only_in_a_warm_start(self):
        given, names = {"net/": ["net/", "target/"]}, ["net/w", "target/w"]
        with pytest.raises(AssignmentMapError, match="'net/w', 'target/w'"):
            AssignmentMap.of(given).rename(names, source="c")
        found = AssignmentMap.of(given).rename(names, source="c", among_others=True)
        assert found.targets == {"net/w": ("net/w", "target/w")}
        assert found.replaced == ("target/w",)

    def test_another_rule_for_the_same_names_is_told_how(self):
        rules = [("net/", "online/"), (re.compile("net/(.+)"), r"target/\1")]
        (said,) = AssignmentMap.of(rules).rename(["net/w"], source="c").unused
        assert "(rule 2) renames no variable of c" in said
        assert "'net/' -> 'online/' (rule 1) comes first for 'net/w'" in said
        assert "give one rule a list" in said

    def test_the_same_rule_twice_is_one(self):
        given = [("a", "b"), ("a", "b")]
        found = AssignmentMap.of(given).rename(["a"], source="c")
        assert (found.pairs, found.unused) == ([("a", "b")], ())


class TestWhatIsWrong:
    def test_two_variables_with_one_name_are_all_listed(self):
        with pytest.raises(AssignmentMapError) as caught:
            renamed({"a": "x", "b": "x", "c": "d"}, ["a", "b", "c", "d"])
        assert "'d': 'c', 'd'; 'x': 'a', 'b'" in str(caught.value)

    def test_in_a_warm_start_the_renamed_one_wins(self):
        found = AssignmentMap.of({"a": "b"}).rename(
            ["a", "b"], source="c", among_others=True
        )
        assert one_each(found) == {"a": "b"}
        assert found.replaced == ("b",)

    def test_a_rule_that_matches_nothing_is_named_with_what_is_near(self):
        rules = AssignmentMap.of(
            {"dense/kernal": "x", "dens/": "y/", "dense/bias": "b"}
        )
        (first, second) = rules.rename(
            ["dense/kernel", "dense/bias"], source="c"
        ).unused
        assert "'dense/kernal' -> 'x' (rule 1)" in first
        assert "near: 'dense/kernel'" in first
        assert "near: 'dense/'" in second


class TestConversion:
    def test_the_renamed_checkpoint_holds_the_same_bytes(self, tmp_path):
        source = PREFIXES["digits/model.ckpt-300"]
        map_ = {"conv1/": "features/conv1/", "logits/kernel": "head/w"}
        for to in ("tf1", "tf2", "dual"):
            new = ec.convert(source, tmp_path / to, to=to, assignment_map=map_)
            with ec.open_checkpoint(source) as a, ec.open_checkpoint(new) as b:
                assert b.format == to
                assert len(a) == len(b)
                assert "head/w/Adam_1" in b
                assert (a.read("conv1/kernel") == b.read("features/conv1/kernel")).all()
            assert not (tmp_path / f"{to}.meta").exists()  # its names are the old ones

    @pytest.mark.parametrize("to", ["tf1", "tf2", "dual"])
    @pytest.mark.parametrize(
        "name", ["digits/model.ckpt-300", "embedding-sharded/model.ckpt-20"]
    )
    def test_one_source_becomes_two_without_a_byte_more(self, tmp_path, name, to):
        source, two = PREFIXES[name], {"/": ["online/", "frozen/"]}
        new = ec.convert(source, tmp_path / to, to=to, assignment_map=two)
        with ec.open_checkpoint(source) as a, ec.open_checkpoint(new) as b:
            assert b.global_step == a.global_step
            assert len(b) == 2 * len(a) - 1
            for name in set(a) - {"global_step"}:
                copies = [b[f"{scope}/{name}"] for scope in ("online", "frozen")]
                assert len({(i.shard, i.offset, i.num_slices) for i in copies}) == 1
                for copy in copies:
                    assert (a.read(name) == b.read(copy.name)).all()
        assert ec.verify(new).ok

    def test_an_object_based_source_is_laid_out_anew(self, tmp_path):
        source = PREFIXES["digits/model.ckpt-300"]
        tf2 = ec.convert(source, tmp_path / "tf2", to="tf2")
        new = ec.convert(
            tf2, tmp_path / "new", to="tf2", assignment_map={"logits/": "head/"}
        )
        with ec.open_checkpoint(new) as found:
            assert found["head/kernel"].key.startswith("var_list/head.Skernel/")
            assert found.global_step == 300

    def test_a_rule_that_matches_nothing_is_logged(self, tmp_path, caplog):
        source = PREFIXES["digits/model.ckpt-300"]
        ec.convert(source, tmp_path / "c", to="tf1", assignment_map={"x": "y"})
        assert "'x' -> 'y' (rule 1) matches no variable" in caplog.text

    def test_nothing_is_written_over_a_clash(self, tmp_path):
        source = PREFIXES["digits/model.ckpt-300"]
        map_ = {"bn1/beta": "bn2/beta"}
        with pytest.raises(AssignmentMapError, match="'bn1/beta', 'bn2/beta'"):
            ec.convert(source, tmp_path / "c", to="tf1", assignment_map=map_)
        assert not list(tmp_path.iterdir())
