"""Which variable of a target is which of a checkpoint: proposes a map.

From names, shapes, dtypes and orders alone. Nothing here opens a checkpoint or builds
a graph, and nothing is decided by chance: what stays open is left undecided.
"""
