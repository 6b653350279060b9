"""What every test needs: no GPU, a quiet TensorFlow, a fresh graph."""

import os

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Two workers share two cores, and these models are small.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import logging
import signal
import sys

import pytest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, REPOSITORY)  # for model_fns, which are not installed


# A shell starts what it puts in the background with SIGINT ignored, and children
# inherit that: what Ctrl-C does could not be tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


try:
    import hypothesis
except ImportError:  # the environments of make compat do without
    pass
else:
    # An example takes what it takes: on a busy machine a deadline fails at random.
    hypothesis.settings.register_profile("no deadline", deadline=None)
    hypothesis.settings.load_profile("no deadline")


def pytest_addoption(parser):
    parser.addoption(
        "--without-tensorflow",
        action="store_true",
        help="skip whatever imports TensorFlow (make quick)",
    )


def pytest_configure(config):
    if config.getoption("without_tensorflow"):
        from tests import processes

        sys.meta_path.insert(0, _NoTensorFlow())
        processes.without_tensorflow()


class _NoTensorFlow:
    """An importer that skips the test, or the module of tests, that imports it."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras", "tf_keras"):
            pytest.skip("needs TensorFlow", allow_module_level=True)


@pytest.fixture
def needs_tensorflow(request):
    """For a test that starts a program with TensorFlow, and imports none itself."""
    if request.config.getoption("without_tensorflow"):
        pytest.skip("needs TensorFlow")


# TensorFlow 2.15 warns of every deprecated call: a failure shows enough without.
logging.getLogger("tensorflow").setLevel(logging.ERROR)


@pytest.fixture(autouse=True)
def _fresh_graph():
    """A default graph of its own for each test that uses TensorFlow."""
    yield
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and hasattr(tensorflow, "compat"):
        tensorflow.compat.v1.reset_default_graph()
