"""`write_report`: a page has the facts of `--json`, and obeys nothing in them."""

import json
import re
import shutil

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import DestinationExistsError
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint.messages import bytes_text
from estimator_ckpt.reports import provenance
from estimator_ckpt.reports.report_file import ReportError, digest_of, put
from tests.reports.pages import Page
from tests.testdata_paths import TESTDATA

OLD, NEW = (
    TESTDATA / "digits" / "model.ckpt-100",
    TESTDATA / "digits" / "model.ckpt-300",
)
#: Names that somebody might write, and what of them must never be markup.
HOSTILE = (
    "<script>alert(1)</script>/kernel",
    "a\"onmouseover='x'/b",
    "`code` | cell | [link](http://evil) <b>",
    "![image](http://evil/x.png)",
    "up\u202egnp.exe/bell\x07\x1b[31m",
    "&lt;b&gt;/*emphasis*/_under_",
    "www.evil.com/new\nline",
    "long/" + "x" * 20_000,
)


def written(result, path, **given):
    return (
        path.read_text(encoding="utf-8")
        if ec.write_report(result, path, **given)
        else None
    )


@pytest.fixture
def hostile(tmp_path):
    prefix = tmp_path / "<img src=x>" / "model.ckpt-1"
    write_bundle(prefix, {n: np.float32([i]) for i, n in enumerate(HOSTILE)})
    return prefix


class TestPlan:
    PLAN = staticmethod(lambda: ec.plan(OLD, NEW, carry="model", exclude="logits"))

    def test_rows_are_those_of_the_plan(self, tmp_path):
        plan = self.PLAN()
        page = Page(written(plan, tmp_path / "a.html"))
        found = {row["variable"]: row for row in page.rows}
        variables = plan.to_json()["variables"]
        assert len(page.rows) == len(variables) == 31
        for said in variables:
            row = found[said["target"]["name"]]
            assert row["verdict"] == said["verdict"]
            assert row["size"] == bytes_text(said["target"]["size"])
            shape = list(said["target"]["shape"])
            assert row["shape"] == f"{said['target']['dtype']}{shape}"

    def test_shares_are_the_sums_of_the_plan(self, tmp_path):
        plan = self.PLAN()
        shares = Page(written(plan, tmp_path / "a.html")).shares
        assert {what: n for what, (_, n) in shares.items()} == plan.to_json()["counts"]
        for what, (size, _) in shares.items():
            variables = plan.to_json()["variables"]
            found = [v["target"]["size"] for v in variables if v["verdict"] == what]
            assert size == sum(found)

    def test_slots_stand_under_their_variable(self, tmp_path):
        page = Page(written(self.PLAN(), tmp_path / "a.html"))
        names = [row["variable"] for row in page.rows]
        at = names.index("conv1/kernel")
        assert names[at + 1 : at + 3] == ["conv1/kernel/Adam", "conv1/kernel/Adam_1"]
        assert "conv1/kernel/Adam" in page.under
        assert "conv1/kernel" not in page.under

    def test_three_sentences_say_it(self, tmp_path):
        text = Page(written(self.PLAN(), tmp_path / "a.html")).text
        assert "10 of the target's 31 variables get a value from the source" in text
        assert "Nothing is missing" in text
        assert "21 variables start at the initial value" in text

    def test_problems_come_with_their_reason(self, tmp_path):
        plan = ec.plan(TESTDATA / "guide" / "tf1-ckpt", NEW)
        page = Page(written(plan, tmp_path / "a.html"))
        assert "31 problems" in page.text
        reasons = [row["because"] for row in page.rows]
        assert reasons.count("no such variable") == 31
        markdown = written(plan, tmp_path / "a.md")
        assert markdown.count("no such variable") == 31

    def test_what_a_column_says_no_other_says_again(self, tmp_path):
        rules = {"conv1/": "stem/", "logits/": "head/"}
        new = ec.convert(OLD, tmp_path / "new", to="tf1", assignment_map=rules)
        page = Page(
            written(ec.plan(OLD, new, assignment_map=rules), tmp_path / "a.html")
        )
        assert "because" not in page.heads
        rows = {row["variable"]: row["from"] for row in page.rows}
        assert rows["stem/kernel"] == "conv1/kernel"
        assert rows["bn1/beta"] == ""
        cast = ec.plan(OLD, new, assignment_map=rules, cast=True)
        assert (
            "22 under their own names and 9 renamed"
            in Page(written(cast, tmp_path / "b.html")).text
        )

    def test_what_matches_nothing_is_a_note(self, tmp_path):
        plan = ec.plan(OLD, NEW, exclude="nothing_such")
        for name in ("a.html", "a.md"):
            assert "matches no variable" in written(plan, tmp_path / name)


