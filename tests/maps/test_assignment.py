"""Assignment maps: the guide's forms, regexes, files, and what they say when wrong."""

import re

import pytest

import estimator_ckpt as ec
from estimator_ckpt.maps.assignment import BUILTIN, AssignmentMap, AssignmentMapError
from tests.testdata_paths import PREFIXES


def renamed(given, names, **options):
    return dict(AssignmentMap.of(given).rename(names, source="c", **options).targets)


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
            ([("a", "b"), ("a", "c")], "a", "b"),
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

    def test_a_variable_or_its_parts_stand_for_their_name(self):
        class Variable:
            name = "new/v"

        assert renamed({"v": Variable()}, ["v"]) == {"v": "new/v"}

        class Part:
            name = "new/v/part_0:0"

        assert renamed({"v": [Part(), Part()]}, ["v"]) == {"v": "new/v"}
        assert renamed({"v": [Variable()]}, ["v"]) == {"v": "new/v"}

    @pytest.mark.parametrize("target", [3, None, []])
    def test_what_is_no_variable_is_said_so(self, target):
        with pytest.raises(AssignmentMapError, match="is no name, no variable"):
            AssignmentMap.of({"v": target})

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


class TestWhatIsWrong:
    def test_two_variables_with_one_name_are_all_listed(self):
        with pytest.raises(AssignmentMapError) as caught:
            renamed({"a": "x", "b": "x", "c": "d"}, ["a", "b", "c", "d"])
        assert "'d': 'c', 'd'; 'x': 'a', 'b'" in str(caught.value)

    def test_in_a_warm_start_the_renamed_one_wins(self):
        found = AssignmentMap.of({"a": "b"}).rename(
            ["a", "b"], source="c", among_others=True
        )
        assert found.targets == {"a": "b"}
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

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"a/": "b"}, "a scope .* can only become a scope"),
            ({"a": "b/"}, "a scope .* can only become a scope"),
            ({"": "b"}, "not empty"),
            ({re.compile("a"): r"\1"}, "does not fit the groups"),
            ([("a", "b", "c")], "no pair"),
            (3, "is no assignment map"),
            (re.compile("a"), "is no assignment map"),
            ("builtin:nothing", "no built-in map 'nothing'; there are 'rnn_cells'"),
            ("map.txt", "ends in .yaml, .yml or .json"),
        ],
    )
    def test_malformed_maps_are_refused(self, given, message):
        with pytest.raises(AssignmentMapError, match=message):
            AssignmentMap.of(given)


class TestFiles:
    def write(self, tmp_path, text, name="map.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    def test_rules_stand_in_order_with_comments(self, tmp_path):
        path = self.write(
            tmp_path,
            "# the encoder\n"
            "- {from: enc/, to: encoder/}\n"
            "- regex: 'l_(\\d+)/w'\n"
            "  to: 'block_\\1/kernel'\n"
            "- {builtin: rnn_cells}\n",
        )
        names = ["enc/a", "l_3/w", "rnn/gru_cell/gates/weights"]
        assert list(renamed(path, names).values()) == [
            "encoder/a",
            "block_3/kernel",
            "rnn/gru_cell/gates/kernel",
        ]

    def test_json_is_read_too(self, tmp_path):
        path = self.write(tmp_path, '[{"from": "a", "to": "b"}]', "map.json")
        assert renamed(str(path), ["a"]) == {"a": "b"}

    def test_an_empty_file_has_no_rules(self, tmp_path):
        assert not AssignmentMap.of(self.write(tmp_path, "# nothing yet\n"))

    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [
            ("- {from: a, to: b}\n- {from: c}\n", 2, "this one has 'from'"),
            ("- {from: a, to: b}\n\n- {regex: '(', to: b}\n", 3, "no regular expres"),
            ("- {from: a, to: b}\n- {from: ]}\n", 2, "not YAML"),
            ("from: a\nto: b\n", 1, "a map is a list of rules"),
            ("- a\n", 1, "a rule is"),
            ("- {from: [a], to: b}\n", 1, "'from' must be a string"),
            ("- {from: a, from: b, to: c}\n", 1, "'from' stands there twice"),
            ("- {regex: a, to: '\\2'}\n", 1, "does not fit the groups"),
            ("- {builtin: lstm}\n", 1, "no built-in map 'lstm'"),
        ],
    )
    def test_errors_have_the_line(self, tmp_path, text, line, message):
        path = self.write(tmp_path, text)
        with pytest.raises(AssignmentMapError) as caught:
            AssignmentMap.of(path)
        assert str(caught.value).startswith(f"{path}:{line}: ")
        assert message in str(caught.value)

    def test_a_key_that_is_no_string(self, tmp_path):
        path = tmp_path / "m.yaml"
        path.write_text("- {[from]: a, to: b}\n")
        with pytest.raises(AssignmentMapError, match=r"m\.yaml:1: a rule is \{from"):
            AssignmentMap.of(path)

    def test_a_missing_file_is_said_so(self, tmp_path):
        with pytest.raises(ec.CheckpointError, match=r"no\.yaml"):
            AssignmentMap.of(tmp_path / "no.yaml")


