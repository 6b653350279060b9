"""`--report=FILE` of each command: the page; output and exit codes stay."""

import json

import pytest

from tests.cli.command_line import call
from tests.reports.pages import Page
from tests.testdata_paths import TESTDATA

OLD = str(TESTDATA / "digits" / "model.ckpt-100")
NEW = str(TESTDATA / "digits" / "model.ckpt-300")
COMMANDS = {
    "plan": ("plan", OLD, NEW),
    "diff": ("diff", OLD, NEW),
    "inspect": ("inspect", NEW, "--values"),
    "verify": ("verify", NEW),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("name", ["a.html", "a.md"])
def test_output_and_exit_code_stay_as_they_are(command, name, tmp_path):
    before = call(*command)
    done = call(*command, f"--report={tmp_path / name}")
    assert (done.returncode, done.stdout) == (before.returncode, before.stdout)
    assert done.stderr == f"report: {tmp_path / name}\n"
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert f"estimator-ckpt {command[0]}" in text


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_with_json_both_say_the_same(command, tmp_path):
    done = call(*command, "--json", f"--report={tmp_path / 'a.html'}")
    said, page = json.loads(done.stdout), Page((tmp_path / "a.html").read_text())
    if command[0] == "verify":
        assert f"{said['num_tensors']} tensors" in page.text
        return
    rows = said.get("variables", said.get("differences"))
    assert len(page.rows) == len(rows) == 31
    if command[0] == "inspect":
        values = {row["variable"]: row["value"] for row in page.rows}
        assert values == {v["name"]: v["value"] for v in said["variables"]}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_report_that_is_there_is_refused_before_any_work(command, tmp_path):
    path = tmp_path / "a.html"
    path.write_text("mine")
    done = call(*command, f"--report={path}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "already there" in done.stderr
    assert done.stderr.count("\n") == 1
    assert path.read_text() == "mine"
    done = call(*command, f"--report={path}", "--overwrite")
    assert done.returncode == call(*command).returncode
    assert path.read_text().startswith("<!DOCTYPE html>")


def test_another_name_is_one_line(tmp_path):
    done = call("verify", NEW, f"--report={tmp_path / 'a.pdf'}")
    assert done.returncode == 2
    assert "ends in .html or .md" in done.stderr


class TestConvertFor:
    ARGUMENTS = (
        *(NEW, "--trackable=model_fns.digits_keras:trackable"),
        "--assignment_map=configs/digits_keras.yaml",
    )

    @pytest.fixture(autouse=True)
    def _tensorflow(self):
        pytest.importorskip("tensorflow")

    def test_its_dry_run(self, tmp_path):
        path = tmp_path / "a.html"
        source, *others = self.ARGUMENTS
        done = call(
            *("convert_for", source, tmp_path / "new", *others, "--dry_run", "--json"),
            f"--report={path}",
        )
        assert done.returncode == 0, done.stderr
        page, said = Page(path.read_text()), json.loads(done.stdout)
        assert {what: n for what, (_, n) in page.shares.items()} == said["counts"]
        assert not (tmp_path / "new.index").exists()

    def test_the_conversion_itself(self, tmp_path):
        source, *others = self.ARGUMENTS
        path = tmp_path / "a.md"
        new = tmp_path / "new"
        done = call("convert_for", source, new, *others, f"--report={path}")
        assert done.returncode == 0, done.stderr
        assert path.read_text().startswith("# Conversion: ")
        assert f"| written | `{new}` |" in path.read_text()
