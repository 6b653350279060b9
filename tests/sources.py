"""One checkpoint, in all the places and under all the paths where people have theirs.

Each function makes one in a directory and returns what people pass. All
hold the variables of `v1-format/single`: dense/kernel, dense/bias and global_step.
"""

import shutil
from pathlib import Path

from estimator_ckpt.bundle.writer import write_bundle
from tests.testdata_paths import TESTDATA, session_values

VALUES = session_values("v1-format/single/model.ckpt-7")
WEIGHTS = {name: VALUES[name] for name in ("dense/kernel", "dense/bias")}
STEP = 7
V1 = TESTDATA / "v1-format"


def model_dir(path: Path, named: str = "model.ckpt-7") -> Path:
    """A model dir whose state file names its checkpoint `named`."""
    write_bundle(path / "model.ckpt-7", VALUES)
    text = named.replace("\\", "\\\\")
    (path / "checkpoint").write_text(f'model_checkpoint_path: "{text}"\n')
    return path


def prefix(path):
    return model_dir(path) / "model.ckpt-7"


def index_file(path):
    return model_dir(path) / "model.ckpt-7.index"


def shard(path):
    return model_dir(path) / "model.ckpt-7.data-00000-of-00001"


def state_file(path):
    return model_dir(path) / "checkpoint"


def saved_model(path):
    write_bundle(path / "variables" / "variables", VALUES)
    (path / "saved_model.pb").write_bytes(b"")
    return path


def moved(path):
    return model_dir(path, "/was/here/once/model.ckpt-7")


def copied(path):
    """Its state file names the original's path, where another checkpoint is."""
    original = path.with_name("original") / "model.ckpt-7"
    write_bundle(original, {name: value + 1 for name, value in VALUES.items()})
    return model_dir(path, str(original))


def from_a_store(path):
    return model_dir(path, "gs://bucket/jobs/model.ckpt-7")


def from_windows(path):
    return model_dir(path, r"C:\jobs\model.ckpt-7")


def v1(path):
    return shutil.copytree(V1 / "single", path)


def v1_prefix(path):
    return shutil.copytree(V1 / "single", path) / "model.ckpt-7"


def v1_shards(path):
    return shutil.copytree(V1 / "sharded", path)


def v1_shard(path):
    return shutil.copytree(V1 / "sharded", path) / "model.ckpt-7-00001-of-00002"


SOURCES = [
    model_dir,
    prefix,
    index_file,
    shard,
    state_file,
    saved_model,
    moved,
    copied,
    from_a_store,
    from_windows,
    v1,
    v1_prefix,
    v1_shards,
    v1_shard,
]


def nothing(path):
    return path


def empty(path):
    path.mkdir()
    return path


def gone(path):
    """A state file that names what is not there."""
    path.mkdir()
    (path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-7"\n')
    return path


def rubbish(path):
    path.mkdir()
    (path / "checkpoint").write_text("rubbish")
    return path


def text_file(path):
    path.write_text("text")
    return path


def v1_with_a_shard_gone(path):
    shutil.copytree(V1 / "sharded", path)
    (path / "model.ckpt-7-00001-of-00002").unlink()
    return path


#: What is no checkpoint, and what every entry point says of it.
NONE = {
    nothing: "no such checkpoint, file or directory",
    empty: "a directory without a checkpoint state file",
    gone: "its state file names 'model.ckpt-7', which is not there",
    rubbish: "not a checkpoint state file",
    text_file: "not a checkpoint",
}
