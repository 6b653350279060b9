"""Code in the docs runs: each file's blocks in one directory, in order."""

import contextlib
import io
import os
import pathlib
import re
import shlex
import sys

import pytest

import estimator_ckpt as ec
from estimator_ckpt.cli import main
from tests import processes
from tests.conftest import REPOSITORY

ROOT = pathlib.Path(REPOSITORY)
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path, language):
    text = path.read_text(encoding="utf-8")
    return [
        body
        for block_language, body in BLOCK.findall(text)
        if block_language == language
    ]


@pytest.fixture
def workplace(tmp_path):
    """A directory that looks like the repository's root and can be written to."""
    for name in ("tests", "model_fns", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def environment(decides=False):
    """Of a page's Python, or of commands, which decide on a Keras themselves."""
    added = {"PYTHONPATH": REPOSITORY, "TF_USE_LEGACY_KERAS": ""}
    if not decides and sys.version_info >= (3, 12):  # TensorFlow 2.21
        added["TF_USE_LEGACY_KERAS"] = "1"  # the pages' models are tf-keras's
    return {**os.environ, **added}


def run(arguments, cwd):
    done = processes.run(
        arguments, cwd=cwd, env=environment(decides=arguments[0] == "-m")
    )
    assert done.returncode in (0, 1), f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.mark.parametrize(
    "path", [d for d in DOCS if blocks(d, "python")], ids=lambda p: p.name
)
def test_python_blocks_run(path, workplace):
    code = "\n".join(blocks(path, "python"))
    done = run(["-c", code], workplace)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "path", [d for d in DOCS if blocks(d, "sh")], ids=lambda p: p.name
)
def test_commands_run(path, workplace):
    commands = "\n".join(blocks(path, "sh")).replace("\\\n", " ").splitlines()
    for command in commands:
        program, *arguments = shlex.split(command, comments=True) or [None]
        if program is None:
            continue
        assert program == "estimator-ckpt", command
        if arguments[0] == "train":
            arguments.append(f"--model_dir={workplace / 'job'}")
        done = run(["-m", "estimator_ckpt", *arguments], workplace)
        # They say with 1 that something differs, or is missing until the map is used.
        may_differ = arguments[0] == "diff" or "--suggest" in command
        assert done.returncode == 0 or may_differ, done.stderr


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_links_to_files_lead_somewhere(path):
    prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose):
        assert (path.parent / target).exists(), target


def test_contributing_names_files_that_there_are():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*/(?:[a-z_]+\.py)?)`", text)
    assert len(named) > 30
    package = ROOT / "estimator_ckpt"
    for path in named:
        # From the root, the package, or (in the table of rooms) its folder.
        there = [ROOT / path, package / path, *package.rglob(path)]
        assert any(place.exists() for place in there), path


def spans(path):
    """What stands between backticks in a file's prose and tables."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", text)


@pytest.fixture(scope="module")
def helps():
    """What each command says for --help."""
    found = {}
    for name in main.COMMANDS:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            main.run([name, "--help"])
        found[name] = out.getvalue()
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_commands_that_are_named_have_the_flags_that_are_named(path, helps):
    for span in spans(path):
        name = span.removeprefix("estimator-ckpt ").split(" ")[0]
        if name in helps and " " in span:
            for flag in re.findall(r" (--[a-z_]+)", span):
                assert flag in helps[name], span


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_public_names_that_are_named_are_there(path):
    for span in spans(path):
        for name in re.findall(r"\bec\.(\w+)", span):
            assert name in ec.__all__, span