class TestDiff:
    def test_numbers_are_those_of_the_diff(self, tmp_path):
        found = ec.diff(OLD, NEW)
        page = Page(written(found, tmp_path / "a.html"))
        rows = {row["variable"]: row for row in page.rows}
        for difference in found.to_json()["differences"]:
            row = rows[difference["name"]]
            assert row["mean abs"] == f"{difference['mean_abs']:.4g}"
            assert row["max abs"] == f"{difference['max_abs']:.4g}"
        assert page.shares["value"] == (sum(d.size for d in found.differences), 31)

    def test_layers_are_in_the_order_of_the_graph(self, tmp_path):
        found = ec.diff(OLD, NEW)
        page = Page(written(found, tmp_path / "a.html"))
        names = [row[0] for row in page.layers[1:]]
        assert names == ["conv1", "bn1", "conv2", "bn2", "logits"]
        for row, layer in zip(page.layers[1:], found.layers):
            assert row[-2:] == [f"{layer.mean_abs:.4g}", f"{layer.max_abs:.4g}"]

    def test_twelve_tensors_have_histograms(self, tmp_path):
        found = ec.diff(OLD, NEW)
        page = Page(written(found, tmp_path / "a.html"))
        assert page.histograms == [h.name for h in found.histograms]
        assert len(page.histograms) == 12

    def test_no_difference_is_said(self, tmp_path):
        text = Page(written(ec.diff(NEW, NEW), tmp_path / "a.html")).text
        assert "31 variables are equal (46.3 kB); none differs." in text
        assert "No number differs." in text


class TestCheckpoint:
    def test_roles_and_sizes_are_those_of_the_checkpoint(self, tmp_path):
        with ec.open_checkpoint(NEW) as checkpoint:
            page = Page(written(checkpoint, tmp_path / "a.html"))
            assert len(page.rows) == len(checkpoint)
            for row in page.rows:
                info = checkpoint[row["variable"]]
                assert row["size"] == bytes_text(info.size)
                assert row["role"] == str(info.role).replace("_", " ")
        assert page.shares["slot"][1] == 16
        assert "at global step 300: 31 variables, 46.3 kB, in 1 shard." in page.text

    def test_keys_of_objects_are_shown_without_their_end(self, tmp_path):
        new = ec.convert(NEW, tmp_path / "new", to="tf2")
        with ec.open_checkpoint(new) as checkpoint:
            page = Page(written(checkpoint, tmp_path / "a.html"))
            keys = {row["variable"]: row[page.heads[-1]] for row in page.rows}
            end = page.heads[-1].removeprefix("key, less ")
            assert {n: v.key for n, v in checkpoint.items()} == {
                name: f"{key}{end}" for name, key in keys.items()
            }


class TestVerification:
    def test_whole(self, tmp_path):
        page = Page(written(ec.verify(NEW), tmp_path / "a.html"))
        assert page.shares == {"whole": (46312, 31)}
        assert "All are as they were written." in page.text

    def test_damage_is_a_row(self, tmp_path):
        shutil.copytree(TESTDATA / "digits", tmp_path / "digits")
        shard = tmp_path / "digits" / "model.ckpt-300.data-00000-of-00001"
        data = bytearray(shard.read_bytes())
        data[-1] ^= 1
        shard.write_bytes(data)
        found = ec.verify(tmp_path / "digits")
        page = Page(written(found, tmp_path / "a.html"))
        (problem,) = found.problems
        assert page.rows[0]["tensor"] == problem.key
        assert page.rows[0]["what is wrong"] == problem.message
        assert page.shares["damaged"] == (problem.size, 1)
        assert sum(size for size, _ in page.shares.values()) == found.num_bytes


