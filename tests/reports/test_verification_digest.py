"""The facts of a verification: what is whole, and each damage."""

import shutil

import estimator_ckpt as ec
from tests.reports.pages import NEW, Page, written
from tests.testdata_paths import TESTDATA


def test_whole(tmp_path):
    page = Page(written(ec.verify(NEW), tmp_path / "a.html"))
    assert page.shares == {"whole": (46312, 31)}
    assert "All are as they were written." in page.text


def test_damage_is_a_row(tmp_path):
    shutil.copytree(TESTDATA / "digits", tmp_path / "digits")
    shard = tmp_path / "digits" / "model.ckpt-300.data-00000-of-00001"
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    data[15_600] ^= 1
    shard.write_bytes(data)
    found = ec.verify(tmp_path / "digits")
    page = Page(written(found, tmp_path / "a.html"))
    assert len(found.problems) == len(page.rows) == 2
    for row, problem in zip(page.rows, found.problems):
        assert row["tensor"] == problem.key
        assert row["what is wrong"] == problem.message
        assert row["offset"] == str(problem.offset)
    assert page.rows[0]["offset"] == "15592"  # to be found, not to be rounded
    sizes = sum(problem.size for problem in found.problems)
    assert page.shares["damaged"] == (sizes, 2)
    assert sum(size for size, _ in page.shares.values()) == found.num_bytes
