"""A checkpoint that an object is made of: roles, averages, places."""

import numpy as np

from estimator_ckpt.checkpoint import roles
from tests.keras import described
from tests.keras.described import BIAS, KERNEL


def test_names_that_a_map_gives_count_as_evidence_of_slots(tmp_path):
    """Slots of an optimizer that nobody knows, given their usual names."""
    written = described.values("mine", step=3)
    with described.source(tmp_path / "c", written) as source:
        plain = source.roles.role(f"{KERNEL}/mine")
    given = {f"{name}/mine": f"{name}/Momentum" for name in (KERNEL, BIAS)}
    with described.source(tmp_path / "d", written, given) as source:
        said = source.roles[f"{KERNEL}/mine"]
        assert source.old_names[f"{KERNEL}/Momentum"] == f"{KERNEL}/mine"
    assert said.role is roles.SLOT
    assert said.owner == KERNEL
    assert plain in (roles.SLOT, roles.MODEL)


def test_tensorflow_1_s_own_average_is_the_one_among_several(tmp_path):
    written = described.values("ExponentialMovingAverage", step=3)
    with described.source(tmp_path / "c", written) as source:
        assert source.average_of(KERNEL) == f"{KERNEL}/ExponentialMovingAverage"
        assert source.average_of("nothing") is None


def test_a_source_by_names_has_no_full_names_nor_places(tmp_path):
    with described.source(tmp_path / "c", {"v": np.float32(1)}) as source:
        assert source.full_name("v") == "v"
        assert source.places(["v"]) == []
        assert source.prefix == str(tmp_path / "c")
