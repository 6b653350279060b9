"""What the keys of a checkpoint mean: open, inspect, verify, compare.

Formats, variable names and object keys, the object graph, roles, prefixes and state
files are here. Nothing here decides what becomes of a variable (`maps`) or writes a
checkpoint (`conversion`), and nothing imports TensorFlow.
"""