class TestWhatWasRun:
    def test_fingerprints_are_of_the_indexes(self, tmp_path):
        import hashlib

        digest = hashlib.sha256(OLD.with_suffix(".ckpt-100.index").read_bytes())
        for name in ("a.html", "a.md"):
            page = written(ec.plan(OLD, NEW), tmp_path / name)
            assert digest.hexdigest() in page
            assert ec.__version__ in page

    def test_the_command_is_there(self, tmp_path):
        path = tmp_path / "a.html"
        put(digest_of(ec.verify(NEW)), path, command="estimator-ckpt verify '<x>'")
        assert "estimator-ckpt verify '<x>'" in Page(path.read_text()).text

    def test_what_is_no_file_has_none(self):
        (mark,) = provenance.gather([("target", "model_fn")]).fingerprints
        assert mark.sha256 == "not taken: no local file"


class TestHostileNames:
    def test_in_html_they_are_text(self, hostile, tmp_path):
        with ec.open_checkpoint(hostile) as checkpoint:
            html = written(checkpoint, tmp_path / "a.html")
        page = Page(html)
        assert page.elements["script"] == 1
        assert not {"img", "a"} & set(page.elements)
        assert page.elements["b"] == len(page.shares)
        assert not [name for name, _ in page.attributes if name.startswith("on")]
        names = [row["variable"] for row in page.rows]
        assert "<script>alert(1)</script>/kernel" in names
        assert "up\\u202egnp.exe/bell\\x07\\x1b[31m" in names
        assert all(c.isprintable() or c == "\n" for c in html)
        assert any("characters)" in name and len(name) < 500 for name in names)

    def test_in_markdown_they_are_code_or_character_numbers(self, hostile, tmp_path):
        with ec.open_checkpoint(hostile) as checkpoint:
            text = written(checkpoint, tmp_path / "a.md")
        assert "<script>alert(1)</script>/kernel" not in re.sub(r"`[^`\n]*`", "", text)
        assert "[link](http" not in re.sub(r"`[^`\n]*`", "", text)
        assert all(c.isprintable() or c == "\n" for c in text)
        tables = [line for line in text.splitlines() if line.startswith("|")]
        # No name adds a cell to its row: rows have as many as the head above them.
        cells = {line.count("|") for line in tables if "trainable" in line}
        assert len(cells) <= 2, cells

    def test_in_markdown_so_are_those_of_scopes(self, tmp_path):
        names = [f"{name}{i}" for name in HOSTILE for i in range(9)]
        write_bundle(tmp_path / "m", {name: np.float32([0]) for name in names})
        with ec.open_checkpoint(tmp_path / "m") as checkpoint:
            text = written(checkpoint, tmp_path / "a.md")
        assert "<summary>&#60;script&#62;alert(1)&#60;/script&#62; (9, " in text
        tags = set(re.findall(r"</?(\w*)", re.sub(r"`[^`\n]*`", "", text)))
        assert tags == {"details", "summary", "code"}

    def test_the_policy_lets_nothing_be_fetched(self, hostile, tmp_path):
        html = written(ec.verify(hostile), tmp_path / "a.html")
        policy = re.search(r'Policy" content="([^"]+)"', html)[1]
        assert "default-src 'none'" in policy
        assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", policy)
        assert not re.search(r"(src|href)=[\"']?(https?:)?//", html)


