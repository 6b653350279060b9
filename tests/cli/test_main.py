"""The commands: data on stdout, exit codes, JSON; bad input is one line."""

import pytest

import estimator_ckpt as ec
from tests.cli.command_line import modules_of, python, run
from tests.testdata_paths import TESTDATA

DIGITS = str(TESTDATA / "digits")


def test_damage_met_by_other_commands_is_exit_code_2(damaged):
    (damaged / "model.ckpt-1.index").write_bytes(b"\x00" * 100)
    for arguments in (("inspect", damaged), ("convert", damaged, "x", "--to=tf1")):
        done = run(*arguments)
        assert done.returncode == 2
        assert "model.ckpt-1.index" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "COMMAND"),
        (("bla",), "invalid choice: 'bla'"),
        (("inspect",), "path"),
        (("inspect", "nowhere"), "nowhere: no such checkpoint"),
        (("inspect", "configs"), "configs: a directory without"),
        (("inspect", "README.md"), "README.md: not a checkpoint"),
        (("inspect", DIGITS, "--include=("), "no regular expression"),
        (("verify", "nowhere"), "nowhere: no such checkpoint"),
        (("diff", DIGITS, "nowhere"), "nowhere: no such checkpoint"),
        (("convert", DIGITS, "x"), "--to"),
        (("convert", DIGITS, "x", "--to=tf3"), "invalid choice: 'tf3'"),
        (("convert", DIGITS, "x", "--to=tf1", "--data=y"), "invalid choice: 'y'"),
        (("convert", "nowhere", "x", "--to=tf1"), "nowhere: no such checkpoint"),
        (("convert", "nowhere", "x", "--to=tf1", "--all"), "nowhere: not a model dir"),
        (("convert", DIGITS, f"{DIGITS}/model.ckpt-100", "--to=tf1"), "already there"),
        (("inspect", "gs://bucket/x"), "remote paths are not supported"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_version_and_help():
    assert run("--version").stdout.strip() == ec.__version__
    helped = run("--help")
    assert helped.returncode == 0
    for command in ("inspect", "convert", "verify", "diff", "train"):
        assert command in helped.stdout


def test_an_interrupt_is_130():
    code = (
        "from estimator_ckpt.cli import main\n"
        "def interrupted(arguments): raise KeyboardInterrupt\n"
        "main._dispatch = interrupted; main.main(['inspect'])"
    )
    done = python(code)
    assert done.returncode == 130
    assert done.stderr.strip() == "estimator-ckpt: error: interrupted"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("import json", []),
        ("import absl", ["freed"]),
        ("sys.setprofile(lambda *_: None)", ["freed"]),
    ],
)
def test_a_process_ends_at_once_unless_something_has_to_end_too(before, said):
    code = (
        f"import atexit, sys; {before}\n"
        "from estimator_ckpt.cli import main\n"
        "atexit.register(print, 'freed')\n"
        f"sys.argv = ['estimator-ckpt', 'inspect', {DIGITS!r}]; main.main()"
    )
    done = python(code)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        *run("inspect", DIGITS).stdout.splitlines(),
        *said,
    ]


#: Modules that take milliseconds to import, and that listing a checkpoint does without.
HEAVY = {
    *("tensorflow", "numpy", "rich", "absl", "yaml", "google.protobuf"),
    *("logging", "shutil", "json", "textwrap"),
    *("tempfile", "difflib", "pathlib", "random", "subprocess", "importlib.metadata"),
}


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", str(TESTDATA / "object-based")],
        ["verify", DIGITS],
        ["convert", str(TESTDATA / "object-based"), "OUT/model", "--to=tf1"],
        ["convert", DIGITS, "OUT/model", "--to=tf2"],
        ["diff", DIGITS, DIGITS],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_loads_what_it_uses(arguments, tmp_path):
    arguments = [a.replace("OUT", str(tmp_path)) for a in arguments]
    assert HEAVY & modules_of(*arguments) == set()


#: What starts late, beside that: a fifth of the time that a small conversion takes.
LATE = {
    *("dataclasses", "inspect"),
    *("estimator_ckpt.maps.map_rules", "estimator_ckpt.checkpoint.paths.state_file"),
    *("estimator_ckpt.bundle.protobuf.graph_schema",),
}


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", f"{DIGITS}/model.ckpt-300"],
        ["convert", f"{DIGITS}/model.ckpt-300", "OUT/model", "--to=dual"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_most_frequent_start_without_what_few_need(arguments, tmp_path):
    arguments = [a.replace("OUT", str(tmp_path)) for a in arguments]
    assert LATE & modules_of(*arguments) == set()


def test_without_a_graph_nothing_that_reads_one_is_loaded():
    late = {f"estimator_ckpt.checkpoint.{name}_graph" for name in ("object", "stored")}
    assert late & modules_of("inspect", f"{DIGITS}/model.ckpt-300") == set()
