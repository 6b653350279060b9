"""Protobuf messages as bytes: one codec, driven by the declarations in schema.py,
v1_schema.py and graph_schema.py.

No meaning in here: what a message says of a tensor or a graph is for those who read it.
No generated code and no protobuf package, so no release of it is needed.
"""
