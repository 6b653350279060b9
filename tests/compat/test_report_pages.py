"""Reports in a real browser: nothing fetched, nothing wrong, all by keyboard."""

import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from tests.compat.environments import BROWSER
from tests.reports.pages import HOSTILE
from tests.testdata_paths import TESTDATA

pytestmark = pytest.mark.compat

OLD, NEW = (
    TESTDATA / "digits" / "model.ckpt-100",
    TESTDATA / "digits" / "model.ckpt-300",
)


def chromium():
    """The distribution's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    if not BROWSER.exists():
        pytest.skip("there is no playwright here: bash tools/compat_venvs.sh makes it")
    return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What a browser shows of each report, by the report's name and width."""
    browser, path = chromium(), tmp_path_factory.mktemp("reports")
    hostile = path / "<b>\u202e&amp;" / "model.ckpt-1"
    write_bundle(hostile, {n: np.float32([i]) for i, n in enumerate(HOSTILE)})
    many = path / "many"
    write_bundle(
        many,
        {
            f"a/block_{i}/dense_{i % 7}/{what}": np.zeros(i % 50 + 1, np.int8)
            for i in range(400)
            for what in ("kernel", "kernel/Adam", "bias")
        },
    )
    for step in (0, 1):
        strange = {
            f"{i:03}<&'\">" * 40: np.complex64([i, 1j * step]) for i in range(30)
        }
        strange["words"] = np.array([b"a", b"<b>" * (1 + 99 * step)], object)
        strange.update({f"n{i}": np.float64(step / (i + 7)) for i in range(9)})
        write_bundle(path / f"strange{step}", strange)
    results = {
        "plan": ec.plan(OLD, NEW),
        "problems": ec.plan(TESTDATA / "guide" / "tf1-ckpt", NEW),
        "diff": ec.diff(OLD, NEW),
        "verify": ec.verify(NEW),
        "inspect": ec.open_checkpoint(NEW),
        "hostile": ec.open_checkpoint(hostile),
        "many": ec.open_checkpoint(many),
        "strange": ec.diff(path / "strange0", path / "strange1"),
    }
    pages = []
    for name, result in results.items():
        pages.append(ec.write_report(result, path / f"{name}.html"))
    done = subprocess.run(
        [
            BROWSER,
            pathlib.Path(__file__).with_name("look_at_reports.py"),
            browser,
            *pages,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return {
        (s["file"].removesuffix(".html"), s["width"]): s
        for s in json.loads(done.stdout)
    }


PAGES = ("plan", "problems", "diff", "verify", "inspect", "hostile", "many", "strange")


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("name", PAGES)
class TestEveryPage:
    def test_says_and_fetches_nothing(self, seen, name, width):
        assert seen[name, width]["said"] == []
        assert seen[name, width]["requests"] == []

    def test_no_text_covers_another(self, seen, name, width):
        for what in ("overlaps", "overlaps_open", "overlaps_printed"):
            found = seen[name, width].get(what)
            assert found is None or found["pairs"] == []
        assert seen[name, width]["overlaps"]["texts"] > 10

    def test_is_not_wider_than_the_window(self, seen, name, width):
        assert seen[name, width]["scroll_width"] <= width

    def test_is_light_or_dark_as_the_reader_wants(self, seen, name, width):
        page = seen[name, width]
        ground = [int(n) for n in page["ground"].strip("rgb()").split(",")]
        assert max(ground) < 60 if page["scheme"] == "dark" else min(ground) > 200


@pytest.mark.parametrize("width", [390, 1400])
class TestKeyboard:
    SCOPES = ("(no scope)", "bn1", "bn2", "conv1", "conv2", "logits")

    def test_sorts_by_size_down_up_and_back(self, seen, width):
        keyboard = seen["inspect", width]["keyboard"]
        assert all(keyboard["reached"])
        assert [keyboard[f"{way}_said"] for way in ("down", "up", "again")] == [
            *("descending", "ascending", None)
        ]
        first, down, up = (keyboard[way] for way in ("first", "down", "up"))
        assert tuple(scope for scope, _ in first) == self.SCOPES
        assert [scope for scope, _ in down][:2] == ["logits", "conv2"]
        assert dict(down)["logits"] == [
            f"logits/{name}{slot}"
            for name in ("kernel", "bias")
            for slot in ("", "/Adam", "/Adam_1")
        ]
        assert [scope for scope, _ in up][-1] == "conv2"  # has none that is smaller
        assert keyboard["again"] == first

    def test_folds_a_scope(self, seen, width):
        keyboard = seen["inspect", width]["keyboard"]
        assert keyboard["folded"][0] == ["(no scope)", []]
        assert keyboard["folded"][1:] == keyboard["first"][1:]
        assert keyboard["unfolded"] == keyboard["first"]

    def test_searches(self, seen, width):
        keyboard = seen["inspect", width]["keyboard"]
        found = [name for _, names in keyboard["found"] for name in names]
        assert len(found) == 9
        assert all("kernel" in name for name in found)
        assert keyboard["found_said"] == "9 of 31 rows"

    def test_a_long_table_comes_folded(self, seen, width):
        keyboard = seen["many", width]["keyboard"]
        assert all(names == [] for _, names in keyboard["first"])
        assert len(keyboard["first"]) > 5
