"""warm_start: a model dir that begins at step 0, and dry runs that write nothing."""

import json

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from tests.cli.command_line import expect as run
from tests.cli.command_line import files_in
from tests.testdata_paths import PREFIXES, TESTDATA

DIGITS = str(PREFIXES["digits/model.ckpt-300"])


class TestWarmStart:
    def test_a_model_dir_is_made(self, tmp_path, rules):
        done = run(
            "warm_start",
            DIGITS,
            tmp_path / "dir",
            f"--assignment_map={rules}",
            "--json",
        )
        (prefix,) = json.loads(done.stdout)["prefixes"]
        with ec.open_checkpoint(tmp_path / "dir") as checkpoint:
            assert checkpoint.prefix == prefix
            assert "head/kernel" in checkpoint
            assert checkpoint.global_step == 0

    def test_a_dry_run_writes_nothing(self, tmp_path):
        before = files_in(tmp_path)
        done = run("warm_start", DIGITS, tmp_path / "dir", "--dry_run")
        assert "30 carried, 1 reset" in done.stdout
        assert files_in(tmp_path) == before

    @pytest.mark.parametrize("more", [(), ("--overwrite",), ("--dry_run",)])
    @pytest.mark.parametrize("source", [DIGITS, TESTDATA / "v1-format" / "single"])
    def test_a_file_is_no_destination(self, tmp_path, source, more):
        (tmp_path / "file").touch()
        for below in ("", "/dir"):
            done = run("warm_start", source, f"{tmp_path}/file{below}", *more, code=2)
            assert f"{tmp_path}/file: is a file, where" in done.stderr
        assert files_in(tmp_path) == [str(tmp_path / "file")]

    @pytest.mark.parametrize("more", [(), ("--overwrite",), ("--dry_run",)])
    def test_an_empty_destination_is_not_the_current_directory(self, tmp_path, more):
        done = run("warm_start", DIGITS, "", *more, cwd=tmp_path, code=2)
        assert "the destination's path is empty" in done.stderr
        assert not list(tmp_path.iterdir())

    def test_a_dry_run_refuses_what_would_be_refused(self, tmp_path):
        (tmp_path / "file").touch()
        ec.warm_start_model_dir(DIGITS, tmp_path / "dir")
        first = tmp_path / "dir" / "model.ckpt-0"
        for arguments, message in (
            (("warm_start", DIGITS, tmp_path / "dir"), "has checkpoints already"),
            (("warm_start", DIGITS, tmp_path / "n", "--include=none"), "none of its"),
            (
                ("warm_start", DIGITS, tmp_path / "n", "--exclude=none", "--strict"),
                "'none' matches no variable (strict)",
            ),
            (("convert", DIGITS, first, "--to=tf2"), "already there"),
            (("convert", DIGITS, tmp_path / "file/n", "--to=tf2"), "file: is a file,"),
        ):
            done = run(*arguments, "--dry_run", code=2)
            assert message in " ".join(done.stderr.split())
        run("convert", DIGITS, first, "--to=tf2", "--overwrite", "--dry_run")

    @pytest.mark.parametrize(("length", "code"), [(32, 0), (24, 0), (23, 2), (0, 2)])
    def test_a_dry_run_needs_the_bytes_that_the_run_needs(self, tmp_path, length, code):
        """The old step's eight, which come last, are not carried."""
        source = tmp_path / "old" / "model.ckpt-5"
        kernel = np.ones((2, 3), np.float32)
        write_bundle(source, {"a/kernel": kernel, "global_step": np.int64(5)})
        shard = tmp_path / "old" / "model.ckpt-5.data-00000-of-00001"
        shard.write_bytes(shard.read_bytes()[:length])
        arguments = ("warm_start", source, tmp_path / "new")
        dry = run(*arguments, "--dry_run", code=code)
        assert not (tmp_path / "new").exists()
        assert run(*arguments, code=code).stderr == dry.stderr
        if code == 0:
            with ec.open_checkpoint(tmp_path / "new") as checkpoint:
                np.testing.assert_array_equal(checkpoint.read("a/kernel"), kernel)
