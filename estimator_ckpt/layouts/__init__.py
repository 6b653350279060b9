"""The same numbers in other places: layers that differ in more than names.

Rules that split, fuse, transpose and reorder (LSTM, GRU, ...), on arrays. Nothing here
knows a checkpoint or an object, and nothing imports TensorFlow.
"""
