"""Reads a V1-format checkpoint through TensorFlow and writes it as a tensor bundle.

    python -m estimator_ckpt.tf_private.v1_reader V1_CHECKPOINT NEW_PREFIX

RestoreV2 reads both formats, and puts the parts of partitioned variables together.
Tensors are read one at a time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

import numpy as np

from estimator_ckpt.bundle.writer import write_bundle


class _Tensors(Mapping[str, np.ndarray]):
    """The tensors of a checkpoint by name, each read when it is asked for."""

    def __init__(self, prefix: str):
        import tensorflow as tf

        self._tf = tf
        self._prefix = prefix
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
        self._dtypes = reader.get_variable_to_dtype_map()

    def __getitem__(self, name: str) -> np.ndarray:
        (tensor,) = self._tf.raw_ops.RestoreV2(
            prefix=self._prefix,
            tensor_names=[name],
            shape_and_slices=[""],
            dtypes=[self._dtypes[name]],
        )
        return tensor.numpy()

    def __iter__(self) -> Iterator[str]:
        return iter(self._dtypes)

    def __len__(self) -> int:
        return len(self._dtypes)


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    prefix, destination = sys.argv[1:]
    write_bundle(destination, _Tensors(prefix))


if __name__ == "__main__":
    main()
