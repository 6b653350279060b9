"""tf.estimator on TensorFlow 2.18.1 and 2.21.0, through the runtime.

The tests of training run there, and what jobs save there is read back by TensorFlow
1.15.5 and 2.15.1. Where TensorFlow changes what the runtime stands on, the tests of
tests/tf_private fail by name.
"""

import pathlib
import subprocess

import pytest

from tests.compat.environments import VENVS, read_back
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.compat

ENVIRONMENTS = {  # by TensorFlow's and CPython's version
    "2.18.1, 3.12": VENVS / "tf218py312" / "bin" / "python",  # with tf-keras 2.15.0
    "2.21.0, 3.13": VENVS / "tf221py313" / "bin" / "python",  # with tf-keras 2.21.0
}
SELECTIONS = {
    "what the runtime stands on": ["tf_private", "estimator/test_runtime.py"],
    "run": [
        "cli/commands/test_run_command.py",
        "cli/commands/test_doctor_command.py",
        "cli/test_keras_choice.py",
    ],
    "clusters": ["estimator/test_cluster.py"],
    "decorators": [
        "estimator/test_scaffolds.py",
        "estimator/test_model_fn_wrappers.py",
        "estimator/warm_starts",
    ],
    # Canned estimators, feature columns, exporters, hooks, MirroredStrategy,
    # model_to_estimator, MonitoredTrainingSession.
    "everywhere": [
        "estimator/test_everywhere.py",
        "estimator/test_after_the_run.py",
        "estimator/test_renamed.py",
        "estimator/restoring",
        "estimator/saving",
    ],
    "train": ["cli/commands/test_train_command.py", "guide", "model_fns"],
}


def run(python, arguments, timeout):
    """Runs a module through `estimator-ckpt run` in another environment."""
    if not python.exists():
        pytest.skip(f"no {python.relative_to(REPOSITORY)} (see make compat)")
    done = subprocess.run(
        [str(python), "-m", "estimator_ckpt", "run", "-m", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_training(environment, selection):
    tests = pathlib.Path(REPOSITORY) / "tests"
    selected = [str(tests / part) for part in SELECTIONS[selection]]
    pytest_ = ["pytest", "-q", "-p", "no:cacheprovider"]
    print(run(ENVIRONMENTS[environment], [*pytest_, *selected], timeout=1800))


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def manifest(request, tmp_path_factory):
    """What jobs and clusters of an environment saved, in each format."""
    folder = tmp_path_factory.mktemp("written")
    said = run(
        ENVIRONMENTS[request.param],
        ["tests.compat.write_jobs", str(folder)],
        timeout=900,
    )
    assert said == f"TensorFlow {request.param.split(',')[0]} wrote 9 checkpoints"
    return folder / "manifest.json"


@pytest.mark.parametrize("reader", ["1.15.5", "2.15.1"])
def test_what_is_saved_there_is_read_back(manifest, reader):
    read_back(reader, manifest)
