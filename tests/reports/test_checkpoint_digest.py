"""The facts of a checkpoint: roles, sizes, keys."""

import pathlib

import estimator_ckpt as ec
from estimator_ckpt.checkpoint.messages import bytes_text
from estimator_ckpt.reports import checkpoint_digest, report_file
from tests.reports.pages import NEW, Page, written


def test_roles_and_sizes_are_those_of_the_checkpoint(tmp_path):
    with ec.open_checkpoint(NEW) as checkpoint:
        page = Page(written(checkpoint, tmp_path / "a.html"))
        assert len(page.rows) == len(checkpoint)
        for row in page.rows:
            info = checkpoint[row["variable"]]
            assert row["size"] == bytes_text(info.size)
            assert row["role"] == str(info.role).replace("_", " ")
    assert page.shares["slot"][1] == 16
    assert "at global step 300: 31 variables, 46.3 kB, in 1 shard." in page.text


def test_keys_of_objects_are_shown_without_their_end(tmp_path):
    new = ec.convert(NEW, tmp_path / "new", to="tf2")
    with ec.open_checkpoint(new) as checkpoint:
        page = Page(written(checkpoint, tmp_path / "a.html"))
        keys = {row["variable"]: row[page.heads[-1]] for row in page.rows}
        end = page.heads[-1].removeprefix("key, less ")
        assert {n: v.key for n, v in checkpoint.items()} == {
            name: f"{key}{end}" for name, key in keys.items()
        }


def test_what_says_so_is_told_where_it_is_asked_for(tmp_path):
    with ec.open_checkpoint(NEW) as checkpoint:
        facts = checkpoint_digest.of(checkpoint, with_evidence=True)
        path = report_file.put(facts, tmp_path / "a.html")
        page = Page(pathlib.Path(path).read_text(encoding="utf-8"))
        for row in page.rows:
            said = checkpoint.roles[row["variable"]]
            assert row["evidence"] == said.evidence
            assert row["optimizer"] == (said.optimizer or "")
    assert page.heads[-2:] == ["optimizer", "evidence"]
