"""Where the test data lies, and what TensorFlow 1.15's sessions saw in it.

Tests name a checkpoint as `PREFIXES` does: by its prefix below `tests/testdata`,
such as "digits/model.ckpt-300".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Optional
from urllib.parse import unquote

import numpy as np

TESTDATA = Path(__file__).parent / "testdata"
RECORDINGS = TESTDATA / "values"

V1_PREFIXES: dict[str, Path] = {
    "v1-format/single/model.ckpt-7": TESTDATA / "v1-format/single/model.ckpt-7",
    "v1-format/sharded/model.ckpt-7": (
        TESTDATA / "v1-format/sharded/model.ckpt-7-?????-of-00002"
    ),
    "v1-dtypes/model.ckpt": TESTDATA / "v1-dtypes/model.ckpt-?????-of-00002",
}
"""Checkpoints of the format of before 2017, as TensorFlow names them: the file, or
literally a pattern for its shards."""

ROLES: dict[str, Path] = {
    f"{path.parent.parent.name[11:]}/{path.parent.name}": path.parent
    for path in sorted(TESTDATA.glob("roles/*/*/roles.json"))
}
"""Directories of checkpoints whose variables' roles are known: "2.15.1/gan_new"."""

PREFIXES: dict[str, Path] = {
    str(index.relative_to(TESTDATA).with_suffix("")): index.with_suffix("")
    for index in sorted(TESTDATA.glob("**/*.index"))
    if index.parent not in ROLES.values()
}
"""Every other checkpoint (tensor bundles)."""

OBJECT_BASED = ("guide-tf2/", "guide-tf2-scoped/", "object-based/")
"""Where tf.train.Checkpoint wrote; elsewhere it was a Saver."""


def session_values(name: str) -> dict[str, np.ndarray]:
    """Reads what the session saw when it saved a checkpoint.

    Args:
      name: a key of `PREFIXES` or `V1_PREFIXES`.

    Returns:
      Each saved tensor by its checkpoint key; partitioned variables are whole,
      strings are object arrays of bytes. Without the object graph, which is no
      value of the session's.
    """
    values = {}
    with np.load(RECORDINGS / f"{name}.npz") as members:
        for member in members:
            quoted, _, encoding = member.partition(":")
            key, stored = unquote(quoted), members[member]
            if not encoding:
                values[key] = stored
            elif encoding == "bfloat16":
                import ml_dtypes

                values[key] = stored.view(ml_dtypes.bfloat16)
            elif encoding == "lengths":
                content = members[quoted + ":bytes"].tobytes()
                values[key] = _cut(content, stored)
    return values


def true_roles(name: str) -> dict[str, list[Optional[str]]]:
    """What each key of a checkpoint in `ROLES` is for: role, owner, optimizer."""
    return json.loads((ROLES[name] / "roles.json").read_text())


def digits_evaluation() -> dict[str, float]:
    """What TensorFlow 1.15 measured at the digits' latest checkpoint."""
    return json.loads((RECORDINGS / "digits" / "eval.json").read_text())


def _cut(content: bytes, lengths: np.ndarray) -> np.ndarray:
    """Cuts the joined strings of a tensor by their lengths."""
    strings = np.empty(lengths.shape, object)
    end = 0
    for place, length in np.ndenumerate(lengths):
        start, end = end, end + length
        strings[place] = content[start:end]
    return strings
