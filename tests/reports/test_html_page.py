"""HTML: names are text, nothing is fetched, and a page stays small."""

import pathlib
import re

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.reports import checkpoint_digest, html_page, report_file
from tests.reports.pages import NEW, OLD, Page, written


def test_in_html_they_are_text(hostile, tmp_path):
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


def test_the_policy_lets_nothing_be_fetched(hostile, tmp_path):
    html = written(ec.verify(hostile), tmp_path / "a.html")
    policy = re.search(r'Policy" content="([^"]+)"', html)[1]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", policy)
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", html)


def test_the_table_says_what_its_rows_are(tmp_path):
    for result, heading in (
        (ec.plan(OLD, NEW), "Every variable"),
        (ec.diff(OLD, NEW), "Every difference"),
    ):
        assert f"<h2>{heading}</h2>" in written(result, tmp_path / f"{heading}.html")
        assert f"\n## {heading}\n" in written(result, tmp_path / f"{heading}.md")


def luminance(colour):
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [
        x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts
    ]
    return sum(share * x for share, x in zip((0.2126, 0.7152, 0.0722), linear))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(scheme):
    """By 4.5 to 1, as WCAG 2 has it, for those who see less."""
    style = pathlib.Path(html_page.__file__).with_name("page.css").read_text()
    light, dark = style.split("@media screen and (prefers-color-scheme: dark)", 1)
    colours = dict(re.findall(r"--(\w+): (#\w{6})", light))
    if scheme == "dark":
        ends = dark.index("}")  # of its colours; those of paper come later
        colours.update(re.findall(r"--(\w+): (#\w{6})", dark[:ends]))
    for ground in ("ground", "card", "stripe"):
        for words in ("ink", "soft", "good", "doubt", "bad"):
            dim, bright = sorted(luminance(colours[c]) for c in (ground, words))
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (ground, words)


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

    def test_so_do_those_of_long_names_in_as_many_layers(self, tmp_path):
        scope = "model/a_mixture_of_experts_with_a_long_name/decoder_block"
        for step in (0, 1):
            names = (
                f"{scope}_{i // 10}/expert_{i % 10}/feed_forward_network/dense_layer/w"
                for i in range(self.VARIABLES)
            )
            write_bundle(
                tmp_path / f"{step}",
                {name: np.float32([i, 2 + i * step]) for i, name in enumerate(names)},
            )
        diff = ec.diff(tmp_path / "0", tmp_path / "1")
        assert len(diff.layers) == self.VARIABLES
        for name in ("a.html", "a.md"):
            page = written(diff, tmp_path / name)
            assert len(page) < 300_000, name
            assert "of 1000 layers that differ most" in page
            # Few of the layers, and the largest of all among them.
            assert f"{scope}_99/expert_9" in page

    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
    def test_so_do_values_of_long_names(self, dtype, tmp_path):
        names = [f"{'a_long_scope/' * 10}block_{i:04d}/w{'_' * 9}" for i in range(1000)]
        values = {name: np.arange(1, 5).astype(dtype) / 7 for name in names}
        write_bundle(tmp_path / "m", values)
        with ec.open_checkpoint(tmp_path / "m") as checkpoint:
            said = {name: ", ".join(map(str, values[name])) for name in names}
            digest = checkpoint_digest.of(checkpoint, values=said)
        for name in ("a.html", "a.md"):
            report_file.put(digest, tmp_path / name)
            assert (tmp_path / name).stat().st_size < 300_000
        rows = Page((tmp_path / "a.html").read_text()).rows
        assert [row["variable"] for row in rows] == names  # whole; values go first
        kept, mark, _ = rows[0]["value"].partition(", \u2026")
        assert bool(mark) == (dtype != np.float32)
        whole = said[names[0]].split(", ")
        assert kept.split(", ") == whole[: len(kept.split(", "))]  # none is halved

    def test_so_do_names_of_markup_in_another_script(self, tmp_path):
        names = [f"{i:04d}/<&'{chr(0x645) * 140}\u202e" for i in range(1000)]
        for step in (0, 1):
            made = {name: np.float32([1, step]) for name in names}
            write_bundle(tmp_path / f"{step}", made)
        diff = ec.diff(tmp_path / "0", tmp_path / "1")
        for name in ("a.html", "a.md"):
            ec.write_report(diff, tmp_path / name)
            assert (tmp_path / name).stat().st_size < 300_000
        page = Page((tmp_path / "a.html").read_text())
        assert len(page.rows) == 1000
        assert "and texts of more than 64 characters are not whole here" in page.text

    @pytest.mark.parametrize("unit", ["<&'\">", "\u202e"])
    def test_so_do_names_of_nothing_but_markup(self, unit, tmp_path):
        names = [f"{i:04d}{unit * 300}"[:300] for i in range(1000)]
        for step in (0, 1):
            made = {name: np.float32([1, i * step]) for i, name in enumerate(names)}
            write_bundle(tmp_path / f"{step}", made)
        for name in ("a.html", "a.md"):
            for call in (ec.diff, ec.plan):
                result = call(tmp_path / "0", tmp_path / "1")
                ec.write_report(result, tmp_path / name, overwrite=True)
                assert (tmp_path / name).stat().st_size < 300_000, (call, name)

    def test_so_do_renamed_ones(self, tmp_path):
        for scope in "ab":
            names = [f"{scope}/{i:04d}{'&' * 290}" for i in range(1000)]
            values = {name: np.float32([i, 1]) for i, name in enumerate(names)}
            write_bundle(tmp_path / scope, values)
        for result in (
            ec.diff(tmp_path / "a", tmp_path / "b"),
            ec.plan(tmp_path / "a", tmp_path / "b", assignment_map={"a/": "b/"}),
        ):
            for name in ("a.html", "a.md"):
                page = written(result, tmp_path / name, overwrite=True)
                assert len(page.encode()) < 300_000, (result, name)

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
