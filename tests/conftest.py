"""What every test needs: no GPU, a quiet TensorFlow, a fresh graph."""

import os

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import logging
import sys

import pytest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, REPOSITORY)  # for model_fns, which are not installed


# TensorFlow 2.15 warns of every deprecated call: a failure shows enough without.
logging.getLogger("tensorflow").setLevel(logging.ERROR)


@pytest.fixture(autouse=True)
def _fresh_graph():
    """A default graph of its own for each test that uses TensorFlow."""
    yield
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and hasattr(tensorflow, "compat"):
        tensorflow.compat.v1.reset_default_graph()
