"""The batches that the trajectories are trained on, with NumPy alone.

TensorFlow 1.15 trains `STEPS` of them, saves, and trains `MORE`; the tests go on from
its checkpoint with the same ones. Of the `ROWS` rows of the embedding some are touched
only before the checkpoint, some only after it, and some never; ids repeat in a batch.
"""

import numpy as np

STEPS, MORE = 20, 10
ROWS, WIDTH, UNITS, IDS = 24, 4, 6, 3


def batch(step):
    """Ids int32 [8, 3] and labels float32 [8, 1] of a step, counted from 0."""
    random = np.random.RandomState(1000 + step)
    rows = np.r_[0:16] if step < STEPS else np.r_[0:10, 16:20]
    ids = random.choice(rows, (8, IDS)).astype(np.int32)
    labels = np.sin(ids.sum(axis=1, keepdims=True) / 7.0).astype(np.float32)
    return ids, labels
