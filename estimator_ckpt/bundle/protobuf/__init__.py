"""Protobuf messages as bytes: one codec, driven by declarations.

    schema, v1_schema, graph_schema   what the messages are
    wire, ...                         how any of them is read and written

No meaning in here: what a message says of a tensor or a graph is for those who read it.
No generated code and no protobuf package, so no release of it is needed.
"""
