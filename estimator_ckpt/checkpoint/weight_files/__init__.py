"""Weights in a file of their own that is no tensor bundle: frozen graphs, safetensors.

Each reader answers as `BundleReader` does (`bundle/tensor_reader.py`). Which file a
path means is decided in `checkpoint/paths/prefixes.py`, what its tensors are for in
`checkpoint/evidence`: a module in here knows one file format and nothing else.
"""