class TestBuiltinMaps:
    """Each on a checkpoint of a real TensorFlow 1.15.5."""

    def test_rnn_cells(self, tmp_path):
        source = PREFIXES["rnn-basic-lstm/model.ckpt-3"]
        # What TensorFlow before 1.2 called them; 1.15 can only write the new names.
        old = ec.convert(
            source,
            tmp_path / "old",
            to="tf1",
            assignment_map=[
                (re.compile("(.*basic_lstm_cell)/kernel"), r"\1/weights"),
                (re.compile("(.*basic_lstm_cell)/bias"), r"\1/biases"),
            ],
        )
        assert "rnn/basic_lstm_cell/weights/Adam" in ec.open_checkpoint(old)
        new = ec.convert(
            old, tmp_path / "new", to="tf1", assignment_map="builtin:rnn_cells"
        )
        assert not ec.diff(source, new)

    def test_use_ema(self, tmp_path):
        source = PREFIXES["ema-momentum/model.ckpt-10"]
        new = ec.convert(
            source, tmp_path / "new", to="tf2", assignment_map="builtin:use_ema"
        )
        with ec.open_checkpoint(source) as old, ec.open_checkpoint(new) as found:
            averages = [n for n in old if n.endswith("/ExponentialMovingAverage")]
            assert averages
            assert not any("Average" in name for name in found)
            assert len(found) == len(old) - len(averages)
            for name in averages:
                variable = name.rpartition("/")[0]
                assert (found.read(variable) == old.read(name)).all()
                assert (found.read(variable) != old.read(variable)).any()

    def test_use_ema_goes_on_to_the_other_rules(self):
        names = {
            f"old/w{end}" for end in ("", "/Momentum", "/ExponentialMovingAverage")
        }
        for given in (
            ["builtin:use_ema", {"old/": "new/"}],
            [{"old/": "new/"}, "builtin:use_ema", None],
        ):
            for among_others in (False, True):
                found = AssignmentMap.of(given).rename(
                    names, source="s", among_others=among_others
                )
                assert dict(found.targets) == {
                    "old/w/ExponentialMovingAverage": "new/w",
                    "old/w/Momentum": "new/w/Momentum",
                }
                assert found.replaced == ("old/w",)

    def test_slim(self, tmp_path):
        source = PREFIXES["slim/model.ckpt-3"]
        new = ec.convert(
            source, tmp_path / "new", to="tf1", assignment_map="builtin:slim"
        )
        with ec.open_checkpoint(new) as found:
            assert "SmallNet/Conv/kernel" in found
            assert "SmallNet/Logits/bias/RMSProp_1" in found
            assert "SmallNet/Conv/BatchNorm/moving_mean" in found
            assert not any("weights" in n or "biases" in n for n in found)

    def test_one_rule_that_matches_is_enough(self):
        slim = AssignmentMap.of("builtin:slim")
        assert slim.rename(["a/weights"], source="c").unused == ()
        assert slim.rename(["a/kernel"], source="c").unused == (
            "the map 'builtin:slim' matches no variable of c",
        )

    def test_every_builtin_map_has_a_test(self):
        # canned_estimators: tests/test_planning.py, against the real ones.
        assert set(BUILTIN) == {"rnn_cells", "use_ema", "slim", "canned_estimators"}


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