class TestSize:
    VARIABLES = 1_000

    @pytest.fixture(scope="class")
    def large(self, tmp_path_factory):
        """A BERT of 1,000 variables with Adam's slots, twice; all of it differs."""
        path, made = tmp_path_factory.mktemp("large"), []
        for step in (0, 1):
            tensors = {}
            for i in range(self.VARIABLES // 3):
                layer = f"tower/bert/encoder/layer_{i // 16}"
                name = f"{layer}/attention/output/dense_{i % 16}"
                for slot in ("/kernel", "/kernel/adam_m", "/kernel/adam_v"):
                    tensors[name + slot] = np.arange(12, dtype=np.float32) + step * i
            tensors["global_step"] = np.int64(step)
            made.append(path / f"model.ckpt-{step}")
            write_bundle(made[-1], tensors)
        return made

    def test_a_thousand_variables_take_less_than_300_kB(self, large, tmp_path):
        results = [ec.diff(*large), ec.plan(*large), ec.verify(large[0])]
        for result in results:
            for name in ("a.html", "a.md"):
                ec.write_report(result, tmp_path / name, overwrite=True)
                assert (tmp_path / name).stat().st_size < 300_000, (result, name)
        with ec.open_checkpoint(
            ec.convert(large[0], tmp_path / "new", to="tf2")
        ) as checkpoint:
            assert len(checkpoint) == self.VARIABLES
            assert len(written(checkpoint, tmp_path / "b.html")) < 300_000

    def test_so_do_the_2000_rows_of_two_that_have_nothing_in_common(self, tmp_path):
        for what in ("the_encoder_of_a_model", "another_with_names_as_long"):
            names = [
                f"{what}/layer_{i // 9}/attention/weights_{i}" for i in range(1000)
            ]
            write_bundle(tmp_path / what, {n: np.float32([1, 2]) for n in names})
        plan = ec.plan(
            tmp_path / "the_encoder_of_a_model", tmp_path / "another_with_names_as_long"
        )
        text = written(plan, tmp_path / "a.html")
        markdown = written(plan, tmp_path / "a.md")
        page = Page(text)
        assert len(page.rows) == 2_000
        assert max(len(text), len(markdown)) < 260_000
        # The reason that all of a verdict have is said once.
        assert {item.because for item in plan.items} == {
            "no such variable",
            "not in the target",
        }
        assert "missing 8.0 kB in 1,000: no such variable" in page.text
        assert "unused 8.0 kB in 1,000: not in the target" in page.text
        assert "| missing, no such variable | 1000 | 8.0 kB |" in markdown

    def test_of_too_many_rows_the_page_says_which_it_has(self, tmp_path):
        tensors = {f"layer_{i}/w": np.zeros(1 + i % 7, np.int8) for i in range(6_000)}
        write_bundle(tmp_path / "m", tensors)
        with ec.open_checkpoint(tmp_path / "m") as checkpoint:
            html = written(checkpoint, tmp_path / "a.html")
        assert "5,000 of 6,000 rows" in html
        page = Page(html)
        assert len(page.rows) == 5_000
        assert sum(n for _, n in page.shares.values()) == 6_000
        assert len(html) < 1_000_000


class TestTheFile:
    RESULT = staticmethod(lambda: ec.verify(NEW))

    def test_one_that_is_there_is_not_replaced(self, tmp_path):
        path = tmp_path / "a.html"
        path.write_text("mine")
        with pytest.raises(DestinationExistsError, match=r"a\.html: already there"):
            ec.write_report(self.RESULT(), path)
        assert path.read_text() == "mine"
        ec.write_report(self.RESULT(), path, overwrite=True)
        assert path.read_text().startswith("<!DOCTYPE html>")
        assert [p.name for p in tmp_path.iterdir()] == ["a.html"]

    @pytest.mark.parametrize(
        "name", ["a.txt", "a", "html", "a.html/", "no/such/a.html"]
    )
    def test_a_name_that_is_none_for_a_report(self, tmp_path, name):
        with pytest.raises(ReportError, match="report"):
            ec.write_report(self.RESULT(), f"{tmp_path}/{name}")
        assert not list(tmp_path.iterdir())

    def test_of_what_there_is_no_report(self, tmp_path):
        with pytest.raises(TypeError, match="not of a dict"):
            ec.write_report({}, tmp_path / "a.html")

    def test_a_plan_without_variables(self, tmp_path):
        write_bundle(tmp_path / "m", {})
        page = Page(
            written(ec.plan(tmp_path / "m", tmp_path / "m"), tmp_path / "a.html")
        )
        assert page.rows == []
        assert json.dumps(page.shares) == "{}"
