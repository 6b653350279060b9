"""What well-known models of TensorFlow 1 are called in PyTorch.

Hugging Face's names and torchvision's, one module for each family, with the source of
its names and formulas.

A map to PyTorch's names also says how PyTorch arranges each tensor, so `convert` needs
no other evidence for `--layout=torch`. To add a family: a module here, a row of
`builtin_maps.BUILTIN_MAPS`, a test in `tests/maps/test_torch_names.py`, one against the
real model in `tests/compat/test_hugging_face.py`, and a row in docs/hugging-face.md.
"""
