"""What commands print: tables, JSON, and names that cannot do harm."""

import json

import numpy as np
import pytest

from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.cli import output
from tests.cli.command_line import COMMAND, call, shell
from tests.cli.conftest import EVIL


def test_an_encoding_that_cannot_say_a_name_gets_its_escape(tmp_path):
    write_bundle(tmp_path / "model", {"schön/日本": np.float32(1)})
    done = shell(
        f"{COMMAND} inspect {tmp_path}/model", PYTHONIOENCODING="ascii", LC_ALL="C"
    )
    assert done.returncode == 0, done.stderr
    assert r"sch\xf6n/\u65e5\u672c" in done.stdout


def test_json_has_a_number_where_one_is_infinite(capsys):
    content = {"max": float("inf"), "all": [-float("inf"), 1.5], "word": "Infinity"}
    output.print_json(content)
    printed = capsys.readouterr().out
    assert '"max": 1e999,' in printed
    assert " -1e999,\n" in printed
    read = json.loads(printed, parse_constant=lambda word: pytest.fail(word))
    assert read == {"schema": 1, **content}


@pytest.mark.parametrize(
    "command",
    [
        ("inspect", "OLD"),
        ("inspect", "OLD", "--json"),
        ("convert", "OLD", "NEW", "--to=tf2", "--dry_run"),
        ("plan", "OLD", "OTHER"),
        ("plan", "OTHER", "OLD"),
        ("diff", "OLD", "OTHER"),
        ("warm_start", "OLD", "NEW", "--dry_run"),
        ("average", "OLD", "OTHER", "NEW"),
    ],
    ids=" ".join,
)
def test_a_name_cannot_move_the_cursor_nor_begin_a_line(evil, tmp_path, command):
    write_bundle(tmp_path / "other", {"other": np.float32(1)})
    paths = {"OLD": evil, "NEW": tmp_path / "new", "OTHER": tmp_path / "other"}
    done = call(*(paths.get(word, word) for word in command))
    text = done.stdout + done.stderr
    assert r"\x1b[2Jb\u202ec\nd" in text.replace("\\\\", "\\").replace(
        "\\u001b", "\\x1b"
    )
    assert text.replace("\n", "").isprintable()


def test_a_path_cannot_either(tmp_path):
    directory = tmp_path / EVIL
    write_bundle(directory / "model", {"v": np.float32(1)})
    done = call("verify", directory / "model")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert done.stdout.replace("\n", "").isprintable()
    done = call("verify", directory)
    assert done.stderr.count("\n") == 1
    assert done.stderr.replace("\n", "").isprintable()


def test_a_table_is_aligned_text_in_a_pipe(capsys):
    output.print_table(
        ["name", "size"], [("a", "10 B"), ("long", "3 B")], right=["size"]
    )
    assert capsys.readouterr().out == "name  size\na     10 B\nlong   3 B\n"


def test_no_rows_are_no_table(capsys):
    output.print_table(["name"], [])
    assert capsys.readouterr().out == ""


def test_json_says_the_version_of_its_fields_and_prefixes_go_one_a_line(capsys):
    output.print_prefixes(["d/a", "d/b\n"], as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "schema": output.SCHEMA,
        "prefixes": ["d/a", "d/b\n"],
    }
    output.print_prefixes(["d/a", "d/b\n"], as_json=False)
    assert capsys.readouterr().out == "d/a\nd/b\\n\n"
