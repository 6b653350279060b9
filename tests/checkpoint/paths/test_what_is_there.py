"""A path that is no checkpoint's is named for what it is."""

import pytest

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint.paths import what_is_there


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("w.h5", b"\x89HDF\r\n", "an HDF5 file"),
        ("m.keras", b"PK\x03\x04x", "a zip file"),
        ("events.out.tfevents.1.host", b"", "an events file"),
        ("graph.pbtxt", b"node {", "a graph, without values"),
        ("c.data-00000-of-00001", b"x", "whose .index file is missing"),
        ("notes.txt", b"abcd", "not a checkpoint"),
        ("empty", b"", "not a checkpoint"),
    ],
)
def test_files_are_called_what_they_are(tmp_path, name, content, what):
    (tmp_path / name).write_bytes(content)
    assert what in what_is_there.what_is(str(tmp_path / name), files)


def test_what_is_not_there_says_so(tmp_path):
    assert "no such" in what_is_there.what_is(str(tmp_path / "c"), files)


def test_checkpoints_beside_it_are_listed(tmp_path):
    for number in (200, 100, 1000, 7, 300, 2000, 3000):
        (tmp_path / f"c-{number}.index").touch()
    found = what_is_there.beside(str(tmp_path / "x"), files)
    first = ", ".join(f"{tmp_path}/c-{n}" for n in (7, 100, 200, 300, 1000))
    assert found == f"; checkpoints found there: {first} and 2 more"
    assert what_is_there.beside(str(tmp_path / "none" / "x"), files) == ""
    assert what_is_there.prefixes_in(str(tmp_path / "none"), files) == ""
