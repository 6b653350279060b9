"""What all three libraries build: a small model with the layers that differ most.

conv -> bn -> relu -> depthwise -> separable -> rows as a sequence -> lstm -> out
"""

import numpy as np

ROWS, COLUMNS, CHANNELS = 5, 4, 3
FILTERS, MULTIPLIER, POINTS, UNITS, OUTPUTS = 4, 2, 3, 6, 2
STEPS, RATE, EPSILON = 3, 0.01, 1e-8
_RANDOM = np.random.RandomState(3)
IMAGES = _RANDOM.normal(size=(8, ROWS, COLUMNS, CHANNELS)).astype(np.float32)
LABELS = _RANDOM.normal(size=(8, OUTPUTS)).astype(np.float32)
