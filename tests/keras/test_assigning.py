"""Variables get what a plan says, in place; damage leaves all of them as they were."""

import contextlib

import numpy as np
import pytest

from estimator_ckpt.bundle.errors import CorruptDataError
from estimator_ckpt.keras import assigning, object_plans
from estimator_ckpt.keras.object_plans import ObjectPlan
from estimator_ckpt.keras.tensor_origins import FromSource
from tests.keras import described
from tests.keras.described import BIAS, KERNEL


def planned(model, source):
    """The kernel from the source, the bias as it is."""
    variables = (
        object_plans.decided(model.variables[KERNEL], FromSource((KERNEL,)), source),
        object_plans.kept(model.variables[BIAS]),
    )
    return ObjectPlan(source, model.called, model.graph, variables, ())


def values(model):
    return {name: held.value() for name, held in model.variables.items()}


def test_only_what_is_not_kept_is_assigned(tmp_path):
    model, written = described.model(), described.values()
    with described.source(tmp_path / "c", written) as source:
        assigning.assign(model, planned(model, source))
    np.testing.assert_array_equal(values(model)[KERNEL], written[KERNEL])
    np.testing.assert_array_equal(values(model)[BIAS], -np.ones(3))


def test_damage_is_met_before_the_first_is_assigned(tmp_path):
    model = described.model()
    with described.source(tmp_path / "c", described.values()) as source:
        made = planned(model, source)
        shard = tmp_path / "c.data-00000-of-00001"
        shard.write_bytes(bytes(len(shard.read_bytes())))
        with pytest.raises(CorruptDataError):
            assigning.assign(model, made)
    assert (values(model)[KERNEL] == -1).all()


def test_meanwhile_is_until_the_end_whatever_happens(tmp_path):
    model, written = described.model(), described.values()
    with described.source(tmp_path / "c", written) as source:
        made = planned(model, source)
        seen = []
        with contextlib.suppress(KeyError), assigning.assigned_meanwhile(model, made):
            seen.append(values(model)[KERNEL])
            raise KeyError
    np.testing.assert_array_equal(seen[0], written[KERNEL])
    assert (values(model)[KERNEL] == -1).all()
