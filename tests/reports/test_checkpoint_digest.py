"""The facts of a checkpoint: roles, sizes, keys."""

import estimator_ckpt as ec
from estimator_ckpt.checkpoint.messages import bytes_text
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
