"""convert: prefixes, keys, whole model dirs, and dry runs that write nothing."""

import json

import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from tests.cli.command_line import call, expect, files_in, run
from tests.testdata_paths import PREFIXES, TESTDATA, V1_PREFIXES

DIGITS = str(TESTDATA / "digits")


class TestConvert:
    def test_the_new_prefix_is_printed(self, tmp_path):
        done = run("convert", DIGITS, f"{tmp_path}/new/", "--to=dual")
        assert done.returncode == 0
        assert done.stdout.strip() == f"{tmp_path}/new/model.ckpt-300"
        assert ec.open_checkpoint(done.stdout.strip()).format == "dual"

    def test_all_is_the_whole_model_dir(self, tmp_path):
        done = run("convert", DIGITS, tmp_path / "new", "--to=tf2", "--all")
        assert len(done.stdout.splitlines()) == 3
        assert ec.open_checkpoint(tmp_path / "new").global_step == 300

    def test_a_dry_run_shows_every_key_and_writes_nothing(self, tmp_path):
        done = run("convert", DIGITS, tmp_path / "new", "--to=tf2", "--dry_run")
        assert done.returncode == 0
        pairs = [line.split() for line in done.stdout.splitlines()[1:]]
        moved = dict(pair for pair in pairs if pair[0] != "(new)")
        assert moved["conv1/kernel"] == (
            "var_list/conv1.Skernel/.ATTRIBUTES/VARIABLE_VALUE"
        )
        assert list(tmp_path.iterdir()) == []

    def test_a_dry_run_is_what_is_done(self, tmp_path):
        arguments = ("--to=dual", "--exclude=.*Adam", "--nostep")
        planned = run(
            "convert", DIGITS, tmp_path / "n", *arguments, "--dry_run", "--json"
        )
        keys = {pair["new"] for pair in json.loads(planned.stdout)["keys"]} - {None}
        run("convert", DIGITS, tmp_path / "n", *arguments)
        records = ec.open_checkpoint(tmp_path / "n").index.records
        assert keys == {key.decode() for key in records}

    def test_no_space_left_is_one_line(self, tmp_path):
        done = run("convert", DIGITS, "/dev/full/x", "--to=tf2")
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_a_checkpoint_without_variables_is_inspected_and_converted(tmp_path):
    write_bundle(tmp_path / "old", {})
    assert "0 variables, 0 B" in call("inspect", tmp_path / "old").stdout
    for to in ("tf2", "dual", "tf1"):
        done = call("convert", tmp_path / "old", tmp_path / to, f"--to={to}")
        assert done.returncode == 0, done.stderr
        assert "0 variables" in call("inspect", tmp_path / to).stdout


class TestMoreDryRuns:
    def test_convert_with_a_map(self, tmp_path, rules):
        before = files_in(tmp_path)
        done = expect(
            "convert",
            DIGITS,
            tmp_path / "new",
            "--to=tf1",
            f"--assignment_map={rules}",
            "--dry_run",
        )
        assert "head/kernel/Adam_1" in done.stdout
        assert files_in(tmp_path) == before

    @pytest.mark.parametrize("name", V1_PREFIXES)
    def test_convert_a_source_of_the_v1_format(self, tmp_path, name):
        arguments = "convert", V1_PREFIXES[name], tmp_path / "new", "--to=dual"
        done = expect(*arguments, "--dry_run", "--json")
        keys = {pair["new"] for pair in json.loads(done.stdout)["keys"]}
        assert files_in(tmp_path) == []
        expect(*arguments)
        with ec.open_checkpoint(tmp_path / "new") as checkpoint:
            assert keys == {key.decode() for key in checkpoint.index.records}
        done = expect(*arguments, "--dry_run", code=2)
        assert "new.index: already there" in done.stderr

    def test_convert_all(self, tmp_path):
        source = PREFIXES["ema-momentum/model.ckpt-10"].parent
        done = expect(
            "convert", source, tmp_path / "new", "--to=tf2", "--all", "--dry_run"
        )
        prefixes = ec.convert_model_dir(source, tmp_path / "done", to="tf2")
        headings = [line for line in done.stdout.splitlines() if line.endswith(":")]
        assert len(headings) == len(prefixes)
        assert not (tmp_path / "new").exists()

    def test_convert_all_refuses_what_would_be_refused(self, tmp_path):
        source = TESTDATA / "digits"
        ec.convert(f"{source}/model.ckpt-200", f"{tmp_path}/new/", to="tf2")
        ec.convert_model_dir(source, tmp_path / "old", to="tf2")
        (tmp_path / "file").touch()
        before = files_in(tmp_path)
        for destination, message in (
            ("new", "new/model.ckpt-200.index: already there"),
            ("old", "the same model dir"),
            ("file", "file: is a file, where a directory is needed"),
        ):
            arguments = "convert", tmp_path / "old", tmp_path / destination, "--to=tf2"
            for more in ((), ("--dry_run",)):
                done = expect(*arguments, "--all", *more, code=2)
                assert message in done.stderr
                assert done.stdout == ""
        assert files_in(tmp_path) == before
        arguments = "convert", tmp_path / "old", tmp_path / "new", "--to=tf2", "--all"
        expect(*arguments, "--overwrite", "--dry_run")
