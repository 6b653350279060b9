"""What reads tensors has one interface, however they are stored."""

import inspect

import pytest

from estimator_ckpt.bundle.reader import BundleReader
from estimator_ckpt.bundle.tensor_reader import TensorReader
from estimator_ckpt.bundle.v1_format.v1_reader import V1Reader
from estimator_ckpt.checkpoint.weight_files.unchecked_reader import UncheckedReader

METHODS = [name for name in vars(TensorReader) if not name.startswith("_")]


@pytest.mark.parametrize("reader", [BundleReader, V1Reader, UncheckedReader])
@pytest.mark.parametrize("name", METHODS)
def test_each_reader_takes_the_same_arguments(reader, name):
    asked = inspect.signature(getattr(TensorReader, name)).parameters
    taken = inspect.signature(getattr(reader, name)).parameters
    assert list(taken) == list(asked)
    assert [p.default for p in taken.values()] == [p.default for p in asked.values()]


def test_the_methods_are_those_that_are_used():
    assert {"read", "read_slice", "iter_arrays", "iter_chunks", "verify"} < set(METHODS)
