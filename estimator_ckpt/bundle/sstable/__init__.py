"""LevelDB's sorted table, byte by byte: reading, writing, blocks and their bounds.

Keys and values are bytes in here. What they say of tensors is read by the modules
around this folder: no entry, no name and no dtype in here.
"""
