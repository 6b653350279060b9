"""What several commands are tried with: a renamed checkpoint, and the map to it."""

import pytest

import estimator_ckpt as ec
from tests.testdata_paths import PREFIXES


@pytest.fixture
def renamed(tmp_path):
    return ec.convert(
        PREFIXES["digits/model.ckpt-300"],
        tmp_path / "new",
        to="tf2",
        assignment_map={"logits/": "head/"},
    )


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("- {from: logits/, to: head/}\n")
    return path
